import Glibc

/// Files with private keys.
public enum PrivateKeyFile {
  /// Why nobody should trust the key in the file `path`: others can read it, or change it.
  /// - Returns: what to do; `nil` if only its owner has access, or it is missing.
  public static func exposure(_ path: String) -> String? {
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & 0o077 != 0 else { return nil }
    let mode = String(status.st_mode & 0o777, radix: 8)
    return "\(path) is a private key to which others have access (mode \(mode)): chmod 600 \(path)"
  }
}
