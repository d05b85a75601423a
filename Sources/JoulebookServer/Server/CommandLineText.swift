import Glibc

/// Command lines that an operator is told to type. No state; any thread.
public enum CommandLineText {
  /// What starts a server on a data folder, from whatever folder it is typed in.
  /// - Parameter options: Of that command; those that name files as they were given.
  static func serve(_ options: [String], data: String) -> String {
    (["joulebook", "serve"] + options + ["--data", absolute(data)]).map(quoted)
      .joined(separator: " ")
  }

  /// A path from the root, as it is seen from this process.
  public static func absolute(_ path: String) -> String {
    if path.hasPrefix("/") { return path }
    guard let folder = getcwd(nil, 0) else { return path }
    defer { free(folder) }
    return String(cString: folder) + "/" + path
  }

  /// A word as a shell must be given it.
  static func quoted(_ word: String) -> String {
    let isPlain = word.utf8.allSatisfy {
      switch UnicodeScalar($0) {
      case "a"..."z", "A"..."Z", "0"..."9", "_", "-", ".", "/", ":", "=", ",", "+", "@", "%": true
      default: false
      }
    }
    if isPlain, !word.isEmpty { return word }
    return "'"
      + word.split(separator: "'", omittingEmptySubsequences: false)
      .joined(separator: "'\\''") + "'"
  }
}
