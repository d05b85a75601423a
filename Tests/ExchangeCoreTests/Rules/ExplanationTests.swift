import ExchangeCore
import MarketModel
import Testing

@Suite("Rule 12: explained")
struct ExplanationTests {
  @Test("A bid that waits for headroom names the better bids that use it.")
  func waitsForHeadroom() {
    expect(
      """
      cap ben 3kWh ->
      enter B1 ben bid 2kWh @ 0.12 -> accepted B1 live 2kWh
      enter B2 ben bid 2kWh @ 0.11 -> accepted B2 live 1kWh waiting 1kWh headroom
      enter B3 ben bid 1kWh @ 0.10 -> accepted B3 waiting 1kWh headroom
      explain B2 -> waits 1kWh headroom used by B1; behind 2kWh; nothing opposite
      explain B3 -> waits 1kWh headroom used by B1 B2
      """)
  }

  @Test("A live order that does not trade names the best price opposite.")
  func nothingWithinLimit() {
    expect(
      """
      meter ana +1kWh ->
      enter A1 ana ask 1kWh @ 0.20 -> accepted A1 live 1kWh
      enter B1 ben bid 1kWh @ 0.10 -> accepted B1 live 1kWh
      explain B1 -> best opposite 0.20
      explain A1 -> best opposite 0.10
      """)
  }

  @Test("Orders of a halted instrument say so.")
  func halted() {
    expect(
      """
      enter B1 ben bid 1kWh @ 0.10 -> accepted B1 live 1kWh
      halt 1 -> restated B1 waiting 1kWh halted
      explain B1 -> halted
      """)
  }

  @Test("An order that has ended has no explanation.")
  func gone() {
    expect(
      """
      enter B1 ben bid 1kWh @ 0.10 -> accepted B1 live 1kWh
      cancel B1 -> canceled B1 1kWh user
      explain B1 -> none
      """)
  }

  @Test("An explanation visits 4,096 orders and levels at most, and says so.")
  func bounded() throws {
    var exchange = Exchange(capacity: .small)
    var sequence: UInt64 = 0
    func apply(_ body: Command.Body) {
      sequence += 1
      for event in exchange.execute(
        Command(session: .exchange, body: body, sequence: SequenceNumber(sequence)))
      {
        if case .rejected(let rejected) = event { Issue.record("\(rejected)") }
      }
    }
    let account = AccountId(1)
    apply(
      .reference(
        .createParticipant(CreateParticipant(participant: ParticipantId(1), name: .empty))))
    apply(
      .reference(.createAccount(CreateAccount(account: account, participant: ParticipantId(1)))))
    apply(
      .reference(
        .createArea(
          CreateArea(
            area: AreaId(1), currency: .eur, code: .empty, storageCost: Money(units: 3_000),
            storagePrice: Money(units: 20), feedInPrice: .zero, retailPrice: .zero))))
    apply(
      .reference(
        .createInstrument(
          CreateInstrument(
            instrument: InstrumentId(1), area: AreaId(1), symbol: .empty, tick: Price(ticks: 1),
            lot: Energy(wattHours: 1), lowestPrice: .zero, highestPrice: Price(ticks: 9)))))
    func enter(_ side: Side, _ count: Int) {
      for _ in 0..<count {
        apply(
          .enter(
            NewOrder(
              account: account, instrument: InstrumentId(1), side: side,
              clientOrderId: ClientOrderId(sequence), price: .zero,
              quantity: Energy(wattHours: 1))))
      }
    }
    func last() throws -> OrderExplanation {
      let order = exchange.openOrders().last?.order ?? .null
      let explanation = exchange.explain(order)
      return try #require(explanation)
    }
    enter(.buy, 4_097)
    let whole = try last()
    #expect(!whole.isAheadPartial && !whole.hasMoreBlockers)
    #expect(whole.reasons.first == .behind(Energy(wattHours: 4_096)))
    enter(.buy, 1)
    let partial = try last()
    #expect(partial.isAheadPartial && !partial.hasMoreBlockers)
    #expect(partial.reasons.first == .behind(Energy(wattHours: 4_096)))
    enter(.sell, 4_096)
    #expect(try !last().hasMoreBlockers)
    enter(.sell, 1)
    #expect(try last().hasMoreBlockers)
    #expect(try last().reasons == [.awaitingEnergy([])])
  }
}
