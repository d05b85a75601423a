import Glibc
import Testing

@testable import Transport

/// A plain non-blocking client socket.
final class LoopbackClient {
  let descriptor: Int32
  private(set) var received: [UInt8] = []
  private(set) var ended = false

  /// - Parameter source: Last byte of the client's own address, 127.0.0.`source`.
  init(port: UInt16, receiveBuffer: Int32? = nil, source: UInt32 = 1) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    try #require(descriptor >= 0)
    if var size = receiveBuffer {
      setsockopt(
        descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
    }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    try bind(to: 0x7F00_0000 + source)
    let status = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    try #require(status == 0)
    _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    var on: Int32 = 1
    setsockopt(
      descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
  }

  private func bind(to source: UInt32) throws {
    var own = sockaddr_in()
    own.sin_family = sa_family_t(AF_INET)
    own.sin_addr.s_addr = source.bigEndian
    let status = withUnsafePointer(to: &own) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    try #require(status == 0)
  }

  deinit { Glibc.close(descriptor) }

  /// Sends what the socket accepts.
  /// - Returns: the number of bytes sent.
  @discardableResult
  func send(_ bytes: [UInt8]) -> Int {
    max(0, Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)))
  }

  /// Reads what has arrived.
  func poll() {
    var buffer = [UInt8](repeating: 0, count: 65536)
    while !ended {
      let count = recv(descriptor, &buffer, buffer.count, 0)
      if count > 0 {
        received += buffer[..<count]
      } else {
        if count == 0 || (errno != EAGAIN && errno != EINTR) { ended = true }
        return
      }
    }
  }

  /// Closes the sending side.
  func sendEnd() { Glibc.shutdown(descriptor, Int32(SHUT_WR)) }

  /// Closes the connection with a reset.
  func reset() {
    var option = linger(l_onoff: 1, l_linger: 0)
    setsockopt(
      descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
  }
}

/// Echoes complete messages, whose first byte is the length. Records its callbacks.
final class Echo: ConnectionHandler, LoopHandler {
  let transport: Transport
  var connections: [ConnectionId] = []
  var closes: [(ConnectionId, CloseReason)] = []
  var messages = 0
  var wakes = 0
  var timers: [TimerToken] = []
  var turns = 0
  /// Pauses the connection before its n-th message, once.
  var pauseBefore: Int?
  /// A connection to resume at the end of this turn.
  var resumeInTurn: ConnectionId?
  /// Finishes the connection after this message.
  var finishAt: Int?
  /// Last message to a client that does not read; the handler then finishes the connection itself.
  /// Empty: neither happens.
  var lastWord: [UInt8] = []
  /// Whether every client has an established session from the begin.
  var promotes = true
  /// Called at the end of the next turn.
  var atTurnEnd: (() -> Void)?
  /// Connections that were refused, as far as they were reported.
  var refusals: [Transport.Refusal] = []
  /// Called within `received`, after its last message.
  var afterMessages: (() -> Void)?

  init(_ transport: Transport) { self.transport = transport }

  func connected(_ connection: ConnectionId) {
    connections.append(connection)
    if promotes { transport.promote(connection) }
  }

  func refused(_ address: PeerAddress, _ reason: Transport.Refusal) { refusals.append(reason) }

  func overflowed(_ connection: ConnectionId) {
    if lastWord.isEmpty { return }
    lastWord.withUnsafeBytes { _ = transport.send(connection, $0) }
    transport.finish(connection)
  }

  func received(_ connection: ConnectionId, _ bytes: UnsafeRawBufferPointer) -> Int {
    var offset = 0
    while offset < bytes.count {
      let length = Int(bytes[offset])
      guard length > 0, offset + length <= bytes.count else { break }
      if pauseBefore == messages {
        pauseBefore = nil
        transport.pause(connection)
        break
      }
      messages += 1
      transport.send(
        connection, UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + length]))
      offset += length
      if finishAt == messages {
        transport.finish(connection)
        break
      }
    }
    afterMessages?()
    return offset
  }

  func closed(_ connection: ConnectionId, _ reason: CloseReason) {
    closes.append((connection, reason))
  }

  func woken() { wakes += 1 }
  func timerFired(_ timer: TimerToken) { timers.append(timer) }

  func turnEnds() {
    turns += 1
    if let action = atTurnEnd {
      atTurnEnd = nil
      action()
    }
    if let connection = resumeInTurn {
      resumeInTurn = nil
      transport.resume(connection)
    }
  }

  /// Turns the loop until `condition`, at most about ten seconds.
  func pump(turns: Int = 10_000, until condition: () -> Bool) -> Bool {
    for _ in 0..<turns {
      transport.turn(self, serving: [self])
      if condition() { return true }
      usleep(1000)
    }
    return condition()
  }
}

/// A message of `length` bytes whose content depends on `seed`.
func message(_ length: UInt8, _ seed: Int) -> [UInt8] {
  [length] + (1..<Int(length)).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ seed) }
}
