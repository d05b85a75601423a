import Foundation
import JoulebookClient
import MarketModel
import Testing

/// A market in which a transfer of a certain amount crashes every process that applies it, in debug
/// builds.
private final class PoisonedMarket {
  static let amount: Int64 = 424_242
  let village = Village()
  let data: String
  let environment: [String: String]
  private let folder: TemporaryFolder
  private let assembly: Assembly
  /// Orders whose Accepted the client received.
  private(set) var acknowledged: [OrderId] = []
  /// Position of the session that sent the transfer, and the transfer's sequence number.
  private(set) var position: SessionPosition?
  private(set) var transfer: UInt64 = 0

  enum Assembly: String { case inline, pipelined }

  init(_ variable: String, _ assembly: Assembly = .inline) throws {
    folder = try TemporaryFolder()
    data = folder.path + "/data"
    // Backtraces of the many crashes would only take time.
    environment = [variable: "\(Self.amount)", "SWIFT_BACKTRACE": "enable=no"]
    self.assembly = assembly
  }

  var options: [String] {
    [
      "--set", "capacity.orders=65536", "--set", "journal.segment=4MiB", "--set",
      "assembly=\(assembly.rawValue)",
    ]
  }

  func start(_ more: [String] = [], poisoned: Bool = true) throws -> ServerProcess {
    try ServerProcess(
      data: data, options: options + more, environment: poisoned ? environment : [:])
  }

  /// The output of a start that fails.
  func startToItsEnd(_ more: [String], poisoned: Bool = true) throws -> Joulebook.Result {
    try Joulebook.run(
      ["serve", "--data", data, "--listen", "127.0.0.1:0"] + options + more,
      environment: poisoned ? environment : [:])
  }

  func tool(_ arguments: [String], poisoned: Bool = true) throws -> Joulebook.Result {
    try Joulebook.run(arguments, environment: poisoned ? environment : [:])
  }

  /// Enters Ben's orders and waits for their reports.
  func trade(on server: ServerProcess) throws {
    let client = try village.trader(3, server)
    defer { client.close() }
    for id in UInt64(1)...10 {
      try client.enter(.limit(Village.ben, .buy, kilowattHours: 1, at: Int64(id), id: id))
    }
    try client.flush()
    for _ in 0..<10 {
      acknowledged.append(
        try client.wait { if case .accepted(let report) = $0 { report.order } else { nil } })
    }
  }

  /// Sends 128 cancels and the transfer together, so that the transfer is published to the journal
  /// before it is applied.
  func send(to server: ServerProcess, transferId: UInt64) throws {
    let client = try village.trader(3, server)
    for number in 0..<128 {
      try client.cancel(
        CancelOrder(account: Village.ben, order: OrderId(4_000_000_000 + UInt64(number))))
    }
    transfer = try client.transfer(
      Transfer(
        from: Village.ben, to: Village.ana, asset: .cash, currency: .eur, amount: Self.amount,
        clientOrderId: ClientOrderId(transferId)))
    try client.flush()
    position = client.position
    client.drop()
  }

  /// The line of the note: purpose and command.
  func note() -> (purpose: String, command: UInt64)? {
    guard let text = FileManager.default.contents(atPath: data + "/journal/in-hand") else {
      return nil
    }
    let words = String(decoding: text, as: UTF8.self).split(whereSeparator: \.isWhitespace)
    guard words.count >= 3, let command = UInt64(words[2]) else { return nil }
    return (String(words[0]), command)
  }

  /// The last command of the journal.
  func lastCommand() throws -> UInt64 {
    let words = try tool(["journal", "verify", data]).output.split(separator: " ")
    return try #require(words.count > 1 ? UInt64(words[1]) : nil)
  }

  /// Crashes the server in a command that is durable, which takes a few attempts.
  /// - Returns: the command.
  func endInADurableCommand(_ server: inout ServerProcess) throws -> UInt64 {
    for attempt in UInt64(1)...20 {
      try send(to: server, transferId: 100 + attempt)
      _ = server.waitForExit()
      usleep(10_000)
      let (purpose, command) = try #require(note())
      #expect(purpose == "live")
      if try lastCommand() == command { return command }
      #expect(try lastCommand() < command)
      server = try start()
      #expect(server.log.contains("a command that was never durable"))
      #expect(note() == nil, "a start that got through clears the note")
    }
    struct NeverDurable: Error {}
    throw NeverDurable()
  }

