import Crypto
import Foundation
import JoulebookClient
import JoulebookServer
import MarketModel
import Testing

@Suite("Keys and numbers, on a real server", .serialized)
struct SessionKeyServerTests {
  private static let options = ["--set", "capacity.orders=4096"]

  private func admin(
    _ arguments: [String], _ server: ServerProcess, key: String? = nil
  ) throws -> Joulebook.Result {
    try Joulebook.run(command(arguments, server.port, server.data, key: key))
  }

  private func command(
    _ arguments: [String], _ port: UInt16, _ data: String, key: String? = nil
  ) -> [String] {
    ["admin"] + arguments + ["--data", data, "--connect", "127.0.0.1:\(port)"]
      + (key.map { ["--key", $0] } ?? [])
  }

  /// Starts the command line without waiting for its end.
  private func start(_ arguments: [String]) throws -> (process: Process, errors: Pipe) {
    let (process, errors) = (Process(), Pipe())
    process.executableURL = URL(fileURLWithPath: Joulebook.path)
    process.arguments = arguments
    process.standardOutput = Pipe()
    process.standardError = errors
    try process.start()
    return (process, errors)
  }

  private func keygen(_ name: String, _ folder: TemporaryFolder) throws -> String {
    let file = folder.path + "/" + name
    #expect(try Joulebook.run(["admin", "keygen", file + ".key"]).status == 0)
    return file
  }

  private func client(_ session: UInt32, _ file: String, _ server: ServerProcess) throws -> Client {
    try Client(
      host: "127.0.0.1", port: server.port,
      credentials: Credentials(session: SessionId(session), keyFile: file + ".key"))
  }

  private func bid(_ client: Client, _ id: UInt64) throws -> RejectCode? {
    let reference = try client.enter(.limit(Village.ana, .buy, kilowattHours: 1, at: 50, id: id))
    return try client.wait { event -> RejectCode?? in
      switch event {
      case .accepted(let report) where report.clientOrderId.rawValue == id: return .some(nil)
      case .rejected(let rejection) where rejection.reference == reference: return rejection.code
      default: return nil
      }
    }
  }

