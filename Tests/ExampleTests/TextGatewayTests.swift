import Foundation
import JoulebookClient
import MarketModel
import Testing

@Suite("The text gateway, as a process beside the binary one", .serialized)
struct TextGatewayTests {
  /// Orders do not go while a test restarts its server.
  private static let patient = ["--cancel-after", "60000"]

  /// Logs on.
  /// - Returns: The version, and the number of the next report.
  @discardableResult private func logOn(
    _ client: TextClient, _ user: String
  ) throws -> (version: UInt64, next: Int) {
    let words = try client.ask("LOGON \(user)").split(separator: " ").map(String.init)
    try #require(words.count == 7 && words[0] == "OK", "\(words)")
    return (try #require(UInt64(words[4])), try #require(Int(words[6])))
  }

  private func refusal(_ body: () throws(ClientError) -> Client) -> RejectCode? {
    do throws(ClientError) {
      try body().close()
    } catch {
      if case .refused(let code, _) = error { return code }
    }
    return nil
  }

  @Test(
    "Two users and a binary client trade; after kill -9 all reports are sent again.")
  func tradesAndRestart() throws {
    let folder = try TemporaryFolder()
    var server = try TextServer(folder, users: Market.users, options: Self.patient)
    let market = try Market(on: server, folder)
    let (ana, ben) = (try TextClient(server), try TextClient(server))
    let (anas, bens) = (try logOn(ana, "ana secret"), try logOn(ben, "ben hidden"))
    #expect(anas.next == 1 && bens.next == 1)
    let cleo = try market.binary(4, server)
    try enterAndCancel(ana, ben)
    try trade(ana, ben, cleo)
    // These answers come after the reports of all earlier commands.
    for client in [ana, ben] { _ = try client.ask("STATE 1") }
    let (first, second) = (ana.reports, ben.reports)
    #expect(
      first.contains { $0.contains(" TRADED ") } && second.contains { $0.contains("BALANCE") })
    server.kill()
    server = try TextServer(folder, users: Market.users, options: Self.patient)
    for (user, session, seen) in [("ana secret", anas, first), ("ben hidden", bens, second)] {
      let client = try TextClient(server)
      let again = try logOn(client, user)
      #expect(again.version == session.version && again.next == seen.count + 1)
      #expect(try client.reports("REPORTS 1 \(seen.count)", seen.count) == seen)
      #expect(try client.reports("REPORTS 2 1", 1) == [seen[1]])
      let order = try client.report(of: "BUY 99 1 1000 100")
      #expect(order[1] == "\(again.next)" && order[2] == "ACCEPTED")
    }
    #expect(server.stop() == 0)
  }

