import Glibc
import Testing

/// A raw socket of a client of the text gateway.
final class TextClient {
  struct Silence: Error {}

  private let descriptor: Int32
  private var received: [UInt8] = []
  /// Reports that were read so far.
  private(set) var reports: [String] = []

  /// - Parameter source: Last byte of the client's own address, 127.0.0.`source`.
  init(_ server: TextServer, source: UInt32 = 1) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    let length = socklen_t(MemoryLayout<sockaddr_in>.size)
    var own = Self.address(0x7F00_0000 + source, port: 0)
    let bound = withUnsafePointer(to: &own) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
    }
    try #require(bound == 0)
    var server = Self.address(0x7F00_0001, port: server.textPort)
    let status = withUnsafePointer(to: &server) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, length) }
    }
    try #require(status == 0)
    var timeout = timeval(tv_sec: 20, tv_usec: 0)
    setsockopt(
      descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
  }

  private static func address(_ number: UInt32, port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = number.bigEndian
    return address
  }

  deinit { close(descriptor) }

  /// Sends lines, and does not wait.
  func say(_ lines: String...) { send(lines.map { $0 + "\n" }.joined()) }

  /// Sends bytes as they are.
  func send(_ text: String) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      // This fails if the server has closed the connection; its last messages are read anyway.
      if count <= 0 { return }
      bytes = bytes.dropFirst(count)
    }
  }

  /// The next line; `nil`: the server closed.
  func line() throws -> String? {
    while true {
      if let end = received.firstIndex(of: UInt8(ascii: "\n")) {
        let line = String(decoding: received[..<end], as: UTF8.self)
        received.removeFirst(end + 1)
        if line.hasPrefix("R ") { reports.append(line) }
        return line
      }
      var buffer = [UInt8](repeating: 0, count: 1 << 16)
      let count = recv(descriptor, &buffer, buffer.count, 0)
      if count < 0, errno == EAGAIN { throw Silence() }
      guard count > 0 else { return nil }
      received += buffer[..<count]
    }
  }

  /// The next line that begins with `words`; others before it are passed over.
  func line(behind words: String) throws -> String {
    while let line = try line() {
      if line.hasPrefix(words) { return line }
    }
    throw Silence()
  }

  /// Sends a line, and reads on to the answer: no report, no quote.
  func ask(_ line: String) throws -> String {
    say(line)
    while let answer = try self.line() {
      if !answer.hasPrefix("R "), !answer.hasPrefix("QUOTE") { return answer }
    }
    throw Silence()
  }

  /// Sends a command, and reads on to the report of it.
  func report(of command: String) throws -> [String] {
    say(command)
    return try nextReport("ACCEPTED", "CANCELED", "REJECTED")
  }

  /// The words of the next report of one of these kinds.
  func nextReport(_ kinds: String...) throws -> [String] {
    while let line = try line() {
      let words = line.split(separator: " ").map(String.init)
      if words[0] == "R", kinds.contains(words[2]) { return words }
    }
    throw Silence()
  }

  /// The next `count` reports.
  func reports(_ request: String, _ count: Int) throws -> [String] {
    say(request)
    return try (0..<count).map { _ in try line(behind: "R ") }
  }

  /// The rest of a line after a word.
  static func value(_ name: String, _ words: [String]) throws -> String {
    let place = try #require(words.firstIndex(of: name))
    return try #require(place + 1 < words.count ? words[place + 1] : nil)
  }
}
