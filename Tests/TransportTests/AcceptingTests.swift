import Glibc
import Testing

@testable import Transport

@Suite("Who is let in")
struct AcceptingTests {
  func start(_ change: (inout Transport.Configuration) -> Void) throws -> (Echo, UInt16) {
    var configuration = Transport.Configuration()
    configuration.limitsLoopback = true
    change(&configuration)
    let transport = try Transport(configuration)
    return (Echo(transport), try transport.listen(host: "0.0.0.0", port: 0))
  }

  private func isRefused(_ client: LoopbackClient, _ echo: Echo) -> Bool {
    echo.pump {
      client.poll()
      return client.ended
    }
  }

  @Test("An address has its share of the connections; others are not affected.")
  func perAddress() throws {
    let (echo, port) = try start { $0.connectionsPerAddress = 2 }
    var clients = try (0..<2).map { _ in try LoopbackClient(port: port, source: 2) }
    #expect(echo.pump { echo.connections.count == 2 })
    for _ in 0..<3 { #expect(isRefused(try LoopbackClient(port: port, source: 2), echo)) }
    #expect(echo.transport.counts.refused == 3 && echo.transport.counts.refusedByAddress == 3)
    #expect(echo.refusals == [.addressIsFull, .addressIsFull, .addressIsFull], "each is told")
    let other = try LoopbackClient(port: port, source: 3)
    #expect(echo.pump { echo.connections.count == 3 })
    #expect(echo.transport.address(of: echo.connections[2]) == PeerAddress("127.0.0.3"))
    clients.removeLast()
    #expect(echo.pump { echo.closes.count == 1 })
    let next = try LoopbackClient(port: port, source: 2)
    #expect(echo.pump { echo.connections.count == 4 })
    withExtendedLifetime((other, next)) {}
  }

  @Test("In a full table the oldest connection without a session gives way, if it had its time.")
  func replaced() throws {
    let (echo, port) = try start { $0.maximumConnections = 3 }
    echo.promotes = false
    var clients: [LoopbackClient] = []
    for count in 1...3 {
      clients.append(try LoopbackClient(port: port))
      #expect(echo.pump { echo.connections.count == count })
    }
    echo.transport.promote(echo.connections[0])
    usleep(1_100_000)
    clients.append(try LoopbackClient(port: port))
    #expect(echo.pump { echo.connections.count == 4 })
    #expect(echo.closes.map(\.0) == [echo.connections[1]])
    #expect(echo.closes.map(\.1) == [.replaced] && echo.transport.counts.replaced == 1)
    #expect(echo.connections[3].slot == echo.connections[1].slot)
    clients[3].send(message(9, 9))
    #expect(
      echo.pump {
        clients[3].poll()
        return clients[3].received == message(9, 9)
      })
    for connection in echo.connections { echo.transport.promote(connection) }
    usleep(1_100_000)
    #expect(isRefused(try LoopbackClient(port: port), echo))
    #expect(echo.transport.counts.refused == 1 && echo.refusals == [.full])
  }

  @Test("However many come of one address, others get in, and clients of this machine.")
  func crowdOfOneAddress() throws {
    let (echo, port) = try start { $0.maximumConnections = 4 }
    echo.promotes = false
    var clients: [LoopbackClient] = []
    func come(_ source: UInt32) throws {
      let count = echo.connections.count
      clients.append(try LoopbackClient(port: port, source: source))
      #expect(echo.pump { echo.connections.count == count + 1 })
    }
    for _ in 0..<4 { try come(2) }
    usleep(30_000)
    try come(3)
    #expect(echo.closes.map(\.0) == [echo.connections[0]])
    try come(1)
    #expect(echo.closes.map(\.0) == Array(echo.connections[0...1]))
    #expect(isRefused(try LoopbackClient(port: port, source: 2), echo), "it would be its third")
    withExtendedLifetime(clients) {}
  }

  @Test("Who has proved to be an administrator keeps its place.")
  func keptPlace() throws {
    let (echo, port) = try start { $0.maximumConnections = 2 }
    echo.promotes = false
    var clients: [LoopbackClient] = []
    for count in 1...2 {
      clients.append(try LoopbackClient(port: port))
      #expect(echo.pump { echo.connections.count == count })
    }
    echo.transport.keepPlace(echo.connections[0])
    usleep(30_000)
    clients.append(try LoopbackClient(port: port))
    #expect(echo.pump { echo.connections.count == 3 })
    #expect(echo.closes.map(\.0) == [echo.connections[1]])
    withExtendedLifetime(clients) {}
  }

  @Test("Strangers come and go, and the newcomers among them get a place or are refused.")
  func crowd() throws {
    let (echo, port) = try start { $0.maximumConnections = 8 }
    echo.promotes = false
    for round in 0..<3 {
      let clients = try (0..<20).map { _ in try LoopbackClient(port: port) }
      let all = (round + 1) * 20
      #expect(echo.pump { echo.transport.counts.accepted + echo.transport.counts.refused == all })
      usleep(1_100_000)
      withExtendedLifetime(clients) {}
    }
    #expect(echo.pump { echo.closes.count == echo.connections.count })
    #expect(echo.transport.oldestStranger == -1 && echo.transport.newestStranger == -1)
    #expect(echo.transport.connectionsByAddress.isEmpty)
    #expect(echo.transport.strangersByAddress.isEmpty)
  }

  @Test("An IPv6 address counts by its first half, an IPv4 address in both forms as one.")
  func addresses() {
    #expect(PeerAddress("2001:db8:0:1::1") == PeerAddress("2001:db8:0:1:ffff::2"))
    #expect(PeerAddress("2001:db8:0:1::1") != PeerAddress("2001:db8:0:2::1"))
    #expect(PeerAddress("::ffff:192.0.2.7") == PeerAddress("192.0.2.7"))
    #expect(PeerAddress("192.0.2.7")?.description == "192.0.2.7")
    #expect(PeerAddress("2001:db8:0:1::1")?.description == "2001:db8:0:1::/64")
    for text in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
      #expect(PeerAddress(text)?.isLoopback == true, "\(text)")
    }
    for text in ["127.9.9.9", "0.0.0.0", "::", "::2", "10.0.0.1", "fe80::1"] {
      #expect(PeerAddress(text)?.isLoopback == false, "\(text)")
    }
    #expect(PeerAddress("localhost") == nil)
    for text in ["127.0.0.1", "::1", "127.0.0.2", "127.9.9.9"] {
      #expect(PeerAddress(text)?.isOnThisMachine == true, "\(text)")
    }
    for text in ["0.0.0.0", "::", "10.0.0.1", "128.0.0.1", "fe80::1", "::2"] {
      #expect(PeerAddress(text)?.isOnThisMachine == false, "\(text)")
    }
  }
}
