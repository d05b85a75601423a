import Glibc

/// The service manager that started this process, by the protocol of systemd's `sd_notify`: a
/// datagram to the socket that the environment names. Any thread.
enum ServiceManager {
  /// Sends lines of VARIABLE=VALUE, such as "READY=1". Nothing happens when no service manager asked
  /// for it, or when the datagram cannot be sent: the server runs without one too.
  /// - Parameters:
  ///   - state: The lines, separated by newlines.
  ///   - path: Path of the socket; "@" begins a name in the abstract namespace.
  static func notify(_ state: String, to path: String? = socketPath) {
    guard let path, path.hasPrefix("/") || path.hasPrefix("@") else { return }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    var name = Array(path.utf8)
    if path.hasPrefix("@") { name[0] = 0 }
    let offset = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2
    // A path ends with a zero; a name in the abstract namespace ends with the address.
    guard name.count < MemoryLayout<sockaddr_un>.size - offset else { return }
    let length = socklen_t(offset + name.count + (path.hasPrefix("@") ? 0 : 1))
    let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | O_CLOEXEC, 0)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    withUnsafeMutableBytes(of: &address) { bytes in
      bytes[offset...].copyBytes(from: name)
      let text = Array(state.utf8)
      _ = bytes.withMemoryRebound(to: sockaddr.self) { place in
        sendto(descriptor, text, text.count, Int32(MSG_NOSIGNAL), place.baseAddress, length)
      }
    }
  }

  /// The socket that the environment names; `nil` without a service manager that waits.
  private static var socketPath: String? { getenv("NOTIFY_SOCKET").map { String(cString: $0) } }
}
