import Foundation
import TLS
import Testing

@testable import Transport

/// A client of a TLS listener.
private final class SecureClient {
  let socket: LoopbackClient
  private var session: TLSSession

  init(_ context: TLSContext, port: UInt16, source: UInt32) throws {
    socket = try LoopbackClient(port: port, source: source)
    session = try TLSSession(context, host: "localhost")
  }

  /// The bytes of the first message.
  func hello() -> [UInt8] {
    step()
    return pending()
  }

  func sendHello() { socket.send(hello()) }

  /// Whether the server has answered the hello.
  var isAnswered: Bool {
    socket.poll()
    return !socket.received.isEmpty
  }

  private func step() {
    var room = [UInt8](repeating: 0, count: 64)
    room.withUnsafeMutableBytes { _ = session.read(into: $0) }
  }

  private func pending() -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: session.pending)
    _ = bytes.withUnsafeMutableBytes { session.take(into: $0) }
    return bytes
  }
}

@Suite("Who is let in over TLS", .serialized)
struct SecureAcceptingTests {
  private let echo: Echo
  private let port: UInt16
  private let trust: TLSContext

  /// A transport whose handshakes are one a second, with a certificate made for the test.
  init() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let (certificate, key) = (folder.path + "/server.pem", folder.path + "/server.key")
    let openssl = Process()
    openssl.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    openssl.arguments =
      ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
      + ["-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout", key, "-out", certificate]
    openssl.standardError = FileHandle.nullDevice
    try openssl.run()
    openssl.waitUntilExit()
    var configuration = Transport.Configuration()
    configuration.limitsLoopback = true
    configuration.maximumConnections = 4
    configuration.handshakesPerSecond = 1
    echo = Echo(try Transport(configuration))
    echo.promotes = false
    port = try echo.transport.listen(
      host: "0.0.0.0", port: 0, security: TLSContext(certificate: certificate, key: key))
    trust = try TLSContext(trusting: certificate)
  }

  private func client(_ source: UInt32) throws -> SecureClient {
    let count = echo.connections.count
    let client = try SecureClient(trust, port: port, source: source)
    #expect(echo.pump { echo.connections.count == count + 1 })
    return client
  }

  private var waiting: Int { echo.transport.handshakes.waitingCount }

  /// Clients of one address that sent their hellos: the first is answered, the others wait.
  private func waitingClients(_ count: Int, source: UInt32) throws -> [SecureClient] {
    let clients = try (0..<count).map { _ in try client(source) }
    clients[0].sendHello()
    #expect(echo.pump { clients[0].isAnswered })
    for client in clients.dropFirst() { client.sendHello() }
    #expect(echo.pump { waiting == count - 1 })
    return clients
  }

  @Test("A client that closes while its handshake waits leaves at once.")
  func leaves() throws {
    var clients = try waitingClients(4, source: 2)
    clients.removeLast()
    clients[1].socket.reset()
    clients.remove(at: 1)
    #expect(echo.pump { echo.closes.count == 2 })
    #expect(waiting == 1)
    withExtendedLifetime(clients) {}
  }

  @Test("Who waits for the server is not closed for silence; whom the server waits for is.")
  func waitingIsNotSilence() throws {
    let clients = try waitingClients(4, source: 2)
    usleep(1_100_000)
    // Without a turn in between the second one cannot have had its step before the newcomer comes.
    let newcomer = try client(2)
    #expect(echo.closes.map(\.0) == [echo.connections[0]] && echo.closes[0].1 == .replaced)
    #expect(echo.pump { clients[1].isAnswered }, "its turn comes")
    withExtendedLifetime((clients, newcomer)) {}
  }

  @Test("Of the address with the most waiting the last gives way for a newcomer from another.")
  func share() throws {
    let clients = try waitingClients(4, source: 2)
    let other = try client(3)
    #expect(echo.closes.map(\.0) == [echo.connections[3]] && echo.closes[0].1 == .replaced)
    // Of 127.0.0.2 two wait now, and a second connection of 127.0.0.3 would be its second.
    let second = try LoopbackClient(port: port, source: 3)
    #expect(echo.pump { echo.transport.counts.refused == 1 })
    other.sendHello()
    #expect(echo.pump { other.isAnswered && clients[1].isAnswered })
    withExtendedLifetime((clients, second)) {}
  }

  @Test("A hello that is not complete takes no turn and does not keep its place.")
  func incomplete() throws {
    let first = try waitingClients(1, source: 2)
    let partial = try client(3)
    let hello = partial.hello()
    partial.socket.send(Array(hello.dropLast()))
    #expect(!echo.pump(turns: 50) { waiting > 0 })
    #expect(echo.transport.slots[1].pointee.stranger.isListed)
    partial.socket.send([hello.last ?? 0])
    #expect(echo.pump { partial.isAnswered })
    withExtendedLifetime(first) {}
  }

  @Test("Whoever sends more than a hello before the answer is closed.")
  func tooMuch() throws {
    let clients = try waitingClients(2, source: 2)
    clients[1].socket.send([UInt8](repeating: 22, count: 20_000))
    #expect(echo.pump { echo.closes.map(\.1) == [.notSecured] })
    #expect(waiting == 0)
  }
}
