// Loses connections to PostgreSQL where it hurts: around a commit.
//
//     settler ──▶ proxy ──▶ PostgreSQL
//              COMMIT ✕                 .beforeCommit: the server never sees it
//              COMMIT ──▶ ✕             .afterCommit: the server's answer is lost

import Foundation

/// Passes bytes between connections to its own port and to another one, on 127.0.0.1.
final class CuttingProxy: @unchecked Sendable {
  /// Where the next connection that commits is cut.
  enum Cut { case never, beforeCommit, afterCommit }

  let port: UInt16
  private let target: UInt16
  private let listener: Int32
  private let lock = NSLock()
  private var cut = Cut.never
  private var made = 0
  private var isRefusing = false

  init(to target: UInt16) throws {
    self.target = target
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = Self.address(0)
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let listener = listener
    let isOpen = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, size) == 0 && getsockname(listener, $0, &size) == 0
          && listen(listener, 16) == 0
      }
    }
    guard isOpen else { throw PostgresServer.Failure(description: "the proxy has no port") }
    port = UInt16(bigEndian: address.sin_port)
    Thread.detachNewThread { [self] in accept() }
  }

  deinit { close(listener) }

  /// Cuts the next connection that commits, once.
  func cutNext(_ cut: Cut) { lock.withLock { self.cut = cut } }

  /// The number of connections that were cut.
  var cuts: Int { lock.withLock { made } }

  /// Whether new connections are closed at once.
  func refuse(_ isRefusing: Bool) { lock.withLock { self.isRefusing = isRefusing } }

  private func accept() {
    while true {
      let client = Foundation.accept(listener, nil, nil)
      if client < 0 { return }
      let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      var address = Self.address(target)
      let isOpen = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
      }
      guard isOpen, !lock.withLock({ isRefusing }) else {
        close(client)
        close(server)
        continue
      }
      Thread.detachNewThread { [self] in pass(client, server) }
    }
  }

  /// Passes bytes in both directions until one side ends or the connection is cut.
  private func pass(_ client: Int32, _ server: Int32) {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    var isMute = false
    defer {
      close(client)
      close(server)
    }
    while true {
      var sockets = [
        pollfd(fd: client, events: Int16(POLLIN), revents: 0),
        pollfd(fd: server, events: Int16(POLLIN), revents: 0),
      ]
      guard poll(&sockets, 2, -1) > 0 else { return }
      for (index, from, to) in [(0, client, server), (1, server, client)]
      where sockets[index].revents != 0 {
        let count = recv(from, &buffer, buffer.count, 0)
        guard count > 0 else { return }
        if index == 1, isMute {
          // The server has answered the commit, so it is done; nobody hears it.
          return
        }
        if index == 0, Self.isCommit(buffer[..<count]) {
          switch take() {
          case .never: break
          case .beforeCommit: return
          case .afterCommit: isMute = true
          }
        }
        guard send(to, buffer[..<count].withUnsafeBytes { Data($0) }) else { return }
      }
    }
  }

  private func take() -> Cut {
    lock.withLock {
      defer { cut = .never }
      if cut != .never { made += 1 }
      return cut
    }
  }

  /// Whether the bytes are the simple query COMMIT.
  private static func isCommit(_ bytes: ArraySlice<UInt8>) -> Bool {
    bytes.elementsEqual([0x51, 0, 0, 0, 11] + Array("COMMIT".utf8) + [0])
  }

  private func send(_ socket: Int32, _ data: Data) -> Bool {
    var rest = data
    while !rest.isEmpty {
      let sent = rest.withUnsafeBytes {
        Foundation.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard sent > 0 else { return false }
      rest = rest.dropFirst(sent)
    }
    return true
  }

  private static func address(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    return address
  }
}
