import JoulebookClient
import MarketModel
import Testing

@Suite("Limits of sessions in the text gateway", .serialized)
struct TextGatewayLimitTests {
  private func limit(_ value: Int64, _ client: Client) throws {
    try client.settle(
      client.submit(
        .reference(
          .setLimit(
            SetLimit(session: SessionId(2), kind: .messagesPerSecond, value: value)))))
  }

  @Test(
    "A session's own limit of messages holds at once, for commands and questions; cancels still go."
  )
  func ownLimit() throws {
    let folder = try TemporaryFolder()
    let server = try TextServer(folder, users: Market.users)
    let market = try Market(on: server, folder)
    let ana = try TextClient(server)
    #expect(try ana.ask("LOGON ana secret").hasPrefix("OK"))
    let order = try TextClient.value("order", ana.report(of: "BUY 1 1 1000 10000"))
    let administrator = try market.operatorClient(server, folder)
    defer { administrator.close() }
    try limit(2, administrator)
    // However the seconds fall, two of them take 4.
    ana.send(String(repeating: "STATE 1\n", count: 9))
    let answers = try (0..<9).map { _ in try ana.line(behind: "ERROR") }
    #expect(Set(answers) == ["ERROR 6001 0", "ERROR 9003 2"])
    ana.send(String(repeating: "BUY 2 1 1500 10000\n", count: 9))
    #expect(try ana.line(behind: "ERROR 9003") == "ERROR 9003 2")
    // Cancels have a limit of their own.
    let cancels = (0..<9).map { _ in "CANCEL \(order)\n" }.joined()
    ana.send(cancels)
    #expect(try ana.nextReport("CANCELED").last == "user")
    try limit(0, administrator)
    ana.send(String(repeating: "STATE 2\n", count: 9))
    for _ in 0..<9 { #expect(try ana.line(behind: "ERROR 6001") == "ERROR 6001 0") }
    #expect(server.stop() == 0)
  }
}
