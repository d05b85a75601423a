import Glibc

/// A client of the health server: its request as far as it has arrived, then what is left of the
/// response. Owned by the health server's thread, which closes the descriptor.
struct HealthClient {
  /// How long a request with its response may take, ns.
  private static let patience: UInt64 = 2_000_000_000
  /// Greatest number of bytes of a request before its first line ends.
  private static let longestRequest = 2_048

  let descriptor: Int32
  /// When the connection is closed in any case, ns of the steady clock.
  let deadline: UInt64
  /// Whether nothing more will be read or sent.
  private(set) var isOver = false
  private var request: [UInt8] = []
  private var response: [UInt8] = []
  private var sent = 0

  /// - Parameters:
  ///   - descriptor: A connected socket that does not block.
  ///   - now: Present time, ns of the steady clock.
  init(_ descriptor: Int32, now: UInt64) {
    (self.descriptor, deadline) = (descriptor, now + Self.patience)
  }

  /// What the client waits for.
  var event: pollfd {
    pollfd(fd: descriptor, events: Int16(response.isEmpty ? POLLIN : POLLOUT), revents: 0)
  }

  /// Reads what has arrived, and sends what the socket takes.
  /// - Parameter respond: The response to the first line of a request; `nil` if there is none.
  mutating func proceed(_ respond: (String) -> String?) {
    if response.isEmpty { read(respond) }
    if !response.isEmpty { send() }
  }

  private mutating func read(_ respond: (String) -> String?) {
    var part = [UInt8](repeating: 0, count: Self.longestRequest - request.count)
    let count = recv(descriptor, &part, part.count, 0)
    guard count > 0 else {
      isOver = count == 0 || !Self.mayPass(errno)
      return
    }
    request += part[..<count]
    guard let end = request.firstIndex(of: 10) else {
      isOver = request.count == Self.longestRequest
      return
    }
    let line = String(decoding: request[..<end].prefix { $0 != 13 }, as: UTF8.self)
    response = respond(line).map { Array($0.utf8) } ?? []
    isOver = response.isEmpty
  }

  private mutating func send() {
    let count = response.withUnsafeBytes {
      Glibc.send(
        descriptor, $0.baseAddress.map { $0 + sent }, $0.count - sent, Int32(MSG_NOSIGNAL))
    }
    if count > 0 { sent += count }
    isOver = sent == response.count || (count < 0 && !Self.mayPass(errno))
  }

  private static func mayPass(_ code: Int32) -> Bool { code == EAGAIN || code == EINTR }
}
