import Glibc

/// Composes command lines that messages tell an operator to type. Stateless; any thread.
public enum CommandLineText {
  /// The command line that starts a server on a data folder, from any working directory.
  /// - Parameter options: Options of `joulebook serve`; those that name files are repeated as
  ///   given.
  static func serve(_ options: [String], data: String) -> String {
    (["joulebook", "serve"] + options + ["--data", absolute(data)]).map(quoted)
      .joined(separator: " ")
  }

  /// Makes a path absolute, relative to the process's working directory.
  public static func absolute(_ path: String) -> String {
    if path.hasPrefix("/") { return path }
    guard let folder = getcwd(nil, 0) else { return path }
    defer { free(folder) }
    return String(cString: folder) + "/" + path
  }

  /// Quotes a word for a POSIX shell if necessary.
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
