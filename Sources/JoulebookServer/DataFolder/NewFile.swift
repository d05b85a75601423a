import Foundation

/// Files of the data folder that are created once. Symbolic links are never followed, so that the
/// server writes only inside its folder.
enum NewFile {
  /// Creates a file with `mode`, writes and syncs it.
  /// - Throws: if the name is taken, or the system refuses.
  static func write(_ text: String, to path: String, mode: mode_t) throws(ConfigurationError) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
    guard descriptor >= 0 else {
      if errno == EEXIST {
        throw ConfigurationError(
          "\(path) exists already, and nothing is overwritten: move it away, or name another file")
      }
      throw ConfigurationError("cannot make \(path): \(String(cString: strerror(errno)))")
    }
    defer { close(descriptor) }
    let bytes = Array(text.utf8)
    errno = ENOSPC  // The reason for a write that is cut short.
    let written = bytes.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
    guard written == bytes.count, fsync(descriptor) == 0 else {
      let reason = String(cString: strerror(errno))
      unlink(path)
      throw ConfigurationError("cannot write \(path): \(reason); nothing is left of it")
    }
  }

  /// Removes a file that an interrupted start left.
  /// - Throws: if the system refuses.
  static func remove(_ path: String) throws(ConfigurationError) {
    guard unlink(path) == 0 || errno == ENOENT else {
      throw ConfigurationError(
        "cannot remove \(path), which an earlier start left unfinished: "
          + String(cString: strerror(errno)))
    }
  }

  /// Like `write`, but atomic: after a power failure `path` is complete or missing.
  /// - Precondition: no other process writes the folder.
  /// - Throws: as `write`.
  static func writeWhole(_ text: String, to path: String, mode: mode_t) throws(ConfigurationError) {
    let unfinished = path + ".new"
    // Removes the leftover of an interrupted start.
    guard unlink(unfinished) == 0 || errno == ENOENT else {
      throw ConfigurationError("cannot remove \(unfinished): \(String(cString: strerror(errno)))")
    }
    try write(text, to: unfinished, mode: mode)
    guard rename(unfinished, path) == 0, syncFolder(of: path) else {
      throw ConfigurationError("cannot make \(path): \(String(cString: strerror(errno)))")
    }
  }

  /// Makes the names in the folder of `path` durable.
  private static func syncFolder(of path: String) -> Bool {
    let folder = open(
      URL(fileURLWithPath: path).deletingLastPathComponent().path, O_RDONLY | O_CLOEXEC)
    guard folder >= 0 else { return false }
    defer { close(folder) }
    return fsync(folder) == 0
  }

  /// Checks that `path` is missing or a regular file; opening a pipe would block.
  /// - Throws: if `path` is anything else, such as a link.
  static func mustBeFile(_ path: String) throws(ConfigurationError) {
    var status = stat()
    guard lstat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG else { return }
    guard status.st_mode & S_IFMT == S_IFLNK else {
      let what = status.st_mode & S_IFMT == S_IFDIR ? "a folder" : "a pipe or a device"
      throw ConfigurationError("\(path) is \(what), not a file; move it away")
    }
    throw ConfigurationError(
      "\(path) is a symbolic link, and its target would be overwritten. Remove the link, or "
        + "replace it with the file itself. A link to a whole folder is allowed")
  }
}
