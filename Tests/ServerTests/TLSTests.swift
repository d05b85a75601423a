import Foundation
import JoulebookClient
import MarketModel
import TLS
import Testing

/// A certificate for 127.0.0.1 with its key, made by the `openssl` command for one test.
private struct Identity {
  let certificate: String
  let key: String

  init(in folder: TemporaryFolder, name: String = "server") throws {
    (certificate, key) = (folder.path + "/\(name).pem", folder.path + "/\(name).key")
    let made = try Script.run(
      "/usr/bin/env",
      [
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days", "2", "-subj", "/CN=localhost", "-addext",
        "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", key, "-out", certificate,
      ])
    try #require(made.status == 0, "\(made.output)")
  }

  var settings: [String] {
    [
      "--set", "capacity.orders=4096", "--set", "tls.certificate=\(certificate)",
      "--set", "tls.key=\(key)",
    ]
  }
}

@Suite("TLS 1.3, on a real server", .serialized)
struct TLSTests {
  private static let expired = """
    -----BEGIN CERTIFICATE-----
    MIIBDjCBtgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwHhcN
    MjAwMTAxMDAwMDAwWhcNMjAwMTAyMDAwMDAwWjAUMRIwEAYDVQQDDAlsb2NhbGhv
    c3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAS9AamNIAfeCJVyTTJD5UTu7psA
    L+6eCrMy8u4FFpl8S2+YFRYyLMbZdxUcKwhHupTAk5p7yG/SCqKJFG6pHV9LMAoG
    CCqGSM49BAMCA0cAMEQCIB8xM0De3TyZTSz++P3mt/g2V+U3MadI1oOfQKIFKmUO
    AiA6v2MmmWoN0ximvM7mKXqDfV40VbDnzj1Jy9f1jlVUxA==
    -----END CERTIFICATE-----

    """

  private func connect(
    _ village: Village, _ server: ServerProcess, trusting: String
  ) throws -> Client {
    var options = Client.Options()
    options.security = try TLSContext(trusting: trusting)
    return try Client(
      host: "127.0.0.1", port: server.port,
      credentials: village.operatorCredentials(server), options: options)
  }

  @Test(
    "A client that trusts the certificate is served; others get an error with the reason.")
  func clients() throws {
    let folder = try TemporaryFolder()
    let identity = try Identity(in: folder)
    let server = try ServerProcess(data: folder.path + "/data", options: identity.settings)
    let village = Village()
    let client = try connect(village, server, trusting: identity.certificate)
    // Megabytes of answers to requests sent together.
    for _ in 0..<20_000 { try client.requestStatus(withStateHash: false) }
    var answers = 0
    while answers < 20_000 {
      try client.wait { event in
        if case .status = event { answers += 1 }
        return answers == 20_000 || answers % 1_000 == 0 ? () : nil
      }
    }
    let stranger = try Identity(in: folder, name: "stranger")
    var refusal: ClientError?
    do throws(ClientError) {
      _ = try Client(
        host: "127.0.0.1", port: server.port, credentials: village.operatorCredentials(server),
        options: Self.options(trusting: stranger.certificate))
    } catch {
      refusal = error
    }
    guard case .insecure(let reason)? = refusal else {
      Issue.record("\(String(describing: refusal))")
      return
    }
    #expect(reason.contains("not trusted"))
    client.close()
    let status = try Joulebook.run([
      "admin", "status", "--connect", "127.0.0.1:\(server.port)", "--data", server.data,
      "--tls-authorities", identity.certificate,
    ])
    #expect(status.status == 0, "\(status.errors)")
    #expect(server.stop() == 0)
  }

  private static func options(trusting file: String) throws(ClientError) -> Client.Options {
    var options = Client.Options()
    do throws(TLSError) {
      options.security = try TLSContext(trusting: file)
    } catch {
      throw .insecure("\(error)")
    }
    return options
  }

