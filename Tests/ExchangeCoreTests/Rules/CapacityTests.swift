import ExchangeCore
import MarketModel
import Testing

@Suite("Rule 11: tables that are full")
struct CapacityTests {
  private func capacity(_ change: (inout Capacity) -> Void) -> Capacity {
    var capacity = Capacity.script
    change(&capacity)
    return capacity
  }

  @Test("A full order pool rejects every order, even one that would trade completely.")
  func orders() {
    expect(
      """
      meter ana +2kWh ->
      enter A1 ana ask 1kWh @ 0.10 -> accepted A1 live 1kWh
      enter A2 ana ask 1kWh @ 0.11 -> accepted A2 live 1kWh
      enter X ben bid 1kWh @ 0.10 ioc -> rejected tooManyOrders 2
      replace A1 1kWh @ 0.12 -> replaced A1 live 1kWh
      cancel A2 -> canceled A2 1kWh user
      enter B1 ben bid 1kWh @ 0.12 -> accepted B1 live 1kWh; trade A1 B1 1kWh @ 0.12
      """, capacity: capacity { $0.orders = 2 })
  }

  @Test("More price levels than indices reach are refused at the start, not mixed up later.")
  func moreLevelsThanIndices() async {
    await #expect(processExitsWith: .failure) {
      var capacity = Capacity.small
      capacity.priceLevels = 1 << 24
      _ = Exchange(capacity: capacity)
    }
  }

  @Test("A full pool rejects a standing instruction's order; the reading takes effect.")
  func instructionWithoutRoom() {
    expect(
      """
      enter B1 ben bid 1kWh @ 0.10 -> accepted B1 live 1kWh
      agent ana sell 0.20 above 1kWh target 0kWh ->
      meter ana +3kWh -> rejected tooManyOrders 1
      balance ana -> 3kWh of 10kWh free 1000.00 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      """, capacity: capacity { $0.orders = 1 })
  }

  @Test("When every price level is in use, orders neither enter nor change price; lowering works.")
  func priceLevels() {
    expect(
      """
      enter A1 ana bid 2kWh @ 0.10 -> accepted A1 live 2kWh
      enter A2 ana bid 2kWh @ 0.11 -> accepted A2 live 2kWh
      enter X ana bid 1kWh @ 0.12 -> rejected capacityExhausted 2
      enter X ana bid 1kWh @ 0.11 -> rejected capacityExhausted 2
      replace A1 2kWh @ 0.12 -> rejected capacityExhausted 2
      replace A1 1kWh @ 0.10 -> replaced A1 live 1kWh
      cancel A2 -> canceled A2 2kWh user
      replace A1 1kWh @ 0.12 -> replaced A1 live 1kWh
      """, capacity: capacity { $0.priceLevels = 2 })
  }

  @Test("A full table of positions: no order, cap, meter, instruction or energy in a new area.")
  func positions() {
    expect(
      """
      area 2 cost 1500.00 price 200.00 ->
      spot 2 in 2 ->
      enter A1 ana ask 1kWh @ 0.10 in 2 -> accepted A1 waiting 1kWh energy
      enter X ben bid 1kWh @ 0.10 in 2 -> rejected capacityExhausted 6
      cap ben 1kWh in 2 -> rejected capacityExhausted 6
      cap ben 1125899906842625Wh in 2 -> rejected badDefinition 1125899906842625
      register #20 ben in 2 -> rejected capacityExhausted 6
      agent ben in 2 sell 0.10 above 1kWh -> rejected capacityExhausted 6
      register #20 ana in 2 ->
      meter #20 +1kWh -> restated A1 live 1kWh
      send ana ben 1kWh in 2 -> rejected capacityExhausted 6
      """, capacity: capacity { $0.positions = 6 })
  }

  @Test("A full table of cash holdings: no deposit or transfer in a new currency.")
  func holdings() {
    expect(
      """
      deposit ana 5.00 CHF ->
      deposit ben 5.00 CHF -> rejected capacityExhausted 6
      send ana ben 5.00 CHF -> rejected capacityExhausted 6
      withdraw ben 5.00 CHF -> rejected insufficientCash
      """, capacity: capacity { $0.positions = 6 })
  }

  @Test("An exchange holds 64 currencies.")
  func currencies() {
    var market = Market(capacity: capacity { $0.positions = 100 })
    for line in Script.lines(Script.village) {
      guard let step = try? StepParser.step(line.action) else { continue }
      _ = market.apply(step)
    }
    func deposit(_ currency: UInt16) -> Step {
      Step(
        .cash(
          .deposit(
            CashMovement(
              account: AccountId(1), currency: Currency(currency), amount: Money(units: 1),
              reference: 0))), countsUp: true)
    }
    for currency in UInt16(1)...63 {
      let outcome = market.apply(deposit(currency))
      #expect(outcome.differences.isEmpty && outcome.events.count > 1, "\(currency)")
    }
    let outcome = market.apply(deposit(64))
    #expect(market.writer.text(outcome.events) == "rejected capacityExhausted 64")
    #expect(outcome.differences.isEmpty)
  }

  @Test("Numbers run from 1 to the capacity given at the start.")
  func numbers() {
    expect(
      """
      participant 4 ->
      participant 5 -> rejected outOfRange 4
      participant 0 -> rejected outOfRange 4
      session 16 of 1 roles 1 ->
      session 17 of 1 roles 1 -> rejected outOfRange 16
      account #16 of 1 ->
      account #17 of 1 -> rejected outOfRange 16
      area 4 cost 1500.00 price 200.00 ->
      area 5 cost 1500.00 price 200.00 -> rejected outOfRange 4
      spot 8 ->
      spot 9 -> rejected outOfRange 8
      register #32 ana ->
      register #33 ana -> rejected outOfRange 32
      """)
  }

  @Test("A drain that reaches its bound raises an alarm; the next one continues.")
  func cascadeBound() {
    expect(
      """
      spot 2 ->
      cap ana 2kWh ->
      meter ana +2kWh ->
      enter A1 ana ask 1kWh @ 0.10 -> accepted A1 live 1kWh
      enter A2 ana bid 1kWh @ 0.05 in 2 -> accepted A2 waiting 1kWh headroom
      enter B1 ben bid 1kWh @ 0.10 -> accepted B1 live 1kWh; trade A1 B1 1kWh @ 0.10
      ; alarm cascadeBound
      order A2 -> waiting 1kWh headroom
      tick 1s -> restated A2 live 1kWh
      tick 1s ->
      """, capacity: capacity { $0.cascadeSteps = 1 })
  }

  @Test("After a drain stops at its bound, queued positions lose excess cover before any trade.")
  func nothingTradesAgainstLostCover() {
    expect(
      """
      spot 2 ->
      cap ben 2kWh ->
      meter ben +2kWh ->
      meter ana +1kWh ->
      enter B1 ben ask 1kWh @ 0.20 -> accepted B1 live 1kWh
      enter B2 ben bid 1kWh @ 0.30 in 2 -> accepted B2 waiting 1kWh headroom
      enter A1 ana ask 1kWh @ 0.25 in 2 -> accepted A1 live 1kWh
      enter C1 cy bid 1kWh @ 0.20 -> accepted C1 live 1kWh; trade B1 C1 1kWh @ 0.20
      ; alarm cascadeBound
      meter ana -1kWh -> restated A1 waiting 1kWh energy; restated B2 live 1kWh
      ; alarm cascadeBound
      tick 1s ->
      balance ana -> 0kWh of 10kWh free 1000.00 reserved 0.00 asks 0kWh/1kWh bids 0kWh/0kWh
      """, capacity: capacity { $0.cascadeSteps = 1 })
  }
}