  @Test(
    "A replaced key ends the connection and keeps the orders; a revoked one cancels them if asked.",
    arguments: Configuration.Threading.allCases)
  func keys(assembly: Configuration.Threading) throws {
    let folder = try TemporaryFolder()
    let village = Village()
    var server = try ServerProcess(
      data: folder.path + "/data", options: Self.options, assembly: assembly)
    func restart() throws {
      server.kill()
      server = try ServerProcess(data: server.data, options: Self.options, assembly: assembly)
    }
    try village.setUp(on: server)
    let former = try village.trader(2, server, orders: .canceled(afterMilliseconds: 0))
    #expect(try bid(former, 1) == nil)
    let new = try keygen("new", folder)
    let replaced = try admin(
      ["session", "2", "--participant", "2", "--public-key", new + ".pub", "--role", "trading"],
      server)
    #expect(replaced.status == 0, "\(replaced.errors)")
    #expect(throws: ClientError.terminated(code: .keyChanged, limit: 0)) {
      while try former.poll(timeoutMilliseconds: 5_000) != nil {}
    }
    #expect(throws: ClientError.refused(code: .badSignature, limit: 0)) {
      try village.trader(2, server)
    }
    #expect(try village.status(server).openOrderCount == 1)
    try restart()
    #expect(try village.status(server).openOrderCount == 1, "also behind a restart")
    #expect(throws: ClientError.refused(code: .badSignature, limit: 0)) {
      try village.trader(2, server)
    }
    let back = try client(2, new, server)
    #expect(try bid(back, 2) == nil)
    let revoked = try admin(["session", "2", "--revoke"], server)
    #expect(revoked.status == 0, "\(revoked.errors)")
    #expect(throws: ClientError.terminated(code: .unknownSession, limit: 0)) {
      while try back.poll(timeoutMilliseconds: 5_000) != nil {}
    }
    #expect(try village.status(server).openOrderCount == 0)
    try restart()
    #expect(throws: ClientError.refused(code: .badSignature, limit: 0)) {
      try client(2, new, server)
    }
    #expect(server.stop() == 0)
    #expect(server.log.contains("ends: its key was replaced"), "\(server.log)")
    #expect(server.log.contains("ends: it was revoked"), "\(server.log)")
    let replay = try Joulebook.run(["replay", server.data, "--ledger"])
    #expect(replay.status == 0, "\(replay.errors)")
  }

  @Test("What the exchange refuses is said with code and remedy.")
  func rejects() throws {
    let folder = try TemporaryFolder()
    let village = Village()
    let server = try ServerProcess(data: folder.path + "/data", options: Self.options)
    try village.setUp(on: server)
    let ana = try village.trader(2, server)
    #expect(try bid(ana, 1) == nil)
    let file = try keygen("some", folder) + ".pub"
    for (arguments, words) in [
      (
        ["session", "2", "--participant", "3", "--public-key", file, "--role", "trading"],
        "9020 sessionOfAnother: session 2 is participant 2's for ever"
      ),
      (["session", "1", "--revoke"], "9021 lastAdministrator"),
      (["session", "9", "--revoke"], "name its --participant"),
      (["reset-numbers", "session", "9"], "1001 unknownSession"),
      (["reset-numbers", "account", "99"], "3002 unknownAccount"),
      (["reset-numbers", "account", "10"], "9023 accountHasOrders: account 10 has 1 open orders"),
    ] {
      let result = try admin(arguments, server)
      #expect(result.status == 77 && result.errors.contains(words), "\(result.errors)")
    }
    for (arguments, words) in [
      (["session", "2", "--participant", "2", "--public-key", file], "--revoke"),
      (["session", "2", "--revoke", "--role", "trading"], "omit --role"),
      (["session", "2", "--public-key", file, "--role", "trading"], "--participant"),
      (["session", "2", "--participant", "2", "--role", "trading"], "keygen"),
    ] {
      let result = try admin(arguments, server)
      #expect(result.status == 64 && result.errors.contains(words), "\(result.errors)")
    }
    #expect(server.stop() == 0)
  }

  @Test("Used-up numbers are opened again, and stay so behind a kill.")
  func numbers() throws {
    let folder = try TemporaryFolder()
    let village = Village()
    var server = try ServerProcess(data: folder.path + "/data", options: Self.options)
    try village.setUp(on: server)
    var ana = try village.trader(2, server)
    #expect(try bid(ana, .max) == .clientOrderIdTooHigh)
    #expect(try bid(ana, 1 << 62 + 1) == .clientOrderIdTooHigh)
    #expect(try bid(ana, 1 << 62) == nil)
    #expect(try bid(ana, 7) == .duplicateClientOrderId)
    try ana.cancel(
      CancelOrder(account: Village.ana, order: .null, clientOrderId: ClientOrderId(1 << 62)))
    try ana.wait { if case .canceled = $0 { () } else { nil } }
    for subject in [["account", "10"], ["session", "2"]] {
      let reset = try admin(["reset-numbers"] + subject, server)
      #expect(reset.status == 0, "\(reset.errors)")
    }
    #expect(throws: ClientError.terminated(code: .versionReset, limit: 0)) {
      while try ana.poll(timeoutMilliseconds: 5_000) != nil {}
    }
    server.kill()
    server = try ServerProcess(data: server.data, options: Self.options)
    ana = try village.trader(2, server)
    #expect(try bid(ana, 1) == nil)
    #expect(try bid(ana, 1) == .duplicateClientOrderId)
    ana.close()
    #expect(server.stop() == 0)
    #expect(try Joulebook.run(["replay", server.data, "--ledger"]).status == 0)
  }

  @Test("Who owns the data folder gives the operator another key, and the log has an alarm.")
  func recovery() throws {
    let folder = try TemporaryFolder()
    let data = folder.path + "/data"
    let new = try keygen("new", folder)
    let early = try Joulebook.run([
      "serve", "--data", data, "--listen", "127.0.0.1:0", "--recover-operator", new + ".pub",
    ])
    #expect(early.status == 78 && early.errors.contains("has no operator yet"), "\(early.errors)")
    var server = try ServerProcess(data: data, options: Self.options)
    #expect(server.stop() == 0)
    let recover = Self.options + ["--recover-operator", new + ".pub"]
    server = try ServerProcess(data: data, options: recover)
    #expect(server.log.contains("ALARM: --recover-operator replaced the key"), "\(server.log)")
    server.kill()
    let keys = ["--set", "operator.keys=\(new).pub"]
    server = try ServerProcess(data: data, options: Self.options + keys)
    #expect(try admin(["status"], server, key: new + ".key").status == 0)
    let former = try admin(["status"], server)
    #expect(former.status == 77 && former.errors.contains("1002"), "\(former.errors)")
    #expect(server.stop() == 0)
    #expect(!server.log.contains("operator.keys has no effect"))
    let other = try keygen("other", folder)
    server = try ServerProcess(
      data: data, options: recover + ["--set", "operator.keys=\(other).pub"])
    #expect(server.stop() == 0)
    #expect(server.log.contains("operator.keys has no effect"), "\(server.log)")
    #expect(server.log.contains("--recover-operator was not needed"), "\(server.log)")
    #expect(try Joulebook.run(["replay", data, "--ledger"]).status == 0)
  }

  @Test("Commands with one identity take turns; --wait waits for the server.")
  func turns() throws {
    let folder = try TemporaryFolder()
    let village = Village()
    var server = try ServerProcess(data: folder.path + "/data", options: Self.options)
    try village.setUp(on: server)
    let holder = try village.operatorClient(server)
    let waiting = try start(command(["status"], server.port, server.data))
    sleep(2)
    #expect(waiting.process.isRunning)
    holder.close()
    waiting.process.waitUntilExit()
    let errors = String(
      decoding: waiting.errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    #expect(waiting.process.terminationStatus == 0, "\(errors)")
    #expect(errors.contains("session 1 is in use elsewhere"), "\(errors)")
    let deposits = try (2..<10).map { reference in
      try start(
        command(
          ["deposit", "10", "1", "--reference", "\(100 + reference)"], server.port, server.data))
    }
    for deposit in deposits { deposit.process.waitUntilExit() }
    // References rise, so that a deposit behind a later one is refused by the exchange (77).
    #expect(deposits.allSatisfy { [0, 77].contains($0.process.terminationStatus) })
    let port = server.port
    #expect(server.stop() == 0)
    let patient = try start(command(["status", "--wait"], port, server.data))
    sleep(1)
    #expect(patient.process.isRunning)
    server = try ServerProcess(
      data: server.data, options: Self.options + ["--listen", "127.0.0.1:\(port)"])
    patient.process.waitUntilExit()
    #expect(patient.process.terminationStatus == 0)
    #expect(server.stop() == 0)
  }
}