  @Test("A load over TLS is answered in full; a stranger's certificate ends it before it begins.")
  func load() throws {
    let folder = try TemporaryFolder()
    let identity = try Identity(in: folder)
    let server = try ServerProcess(
      data: folder.path + "/data",
      options: identity.settings + ["--set", "client.messages=1000000"])
    func load(_ certificate: String) throws -> Joulebook.Result {
      try Joulebook.run([
        "load", "--connect", "127.0.0.1:\(server.port)", "--data", server.data,
        "--tls-authorities", certificate, "--base", "100", "--connections", "2", "--rate", "500",
        "--duration", "500ms", "--warm-up", "100ms", "--wait", "park", "--max-rejects", "0",
        "--mix", "new=30,iceberg=20,cancel=45,ioc=5", "--quiet",
      ])
    }
    let answered = try load(identity.certificate)
    #expect(answered.status == 0, "\(answered.output)\(answered.errors)")
    #expect(answered.output.contains(" 0 rejected"), "\(answered.output)")
    let refused = try load(Identity(in: folder, name: "stranger").certificate)
    #expect(refused.status != 0 && refused.errors.contains("not trusted"), "\(refused.errors)")
    #expect(server.stop() == 0)
  }

  @Test("A connection without TLS is closed; the server continues.")
  func plainClient() throws {
    let folder = try TemporaryFolder()
    let identity = try Identity(in: folder)
    let server = try ServerProcess(data: folder.path + "/data", options: identity.settings)
    for bytes in [[UInt8](repeating: 0x18, count: 64), Array("GET / HTTP/1.1\r\n\r\n".utf8)] {
      let plain = try RawSession(port: server.port)
      plain.send(bytes)
      while plain.frame() != nil {}
      #expect(plain.isOver)
    }
    let client = try connect(Village(), server, trusting: identity.certificate)
    client.close()
    #expect(server.stop() == 0)
  }