  /// A quote follows what Ana enters and cancels.
  private func enterAndCancel(_ ana: TextClient, _ ben: TextClient) throws {
    ben.say("SUBSCRIBE 1")
    #expect(try ben.line(behind: "QUOTE") == "QUOTE 1 bid - 0 ask - 0 live - -")
    let order = try TextClient.value("order", ana.report(of: "BUY 1 1 2000 20000"))
    #expect(try ben.line(behind: "QUOTE") == "QUOTE 1 bid 20000 2000 ask - 0 live 20000 -")
    #expect(
      try ana.ask("STATE \(order)")
        == "STATE order \(order) id 1 buy instrument 1 price 20000 open 2000 live 2000")
    #expect(try ben.ask("STATE \(order)") == "ERROR 6001 0")
    #expect(try ben.report(of: "CANCEL \(order)")[2...3] == ["REJECTED", "6001"])
    let canceled = try ana.report(of: "CANCEL \(order)")
    #expect(canceled[2] == "CANCELED" && canceled.last == "user")
    #expect(try ben.line(behind: "QUOTE") == "QUOTE 1 bid - 0 ask - 0 live - -")
    #expect(try ana.report(of: "BUY 2 1 1000 50")[2...3] == ["REJECTED", "4004"])
  }

  /// Ana buys from Ben and from Cleo, who uses the binary gateway and buys from Ben in turn.
  private func trade(_ ana: TextClient, _ ben: TextClient, _ cleo: Client) throws {
    let order = try TextClient.value("order", ana.report(of: "BUY 3 1 3000 25000"))
    ben.say("SELL 1 1 1000 25000")
    for client in [ana, ben] {
      let report = try client.nextReport("TRADED")
      #expect(try TextClient.value("price", report) == "25000")
      #expect(try TextClient.value("quantity", report) == "1000")
    }
    #expect(try cleo.trade(.limit(12, .sell, 1_000, at: 25_000, id: 1)).quantity.wattHours == 1_000)
    #expect(try TextClient.value("open", ana.nextReport("TRADED")) == "1000")
    #expect(try ana.ask("STATE \(order)").hasSuffix("open 1000 live 1000"))
    let offer = try ben.report(of: "SELL 2 1 2000 30000")
    let bought = try cleo.trade(.limit(12, .buy, 2_000, at: 30_000, id: 2))
    let sold = try ben.nextReport("TRADED")
    #expect(try TextClient.value("trade", sold) == "\(bought.trade.rawValue)")
    #expect(try TextClient.value("order", sold) == TextClient.value("order", offer))
  }

  @Test("One gateway at a time holds a session; its numbers continue in the other one.")
  func eitherGateway() throws {
    let folder = try TemporaryFolder()
    let server = try TextServer(folder, users: Market.users, options: Self.patient)
    let market = try Market(on: server, folder)
    var ana = try TextClient(server)
    let (version, next) = try logOn(ana, "ana secret")
    #expect(try ana.report(of: "BUY 1 1 1000 10000")[1] == "1" && next == 1)
    let position = SessionPosition(version: version, nextSequence: 1, nextReport: 1)
    #expect(
      refusal { () throws(ClientError) in try market.binary(2, server) } == .alreadyEstablished)
    #expect(
      refusal { () throws(ClientError) in try market.binary(2, server, resume: position) }
        == .alreadyEstablished)
    // It was not disturbed.
    #expect(try ana.report(of: "BUY 2 1 1000 10000")[1] == "2")
    ana.say("QUIT")
    #expect(try ana.line() == nil)
    let binary = try market.binary(2, server, resume: position)
    #expect(binary.nextReport == 3 && binary.nextSequence == 3)
    try binary.enter(.limit(10, .buy, 1_000, at: 10_000, id: 3))
    var accepted: [UInt64] = []
    while accepted.count < 3 {
      try binary.flush()
      let message = try #require(try binary.poll(timeoutMilliseconds: 20_000))
      if case .accepted = message.event { accepted.append(message.sequence) }
    }
    #expect(accepted.sorted() == [1, 2, 3])
    ana = try TextClient(server)
    #expect(try ana.ask("LOGON ana secret") == "ERROR 1008 0")
    binary.close()
    let again = try logOn(ana, "ana secret")
    #expect(again.version == version && again.next == 4)
    let reports = try ana.reports("REPORTS 1 3", 3).map {
      $0.split(separator: " ").map(String.init)
    }
    #expect(try reports.map { try TextClient.value("id", $0) } == ["1", "2", "3"])
    // A command that the binary gateway numbered is not taken for this one's.
    #expect(try ana.report(of: "BUY 4 1 1000 10000")[1...2] == ["4", "ACCEPTED"])
    #expect(server.stop() == 0)
  }

  @Test("Bad input is rejected with a code and changes nothing.")
  func badInput() throws {
    let folder = try TemporaryFolder()
    let server = try TextServer(folder, users: Market.users + ["zoe none 77 10"])
    let market = try Market(on: server, folder)
    let before = try market.status(server, folder)
    let client = try TextClient(server)
    for (line, answer) in [
      ("BUY 1 1 1000 10000", "ERROR 1006 0"), ("LOGON ana", "ERROR 1006 0"),
    ] { #expect(try client.ask(line) == answer, "\(line)") }
    for line in ["LOGON nobody secret", "LOGON zoe none", "LOGON ana wrong"] {
      #expect(try TextClient(server).ask(line) == "ERROR 1002 0", "\(line)")
    }
    #expect(try logOn(client, "ana secret").next == 1)
    for (line, answer) in [
      ("HELLO", "ERROR 2003 0"), ("buy 1 1 1000 10000", "ERROR 2003 0"),
      ("BUY 1 1 1000", "ERROR 2003 0"), ("BUY 1 1 1000 10000 now", "ERROR 2003 0"),
      ("BUY x 1 1000 10000", "ERROR 2006 1"), ("BUY 1 -1 1000 10000", "ERROR 2006 2"),
      ("SELL 1 1 1e3 10000", "ERROR 2006 3"), ("SELL 1 1 1000 0.1", "ERROR 2006 4"),
      ("SELL 1 1 1000 9223372036854775808", "ERROR 2006 4"), ("CANCEL \u{e9}", "ERROR 2006 1"),
      ("REPORTS 1 1", "ERROR 1016 0"), ("REPORTS 0 0", "ERROR 1016 0"),
      ("REPORTS 1 1001", "ERROR 1017 1000"), ("QUOTE 9", "ERROR 4001 0"),
      ("STATE 4294967297", "ERROR 6001 0"), ("LOGON ben hidden", "ERROR 1008 0"),
    ] { #expect(try client.ask(line) == answer, "\(line)") }
    // One of two connections has a session.
    #expect(try TextClient(server).ask("LOGON ana secret") == "ERROR 1008 0")
    // An empty line, one that ends as telnet's do, and one in two pieces.
    client.send("\r\nSTATE 1\r\nSTA")
    client.send("TE 1\n")
    #expect(try [client.line(), client.line()] == ["ERROR 6001 0", "ERROR 6001 0"])
    let after = try market.status(server, folder)
    #expect(after.openOrderCount == 0 && after.tradeCount == before.tradeCount)
    client.send(String(repeating: "x", count: 256) + "\n")
    #expect(try client.line() == "ERROR 2003 0")
    client.send(String(repeating: "x", count: 257))
    #expect(try [client.line(), client.line()] == ["ERROR 2001 256", nil])
    let next = try TextClient(server)
    #expect(try logOn(next, "ana secret").next == 1)
    // Input after the end of a connection is not read.
    next.say(String(repeating: "x", count: 257), "LOGON ana secret")
    #expect(try [next.line(), next.line()] == ["ERROR 2001 256", nil])
    #expect(try TextClient(server).ask("LOGON ana secret").hasPrefix("OK"))
  }

  @Test(
    "Too many lines a second are refused, far too many end it; so does a wrong password.")
  func floods() throws {
    let folder = try TemporaryFolder()
    let server = try TextServer(folder, users: Market.users)
    _ = try Market(on: server, folder)
    let client = try TextClient(server)
    try logOn(client, "ana secret")
    // However the seconds fall, two of them take 200.
    client.send(String(repeating: "STATE 1\n", count: 300))
    let answers = try (0..<300).map { _ in try client.line() }
    #expect(Set(answers) == ["ERROR 6001 0", "ERROR 9003 100"])
    client.send(String(repeating: "STATE 1\n", count: 3_000))
    #expect(try client.line(behind: "ERROR 9004") == "ERROR 9004 1000")
    #expect(try client.line() == nil)
    let guesser = try TextClient(server)
    #expect(try guesser.ask("LOGON ben guess") == "ERROR 1002 0")
    #expect(try guesser.line() == nil, "one guess a connection")
    #expect(try TextClient(server).ask("LOGON nobody hidden") == "ERROR 1002 0")
    #expect(try TextClient(server).ask("LOGON ben hidden").hasPrefix("OK"))
  }

  @Test("Guesses are limited by address, on however many connections; other addresses are not.")
  func guesses() throws {
    let folder = try TemporaryFolder()
    let server = try TextServer(folder, users: Market.users)
    _ = try Market(on: server, folder)
    for _ in 0..<10 {
      #expect(try TextClient(server, source: 2).ask("LOGON ben guess") == "ERROR 1002 0")
    }
    #expect(try TextClient(server, source: 2).ask("LOGON ben hidden").hasPrefix("ERROR 1022 "))
    #expect(try TextClient(server, source: 3).ask("LOGON ben hidden").hasPrefix("OK"))
  }

  @Test(
    "Orders are cancelled when their user disconnects; on SIGTERM connected users get a message.")
  func disconnect() throws {
    let folder = try TemporaryFolder()
    let server = try TextServer(folder, users: Market.users, options: ["--cancel-after", "0"])
    let market = try Market(on: server, folder)
    let ben = try TextClient(server)
    try logOn(ben, "ben hidden")
    ben.say("SUBSCRIBE 1")
    _ = try ben.line(behind: "QUOTE")
    var ana: TextClient? = try TextClient(server)
    try logOn(#require(ana), "ana secret")
    #expect(try ana?.report(of: "BUY 1 1 1000 10000")[2] == "ACCEPTED")
    #expect(try ben.line(behind: "QUOTE") == "QUOTE 1 bid 10000 1000 ask - 0 live 10000 -")
    ana = nil
    #expect(try ben.line(behind: "QUOTE") == "QUOTE 1 bid - 0 ask - 0 live - -")
    let back = try TextClient(server)
    #expect(try logOn(back, "ana secret").next == 3)
    #expect(try back.reports("REPORTS 2 1", 1)[0].hasSuffix("reason disconnect"))
    // A connected user whose session is revoked gets an error and is disconnected.
    let operatorClient = try market.operatorClient(server, folder)
    try operatorClient.settle(
      operatorClient.submit(
        .reference(
          .registerSession(
            RegisterSession(
              session: SessionId(2), participant: ParticipantId(2), roles: [],
              publicKey: PublicKey(market.key.publicKey))))))
    operatorClient.close()
    #expect(try [back.line(), back.line()] == ["ERROR 1001 0", nil])
    #expect(try TextClient(server).ask("LOGON ana secret") == "ERROR 1002 0")
    #expect(server.stop() == 0)
    #expect(try [ben.line(), ben.line()] == ["ERROR 1012 0", nil])
  }

  @Test("Errors in the command line are reported.")
  func commandLine() throws {
    let folder = try TemporaryFolder()
    let users = folder.path + "/users"
    try "ana secret 2\n".write(toFile: users, atomically: true, encoding: .utf8)
    let help = try Program.run("text-gateway", ["--help"])
    #expect(help.status == 0 && help.text.contains("--users"))
    for (arguments, complaint) in [
      (["--data", folder.data], "--users"),
      (["--data", folder.data, "--users", users], "`ana secret 2`"),
      (
        ["--data", folder.data, "--users", users, "--text", "here"],
        "here is not an address and port"
      ),
      (["--data", folder.data, "--users", folder.path + "/none"], "none"),
    ] {
      let result = try Program.run("text-gateway", arguments)
      #expect(result.status != 0 && result.text.contains(complaint), "\(result)")
    }
    #expect(!FileManager.default.fileExists(atPath: folder.data))
  }
}
