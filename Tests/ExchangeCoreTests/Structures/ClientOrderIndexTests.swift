import MarketModel
import Testing

@testable import ExchangeCore

@Suite("Cancelling by client order id")
struct ClientOrderIndexTests {
  @Test("An account is indexed from a cancel with many orders until its last order ends.")
  func lifetime() throws {
    var market = Market()
    market.exchange.shares.walkLength = 64
    for line in Script.lines(Script.village) { _ = market.apply(try StepParser.step(line.action)) }
    func apply(_ line: String) throws -> String {
      let outcome = market.apply(try StepParser.step(line))
      #expect(outcome.differences.isEmpty, "\(line): \(outcome.differences)")
      return market.writer.text(outcome.events)
    }
    for number in 1...65 {
      #expect(try apply("enter A\(number) ana bid 1kWh @ 0.01").hasPrefix("accepted"))
    }
    #expect(market.exchange.shares.clientOrders.count == 0)
    #expect(try apply("cancel A1 byid").hasPrefix("canceled A1 1kWh user"))
    #expect(market.exchange.shares.clientOrders.count == 64)
    #expect(try apply("cancel for ana id 9999") == "rejected unknownOrder")
    #expect(try apply("replace A2 2kWh @ 0.01").hasPrefix("replaced"))
    #expect(try apply("cancel for ana id 2") == "rejected unknownOrder")
    #expect(try apply("cancel A2 byid").hasPrefix("canceled A2 2kWh user"))
    #expect(try apply("enter A66 ana bid 1kWh @ 0.01").hasPrefix("accepted"))
    #expect(market.exchange.shares.clientOrders.count == 64)
    for number in 3...66 {
      #expect(try apply("cancel A\(number) byid").hasPrefix("canceled A\(number) 1kWh user"))
    }
    #expect(market.exchange.shares.clientOrders.count == 0)
    #expect(!market.exchange.shares.accounts[1].isIndexed)
    #expect(market.exchange.invariantViolations().isEmpty)
  }
}