  @Test("Tools tell that a server uses TLS, that it does not, and that it is no health server.")
  func mistaken() throws {
    let folder = try TemporaryFolder()
    let identity = try Identity(in: folder)
    let secure = try ServerProcess(data: folder.path + "/secure", options: identity.settings)
    let plain = try ServerProcess(
      data: folder.path + "/plain",
      options: ["--set", "capacity.orders=4096", "--set", "health=127.0.0.1:0"])
    let health = try #require(
      plain.log.split(separator: "\n").last { $0.contains("health and metrics") }?
        .split(separator: "=").last)
    let trust = ["--tls-authorities", identity.certificate]
    func expect(_ words: String, from address: String, _ options: [String] = []) throws {
      let wait = try Joulebook.run(["wait", address, "--timeout", "4"] + options)
      #expect(wait.status == 75 && wait.errors.contains(words), "\(wait)")
      #expect(wait.errors.utf8.allSatisfy { $0 == 10 || (32...126).contains($0) }, "\(wait)")
    }
    try expect("the server uses TLS", from: "127.0.0.1:\(secure.port)")
    try expect("the server does not use TLS", from: "127.0.0.1:\(plain.port)", trust)
    try expect("leave out http://", from: "http://127.0.0.1:\(plain.port)")
    try expect("the key health", from: "http://127.0.0.1:\(secure.port)")
    try expect("is this the address for clients", from: "127.0.0.1:\(health)")
    let status = try Joulebook.run([
      "admin", "status", "--data", secure.data, "--connect", "127.0.0.1:\(secure.port)",
    ])
    #expect(status.status == 69 && status.errors.contains("the server uses TLS"), "\(status)")
    let other = try Joulebook.run(
      ["admin", "status", "--data", plain.data, "--connect", "127.0.0.1:\(plain.port)"] + trust)
    #expect(other.status == 69 && other.errors.contains("does not use TLS"), "\(other)")
    #expect(secure.stop() == 0 && plain.stop() == 0)
  }

  @Test("OpenSSL's client can negotiate TLS 1.3 and no older version.")
  func foreignClient() throws {
    let folder = try TemporaryFolder()
    let identity = try Identity(in: folder)
    let server = try ServerProcess(data: folder.path + "/data", options: identity.settings)
    let connect = [
      "openssl", "s_client", "-connect", "127.0.0.1:\(server.port)", "-CAfile",
      identity.certificate,
    ]
    let modern = try Script.run("/usr/bin/env", connect)
    #expect(modern.output.contains("TLSv1.3"), "\(modern.output)")
    #expect(modern.output.contains("Verify return code: 0 (ok)"), "\(modern.output)")
    let old = try Script.run("/usr/bin/env", connect + ["-tls1_2"])
    #expect(old.status != 0 && old.output.contains("protocol version"), "\(old.output)")
    #expect(server.stop() == 0)
  }

  @Test("Python's ssl module talks to it, and is answered in the protocol.")
  func python() throws {
    let folder = try TemporaryFolder()
    let identity = try Identity(in: folder)
    let server = try ServerProcess(data: folder.path + "/data", options: identity.settings)
    let script = """
      from socket import create_connection
      from ssl import create_default_context
      from struct import pack, unpack_from
      context = create_default_context(cafile="\(identity.certificate)")
      plain = create_connection(("127.0.0.1", \(server.port)))
      with context.wrap_socket(plain, server_hostname="127.0.0.1") as secure:
          print(secure.version())
          print("template", unpack_from("<H", secure.recv(4096), 6)[0], "comes first")
          secure.sendall(pack("<HH", 7, 0xEB50) + bytes(28))
          answer = secure.recv(4096)
          print("template", unpack_from("<H", answer, 6)[0], "ends", secure.recv(1) == b"")
      """
    let answer = try Script.run("/usr/bin/env", ["python3", "-c", script])
    #expect(answer.output == "TLSv1.3\ntemplate 15 comes first\ntemplate 12 ends True\n")
    #expect(server.stop() == 0)
  }

  @Test("Handshakes beyond those of a second wait, and are done then.")
  func delayedHandshakes() throws {
    let folder = try TemporaryFolder()
    let identity = try Identity(in: folder)
    let server = try ServerProcess(
      data: folder.path + "/data", options: identity.settings + ["--set", "tls.handshakes=2"])
    let village = Village()
    for _ in 0..<5 {
      let client = try connect(village, server, trusting: identity.certificate)
      try client.requestStatus(withStateHash: false)
      try client.wait { if case .status = $0 { () } else { nil } }
      client.close()
    }
    #expect(server.stop() == 0)
  }

  @Test("Plain TCP where others can reach it is refused, unless it is asked for.")
  func plainAbroad() throws {
    let folder = try TemporaryFolder()
    for address in ["0.0.0.0:0", "[::]:0"] {
      let run = try Joulebook.run(["serve", "--data", folder.path + "/no", "--listen", address])
      #expect(run.status == 78)
      #expect(
        run.errors.contains("tls.certificate") && run.errors.contains("--insecure"), "\(run.errors)"
      )
    }
    for options in [["--insecure"], ["--set", "insecure=true"]] {
      let server = try ServerProcess(
        data: folder.path + "/data",
        options: options + ["--set", "listen=0.0.0.0:0", "--set", "capacity.orders=4096"])
      #expect(server.stop() == 0)
    }
    let identity = try Identity(in: folder)
    let secured = try ServerProcess(
      data: folder.path + "/secured", options: identity.settings + ["--set", "listen=0.0.0.0:0"])
    #expect(secured.stop() == 0)
  }

  @Test("With unusable certificates the server does not start and gives the reason.")
  func unusable() throws {
    let folder = try TemporaryFolder()
    let (identity, other) = (
      try Identity(in: folder), try Identity(in: folder, name: "other")
    )
    let expired = folder.path + "/expired.pem"
    try Self.expired.write(toFile: expired, atomically: true, encoding: .utf8)
    let missing = folder.path + "/missing.pem"
    for (certificate, key, reason) in [
      (missing, identity.key, "missing.pem cannot be read: No such file or directory"),
      (identity.certificate, missing, "missing.pem cannot be read: No such file or directory"),
      (expired, identity.key, "expired.pem has expired"),
      (identity.key, identity.key, "contains no certificate"),
      (identity.certificate, other.key, "does not contain the private key of"),
      (identity.certificate, "", "set both certificate and key, or neither"),
    ] {
      let run = try Joulebook.run([
        "serve", "--data", folder.path + "/data", "--listen", "127.0.0.1:0", "--set",
        "tls.certificate=\(certificate)", "--set", "tls.key=\(key)",
      ])
      #expect(run.status != 0)
      #expect(run.errors.contains(reason), "\(run.errors)")
    }
  }
}
