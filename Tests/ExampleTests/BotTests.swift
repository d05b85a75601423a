import Foundation
import JoulebookClient
import MarketModel
import Testing

@Suite("The market-making bot, against a real server", .serialized)
struct BotTests {
  /// The best live prices of both sides, and how much there is.
  private struct Quotes: Equatable, CustomStringConvertible {
    var (bid, bidQuantity, ask, askQuantity): (Int64?, Int64?, Int64?, Int64?)

    init(_ levels: [LevelReport]) {
      let (bids, asks) = (levels.filter { $0.side == .buy }, levels.filter { $0.side == .sell })
      (bid, bidQuantity) = (bids.first?.price.ticks, bids.first?.live.wattHours)
      (ask, askQuantity) = (asks.first?.price.ticks, asks.first?.live.wattHours)
    }

    init(_ bid: Int64?, _ bidQuantity: Int64?, _ ask: Int64?, _ askQuantity: Int64?) {
      (self.bid, self.bidQuantity, self.ask, self.askQuantity) = (
        bid, bidQuantity, ask, askQuantity
      )
    }

    var description: String { "\(bid ?? 0) \(bidQuantity ?? 0), \(ask ?? 0) \(askQuantity ?? 0)" }
  }

  /// Ben, who follows the book, and trades with the bot.
  private final class Ben {
    let client: Client
    private var book = LevelBook(area: AreaId(1))
    private var id: UInt64

    init(_ market: Market, _ server: TextServer) throws {
      client = try market.binary(3, server)
      id = Client.wallClock().nanoseconds
      try client.subscribe(to: AreaId(1), snapshot: .levels)
    }

    /// Waits until the book shows this.
    func sees(_ bid: Int64?, _ bidQuantity: Int64?, _ ask: Int64?, _ askQuantity: Int64?) throws {
      let wanted = Quotes(bid, bidQuantity, ask, askQuantity)
      while !book.isComplete || Quotes(book.depth(of: InstrumentId(1))) != wanted {
        guard let message = try client.poll(timeoutMilliseconds: 20_000) else {
          Issue.record("\(Quotes(book.depth(of: InstrumentId(1)))) and not \(wanted)")
          throw Client.Silence()
        }
        _ = book.take(message)
      }
    }

    func order(_ side: Side, _ wattHours: Int64, at price: Int64, _ life: TimeInForce) -> NewOrder {
      id += 1
      var order = NewOrder.limit(11, side, wattHours, at: price, id: id)
      order.timeInForce = life
      return order
    }

    /// Takes what the bot offers; waits for the trade, and for the price at which it was made.
    func take(_ side: Side, _ wattHours: Int64, at price: Int64) throws {
      try client.enter(order(side, wattHours, at: price, .immediateOrCancel))
      try client.flush()
      var trade: TradeReport?
      while trade == nil {
        let message = try #require(try client.poll(timeoutMilliseconds: 20_000))
        _ = book.take(message)
        if case .trade(let report) = message.event { trade = report }
        if case .canceled = message.event { break }
      }
      #expect(trade?.quantity.wattHours == wattHours && trade?.price.ticks == price)
    }
  }

  private func startBot(_ market: Market, _ server: TextServer, _ folder: TemporaryFolder) throws
    -> Program
  {
    let key = folder.path + "/bot.key"
    let digits = market.key.rawRepresentation.map { String(format: "%02x", $0) }.joined()
    try digits.write(toFile: key, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: key)
    return try Program(
      "market-bot",
      [
        "--port", "\(server.binaryPort)", "--session", "4", "--key", key, "--account", "12",
        "--instrument", "1", "--price", "20000", "--spread", "2000", "--quantity", "2000",
        "--least", "8000", "--most", "12000", "--cancel-after", "60000",
      ])
  }

  @Test("It quotes within its bounds, lives through kill -9 of the server, and ends in order.")
  func quotesThroughKill() throws {
    let folder = try TemporaryFolder()
    var server = try TextServer(folder, users: Market.users)
    let market = try Market(on: server, folder)
    let bot = try startBot(market, server, folder)
    var ben = try Ben(market, server)
    try ben.sees(19_000, 2_000, 21_000, 2_000)
    try ben.take(.buy, 1_000, at: 21_000)
    // With 9 kWh it sells 1 kWh more at most.
    try ben.sees(19_000, 2_000, 21_000, 1_000)
    // It follows others: half way between 18,000 and 25,000.
    try ben.client.enter(ben.order(.buy, 1_000, at: 18_000, .goodTillCancel))
    try ben.client.enter(ben.order(.sell, 1_000, at: 25_000, .goodTillCancel))
    try ben.sees(20_500, 2_000, 22_500, 1_000)
    try ben.client.massCancel(MassCancel(account: AccountId(11)))
    try ben.sees(19_000, 2_000, 21_000, 1_000)
    // The server is killed. What happens before the bot is back it has to ask for.
    bot.signal(SIGSTOP)
    server.kill()
    server = try TextServer(folder, users: Market.users, binaryPort: server.binaryPort)
    ben = try Ben(market, server)
    try ben.sees(19_000, 2_000, 21_000, 1_000)
    try ben.take(.buy, 1_000, at: 21_000)
    bot.signal(SIGCONT)
    let back = try bot.line(behind: "back; ").split(separator: " ")
    #expect(try #require(Int(back[1])) > 0)
    #expect(try bot.line(behind: "TRADE") == "TRADE: sell 1000 Wh at 21000")
    // With 8 kWh it sells no more; with 10 kWh it sells again.
    try ben.take(.sell, 2_000, at: 19_000)
    try ben.sees(19_000, 2_000, 21_000, 2_000)
    #expect(try market.status(server, folder).openOrderCount == 2)
    bot.signal(SIGTERM)
    try bot.line(behind: "stopped with 10000 Wh")
    #expect(bot.wait() == 0)
    try ben.sees(nil, nil, nil, nil)
    #expect(try market.status(server, folder).openOrderCount == 0)
    #expect(server.stop() == 0)
  }

  @Test("What an exchange refuses for good ends it, and so does a key that is not there.")
  func refusals() throws {
    let folder = try TemporaryFolder()
    let server = try TextServer(folder, users: Market.users)
    let arguments = [
      "--port", "\(server.binaryPort)", "--session", "4", "--account", "12", "--instrument", "1",
      "--price", "20000", "--least", "0", "--most", "1000", "--key",
    ]
    let foreign = try Program.run("market-bot", arguments + [folder.data + "/operator.key"])
    #expect(foreign.status != 0 && foreign.text.contains("1002"), "\(foreign)")
    let none = try Program.run("market-bot", arguments + [folder.path + "/none"])
    #expect(none.status != 0 && none.text.contains("none"), "\(none)")
    #expect(server.stop() == 0)
  }
}