  func expectOpen(_ server: ServerProcess) throws {
    let client = try village.trader(2, server)
    defer { client.close() }
    let status = try village.status(server)
    #expect(Int(status.openOrderCount) >= acknowledged.count)
  }
}

#if DEBUG
  @Suite("A command ends the process", .serialized)
  struct RefuseTests {
    @Test("A command that crashes every start is refused, and no acknowledged command is lost.")
    func goesOnWithout() throws {
      let market = try PoisonedMarket("JOULEBOOK_TEST_TRAP")
      var server = try market.start()
      try market.village.setUp(on: server)
      try market.trade(on: server)
      let command = try market.endInADurableCommand(&server)
      #expect(server.log.contains("ended while it applied command \(command) (live): signal"))
      for _ in 0..<2 {
        #expect(throws: ServerProcess.DidNotStart.self) { try market.start() }
        #expect(try #require(market.note()) == ("live", command))
      }
      #expect(server.log.contains("ended while it applied command \(command) (recovery)"))
      #expect(server.log.contains(" --data \(market.data) --refuse \(command)"))
      let replay = try market.tool(["replay", market.data])
      #expect(replay.status != 0 && replay.errors.contains("command \(command) (replay)"))
      for other in [command - 1, command + 1, 1] {
        let answer = try market.startToItsEnd(["--refuse", "\(other)"])
        #expect(answer.status == 64, "\(answer.errors)")
        #expect(answer.errors.contains("command \(other) cannot be refused"))
      }
      let copy = market.data + " copy"
      try FileManager.default.copyItem(atPath: market.data, toPath: copy)
      server = try market.start(["--refuse", "\(command)"])
      #expect(server.log.contains("ALARM: the exchange skips a refused command"))
      #expect(market.note() == nil)
      try market.expectOpen(server)
      try expectTheClientGoesOn(market, server)
      #expect(server.stop() == 0)
      try expectAllAgree(market, command)
      try expectToolsShowWhatIsWritten(market, command, copy)
      try expectLossOfTheListIsFound(market, command)
    }

    /// `copy` was made before the refusal; its name needs quoting in a shell.
    private func expectToolsShowWhatIsWritten(
      _ market: PoisonedMarket, _ command: UInt64, _ copy: String
    ) throws {
      let diff = try market.tool(["journal", "diff", market.data, copy])
      #expect(diff.status == 0, "\(diff.output)\(diff.errors)")
      #expect(diff.output.contains("differences  0"))
      #expect(diff.output.contains("refused      1: \(command) and none: not the same"))
      let same = try market.tool(["journal", "diff", market.data, market.data])
      #expect(same.status == 0 && !same.output.contains("refused"))
      let export = try market.tool(["journal", "export", market.data]).output
      let marked = export.split(separator: "\r\n").filter { $0.contains("REFUSED") }
      #expect(marked.count == 1 && marked[0].hasPrefix("\(command),"))
      #expect(
        marked.first?.contains("424242") == true || marked.first?.contains("transfer") == true)
      let end = try Joulebook.run(
        ["serve", "--data", copy, "--listen", "127.0.0.1:0"] + market.options,
        environment: market.environment)
      #expect(end.errors.contains(" --data '\(copy)' --refuse \(command)"), "\(end.errors)")
    }

    /// The transfer was rejected, earlier messages have their reports, and the next one is
    /// accepted.
    private func expectTheClientGoesOn(
      _ market: PoisonedMarket, _ server: ServerProcess
    ) throws {
      let client = try market.village.trader(3, server, resume: market.position)
      defer { client.close() }
      var unknown = 0
      let code = try client.wait { event -> RejectCode? in
        guard case .rejected(let rejection) = event else { return nil }
        if rejection.reference == market.transfer { return rejection.code }
        unknown += rejection.code == .unknownOrder ? 1 : 0
        return nil
      }
      #expect(code == .unknownAccount && unknown == 128)
      try client.enter(.limit(Village.ben, .buy, kilowattHours: 1, at: 7, id: 1_000))
      try client.wait { if case .accepted = $0 { () } else { nil } }
    }

    private func expectAllAgree(_ market: PoisonedMarket, _ command: UInt64) throws {
      let data = market.data
      let replay = try market.tool(["replay", data, "--ledger"])
      #expect(replay.status == 0, "\(replay.errors)")
      #expect(replay.output.contains("refused     1: \(command)"))
      let verify = try market.tool(["journal", "verify", data])
      #expect(verify.status == 0 && verify.output.contains("refused    1: \(command)"))
      let inspect = try market.tool(["journal", "inspect", data, "--from", "\(command)"])
      #expect(inspect.output.split(separator: "\n").first?.hasSuffix("REFUSED") == true)
      #expect(try market.tool(["ledger", "verify", "--data", data]).status == 0)
      #expect(try market.tool(["snapshot", data]).status == 0)
      // Once more after the snapshot; refusing a refused command changes nothing.
      let server = try market.start(["--refuse", "\(command)"])
      try market.expectOpen(server)
      #expect(server.stop() == 0)
      #expect(try market.tool(["replay", data, "--ledger"]).status == 0)
      #expect(try market.startToItsEnd(["--refuse", "\(command + 1)"]).status == 64)
    }

    private func expectLossOfTheListIsFound(
      _ market: PoisonedMarket, _ command: UInt64
    ) throws {
      let list = market.data + "/journal/refused"
      try FileManager.default.moveItem(atPath: list, toPath: list + ".away")
      let lost = try Data(contentsOf: URL(fileURLWithPath: list + ".away"))
      // The snapshot contains the refusal: every tool reports it, and a start restores it.
      let tools = [
        ["journal", "verify"], ["journal", "inspect"], ["journal", "export"], ["replay"],
        ["snapshot"], ["journal", "prune", "--keep", "1"],
      ]
      for tool in tools {
        let answer = try market.tool(tool + [market.data], poisoned: false)
        #expect(answer.status == 65 && answer.errors.contains("lacks command \(command)"))
      }
      let server = try market.start()
      #expect(server.log.contains("restored from a snapshot"))
      #expect(server.stop() == 0)
      #expect(try market.tool(["replay", market.data, "--ledger"]).status == 0)
      try #expect(Data(contentsOf: URL(fileURLWithPath: list)) == lost)
      try FileManager.default.removeItem(atPath: list)
      // Without any list, the hash of the next checkpoint differs.
      let names = try FileManager.default.contentsOfDirectory(atPath: market.data + "/journal")
      for name in names where name.hasSuffix(".snapshot") {
        try FileManager.default.removeItem(atPath: market.data + "/journal/" + name)
      }
      let replay = try market.tool(["replay", market.data], poisoned: false)
      #expect(replay.status == 70 && replay.errors.contains("list of refused commands"))
      try Data("joulebook refused".utf8).write(to: URL(fileURLWithPath: list))
      #expect(try market.tool(["replay", market.data]).status == 65)
      #expect(try market.tool(["journal", "verify", market.data]).status == 65)
      #expect(try market.startToItsEnd([]).status == 65)
      try FileManager.default.removeItem(atPath: list)
      try FileManager.default.moveItem(atPath: list + ".away", toPath: list)
      #expect(try market.tool(["journal", "verify", market.data]).status == 0)
    }

    @Test(
      "A command that never ends is known after kill -ABRT, and not refused once it was applied.",
      arguments: [PoisonedMarket.Assembly.inline, .pipelined])
    fileprivate func hangs(_ assembly: PoisonedMarket.Assembly) throws {
      let market = try PoisonedMarket("JOULEBOOK_TEST_HANG", assembly)
      var server = try market.start()
      try market.village.setUp(on: server)
      try market.trade(on: server)
      var command: UInt64 = 0
      for attempt in UInt64(1)...20 where command == 0 {
        try market.send(to: server, transferId: 100 + attempt)
        usleep(500_000)
        server.signal(SIGABRT)
        #expect(server.waitForExit() == SIGABRT)
        let note = try #require(market.note())
        #expect(note.purpose == "live")
        if try market.lastCommand() == note.command { command = note.command }
        if command == 0 { server = try market.start() }
      }
      try #require(command > 0)
      if assembly == .inline {
        // A command whose effect is in a snapshot was applied there.
        #expect(try market.tool(["snapshot", market.data], poisoned: false).status == 0)
        let answer = try market.startToItsEnd(["--refuse", "\(command)"])
        #expect(answer.status == 64 && answer.errors.contains("snapshot of command \(command)"))
      }
      // A version of the program that can apply the command; then power fails.
      server = try market.start(poisoned: false)
      #expect(market.note() == nil)
      try market.expectOpen(server)
      server.kill()
      let answer = try market.startToItsEnd(["--refuse", "\(command)"], poisoned: false)
      #expect(answer.status == 64, "\(answer.errors)")
      server = try market.start(poisoned: false)
      #expect(server.stop() == 0)
      #expect(try market.tool(["replay", market.data, "--ledger"], poisoned: false).status == 0)
    }
  }
#endif
