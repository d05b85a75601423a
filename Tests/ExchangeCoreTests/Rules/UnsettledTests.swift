import ExchangeCore
import MarketModel
import Testing

// Section 16: above a limit of what the ledger has not confirmed, nothing enters that makes it larger without
// energy behind it.

@Suite("Rule 16: what is not settled")
struct UnsettledTests {
  /// The example of the page: ana has sold 2 kWh at 0.10, of which the limit is 0.15.
  private static let over = """
    setParameter subject area number 1 parameter unsettledLimit value 15000000 ->
    meter ana +5kWh ->
    enter B0 ben bid 1kWh @ 0.05 -> accepted B0 live 1kWh
    enter A1 ana ask 2kWh @ 0.10 -> accepted A1 live 2kWh
    enter B1 ben bid 2kWh @ 0.10 -> accepted B1 live 2kWh; trade A1 B1 2kWh @ 0.10
    """

  @Test("Bids and asks that would wait are refused above the limit, with the limit.")
  func refused() {
    expect(
      Self.over + """

        enter B2 ben bid 1kWh @ 0.10 -> rejected unsettledLimit 15000000
        enter B2 ben bid 1kWh @ 0.10 ioc -> rejected unsettledLimit 15000000
        enter A2 ana ask 4kWh @ 0.20 -> rejected unsettledLimit 15000000
        enter A2 cy ask 1kWh @ 0.20 -> rejected unsettledLimit 15000000
        replace B0 1kWh @ 0.04 -> rejected unsettledLimit 15000000
        """)
  }

  @Test("Covered asks, immediate asks, readings, cancels and smaller quantities go on.")
  func goesOn() {
    expect(
      Self.over + """

        enter A2 ana ask 3kWh @ 0.20 -> accepted A2 live 3kWh
        enter A3 ana ask 4kWh @ 0.30 ioc -> accepted A3 waiting 4kWh energy; canceled A3 4kWh immediate
        replace A2 2kWh @ 0.20 -> replaced A2 live 2kWh
        replace A2 2kWh @ 0.25 -> replaced A2 live 2kWh
        replace A2 4kWh @ 0.25 -> rejected unsettledLimit 15000000
        meter ana +1kWh ->
        cancel A2 -> canceled A2 2kWh user
        enter A4 ana ask 1kWh @ 0.05 -> accepted A4 live 1kWh; trade A4 B0 1kWh @ 0.05
        """)
  }

  @Test("A confirmation takes out what its command covers; at the limit all goes on.")
  func confirmed() {
    expect(
      Self.over + """

        settled 1 22 by 0 ->
        enter B2 ben bid 1kWh @ 0.01 -> rejected unsettledLimit 15000000
        settled 2 1000 by 0 ->
        enter B2 ben bid 1kWh @ 0.10 -> accepted B2 live 1kWh
        enter A2 ana ask 1500Wh @ 0.10 -> rejected offLot 1000
        setParameter subject area number 1 parameter unsettledLimit value 10000000 ->
        enter A2 ana ask 1kWh @ 0.10 -> accepted A2 live 1kWh; trade A2 B2 1kWh @ 0.10
        enter B3 ben bid 1kWh @ 0.10 -> accepted B3 live 1kWh
        """)
  }

  @Test("Trades before the limit do not count; a limit of 0 removes it with what was counted.")
  func removed() {
    expect(
      Self.over + """

        setParameter subject area number 1 parameter unsettledLimit value 0 ->
        enter B2 ben bid 1kWh @ 0.10 -> accepted B2 live 1kWh
        setParameter subject area number 1 parameter unsettledLimit value 1 ->
        enter B3 ben bid 1kWh @ 0.01 -> accepted B3 live 1kWh
        setParameter subject area number 1 parameter unsettledLimit value -1 -> rejected badDefinition -1
        """)
  }

  @Test("Above the limit a standing instruction enters no bid.")
  func instruction() {
    expect(
      Self.over + """

        agent cy buy 0.10 below 1kWh target 2kWh ->
        deposit cy 1.00 -> rejected unsettledLimit 15000000
        """)
  }

  @Test("With more trades than parts, a confirmation leaves little of what it covers.")
  func parts() throws {
    var market = Market()
    var sequence: UInt64 = 0
    func apply(_ line: String) throws -> Event? {
      let outcome = market.apply(try StepParser.step(line))
      #expect(outcome.differences.isEmpty, "\(line): \(outcome.differences)")
      sequence += 1
      return outcome.events.first
    }
    for line in Script.lines(Script.village).map(\.action) { _ = try apply(line) }
    _ = try apply(
      "setParameter subject area number 1 parameter unsettledLimit value 1000000000")
    _ = try apply("meter ana +1kWh")
    var commands: [UInt64] = []
    /// Sends 1 kWh to and fro for 0.10 until a bid is refused.
    func trade() throws {
      for number in commands.count..<1_000 {
        let (seller, buyer) = number % 2 == 0 ? ("ana", "ben") : ("ben", "ana")
        _ = try apply("enter A\(number) \(seller) ask 1kWh @ 0.10")
        if case .rejected = try apply("enter B\(number) \(buyer) bid 1kWh @ 0.10") {
          return _ = try apply("cancel A\(number)")
        }
        commands.append(sequence)
      }
    }
    try trade()
    #expect(commands.count == 101)
    _ = try apply("settled 1 \(commands[50]) by 0")
    try trade()
    #expect((145...152).contains(commands.count), "\(commands.count)")
    _ = try apply("settled 2 \(commands[100]) by 0")
    try trade()
    #expect((195...202).contains(commands.count), "\(commands.count)")
    _ = try apply("settled 3 \(sequence) by 0")
    try trade()
    #expect(commands.count > 295)
    #expect(market.exchange.invariantViolations().isEmpty)
  }
}
