import Foundation

/// Files of the data folder that are made once. None follows a link: what the server writes stays in its folder.
enum NewFile {
  /// Writes a file that must not exist, with `mode` from its first moment, and syncs it.
  /// - Throws: when something has that name, or the system refuses.
  static func write(_ text: String, to path: String, mode: mode_t) throws(ConfigurationError) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
    guard descriptor >= 0 else {
      throw ConfigurationError("cannot make \(path): \(String(cString: strerror(errno)))")
    }
    defer { close(descriptor) }
    let bytes = Array(text.utf8)
    let written = bytes.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
    guard written == bytes.count, fsync(descriptor) == 0 else {
      throw ConfigurationError("cannot write \(path): \(String(cString: strerror(errno)))")
    }
  }

  /// The same by way of another name: `path` has all of it or is not there, whenever the power goes.
  /// - Precondition: nobody else writes the folder.
  /// - Throws: like `write`.
  static func writeWhole(_ text: String, to path: String, mode: mode_t) throws(ConfigurationError) {
    let unfinished = path + ".new"
    // What a start that was cut short left.
    guard unlink(unfinished) == 0 || errno == ENOENT else {
      throw ConfigurationError("cannot remove \(unfinished): \(String(cString: strerror(errno)))")
    }
    try write(text, to: unfinished, mode: mode)
    guard rename(unfinished, path) == 0 else {
      throw ConfigurationError("cannot make \(path): \(String(cString: strerror(errno)))")
    }
  }

  /// Refuses a link, and whatever else is no file: a pipe would be waited for.
  /// - Throws: when `path` is one.
  static func mustBeFile(_ path: String) throws(ConfigurationError) {
    var status = stat()
    guard lstat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG else { return }
    guard status.st_mode & S_IFMT == S_IFLNK else {
      let what = status.st_mode & S_IFMT == S_IFDIR ? "a folder" : "a pipe or a device"
      throw ConfigurationError("\(path) is \(what), not a file; move it away")
    }
    throw ConfigurationError(
      "\(path) is a link: what lies where it leads would be overwritten. Remove the link, or put the file itself "
        + "in its place; a whole folder may lie elsewhere")
  }
}
