import ExchangeCore
import MarketModel
import Testing

// Section 7, "Local before grid": a reading trades with neighbours before it trades with the grid.

@Suite("Rule 7: local before grid")
struct LocalTradeTests {
  /// The grid pays 0.08 and charges 0.32; a lot of 1 Wh, no fees; two firms.
  static let world = """
    rules 6 by 0
    participant 1 by 0
    participant 2 by 0
    session 1 of 1 roles 7 by 0
    session 2 of 2 roles 1 by 0
    area 1 cost 1800.00 price 200.00 feedin 0.08 retail 0.32
    spot 1 lot 1Wh
    account ana of 1
    account ben of 1
    account cy of 1
    account dee of 1
    account eva of 2
    deposit ana 1000.00
    deposit ben 1000.00
    deposit cy 1000.00
    deposit dee 1000.00
    register ana ana power 1000000000
    register ben ben power 1000000000
    register cy cy power 1000000000
    register dee dee power 1000000000
    register eva eva power 1000000000
    """

  @Test("A lack is bought from the cheapest live ask before anything is imported.")
  func lack() {
    expect(
      """
      meter ana +3kWh after 900s ->
      enter A1 ana ask 3kWh @ 0.10 -> accepted A1 live 3kWh
      meter ben +500Wh ->
      meter ben -2kWh after 900s -> trade A1 ben 1500Wh @ 0.10; metered bought 1500Wh for 0.15
      balance ben -> 0kWh of 12kWh free 999.85 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      order A1 -> live 1500Wh
      balance ana -> 1500Wh of 12kWh free 1000.15 reserved 0.00 asks 1500Wh/1500Wh bids 0kWh/0kWh
      meter ben -2kWh after 900s -> trade A1 ben 1500Wh @ 0.10; metered bought 1500Wh for 0.15 imported 500Wh for 0.16
      order A1 -> gone
      """, world: Self.world)
  }

  @Test("Only whole lots are traded; the rest is imported.")
  func lots() {
    expect(
      """
      spot 2 lot 1kWh ->
      meter ana +3kWh after 900s ->
      enter A1 ana ask 3kWh @ 0.10 in 2 -> accepted A1 live 3kWh
      meter ben -1500Wh after 900s -> trade A1 ben 1kWh @ 0.10; metered bought 1kWh for 0.10 imported 500Wh for 0.16
      meter ben -999Wh after 900s -> metered imported 999Wh for 0.31968
      """, world: Self.world)
  }

  @Test("A surplus above the cap is sold to the dearest live bid before anything is exported.")
  func surplus() {
    expect(
      """
      enter B1 ben bid 5kWh @ 0.09 -> accepted B1 live 5kWh
      enter C1 cy bid 1kWh @ 0.07 -> accepted C1 live 1kWh
      meter ana +40kWh after 900s -> trade ana B1 5kWh @ 0.09; metered sold 5kWh for 0.45 exported 23kWh for 1.84
      balance ana -> 12kWh of 12kWh free 1002.29 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      balance ben -> 5kWh of 12kWh free 999.55 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      order C1 -> live 1kWh
      """, world: Self.world)
  }

  @Test("What was burned covers no own ask: none of the account's orders is met.")
  func staleOwnAsks() {
    expect(
      """
      meter ana +3kWh after 900s ->
      meter ben +5kWh ->
      enter A1 ana ask 3kWh @ 0.05 -> accepted A1 live 3kWh
      enter B1 ben ask 5kWh @ 0.10 -> accepted B1 live 5kWh
      meter ana -5kWh after 900s -> restated A1 waiting 3kWh energy; trade B1 ana 2kWh @ 0.10; metered bought 2kWh for 0.20
      order A1 -> waiting 3kWh energy
      """, world: Self.world)
  }

  @Test("Own bids are not met either: above the cap there is no headroom.")
  func ownBids() {
    expect(
      """
      enter A1 ana bid 2kWh @ 0.20 -> accepted A1 live 2kWh
      enter B1 ben bid 1kWh @ 0.10 -> accepted B1 live 1kWh
      meter ana +20kWh after 900s -> restated A1 waiting 2kWh headroom; trade ana B1 1kWh @ 0.10; metered sold 1kWh for 0.10 exported 7kWh for 0.56
      """, world: Self.world)
  }

  @Test("An own second account is a neighbour like any other: together they gain nothing.")
  func ownSecondAccount() {
    expect(
      """
      meter ana +3kWh after 900s ->
      enter A1 ana ask 3kWh @ 0.32 -> accepted A1 live 3kWh
      meter ben -4kWh after 900s -> trade A1 ben 3kWh @ 0.32; metered bought 3kWh for 0.96 imported 1kWh for 0.32
      balance ana -> 0kWh of 12kWh free 1000.96 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      balance ben -> 0kWh of 12kWh free 998.72 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      """, world: Self.world)
  }

  @Test("The order of instruments is that of a Wh's cost with the fee, and the grid is the limit.")
  func fees() {
    expect(
      """
      spot 2 lot 1Wh taker 300000 ->
      spot 3 lot 1Wh taker 100000 ->
      meter ana +12kWh after 900s ->
      enter A1 ana ask 1kWh @ 0.10 in 2 -> accepted A1 live 1kWh
      enter A2 ana ask 1kWh @ 0.12 in 1 -> accepted A2 live 1kWh
      enter A3 ana ask 1kWh @ 0.12 in 3 -> accepted A3 live 1kWh
      enter A4 ana ask 1kWh @ 0.25 in 2 -> accepted A4 live 1kWh
      enter A5 ana ask 1kWh @ 0.32 in 1 -> accepted A5 live 1kWh
      meter ben -5kWh after 900s -> trade A2 ben 1kWh @ 0.12; trade A1 ben 1kWh @ 0.10 fees 0.00 0.03; trade A3 ben 1kWh @ 0.12 fees 0.00 0.012; trade A5 ben 1kWh @ 0.32; metered bought 4kWh for 0.702 imported 1kWh for 0.32
      order A4 -> live 1kWh
      """, world: Self.world)
  }

  @Test("Of bids, what a Wh brings after the fee counts; less than the grid pays is passed over.")
  func feesOfSurplus() {
    expect(
      """
      spot 2 lot 1Wh taker 300000 ->
      enter B1 ben bid 1kWh @ 0.11 in 2 -> accepted B1 live 1kWh
      enter B2 ben bid 1kWh @ 0.12 in 2 -> accepted B2 live 1kWh
      enter C1 cy bid 1kWh @ 0.08 -> accepted C1 live 1kWh
      meter ana +20kWh after 900s -> trade ana B2 1kWh @ 0.12 fees 0.036 0.00; trade ana C1 1kWh @ 0.08; metered sold 2kWh for 0.164 exported 6kWh for 0.48
      order B1 -> live 1kWh
      """, world: Self.world)
  }

  @Test("Free cash bounds what is bought, nothing goes below zero for a neighbour; the grid lends.")
  func cash() {
    expect(
      """
      meter ana +6kWh after 900s ->
      enter A1 ana ask 6kWh @ 0.10 -> accepted A1 live 6kWh
      deposit eva 0.25 ->
      meter eva -3kWh after 900s -> trade A1 eva 2500Wh @ 0.10; metered bought 2500Wh for 0.25 imported 500Wh for 0.16
      balance eva -> 0kWh of 12kWh free -0.16 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      meter eva -1kWh after 900s -> metered imported 1kWh for 0.32
      meter eva +14kWh after 900s -> metered exported 2kWh for 0.16
      """, world: Self.world)
  }

  @Test("Cash that orders reserve buys nothing, and an account below zero may sell.")
  func reserved() {
    expect(
      """
      meter ana +6kWh after 900s ->
      enter A1 ana ask 6kWh @ 0.10 -> accepted A1 live 6kWh
      deposit eva 0.30 ->
      enter E1 eva bid 5kWh @ 0.05 by 2 -> accepted E1 live 5kWh
      meter eva -1kWh after 900s -> trade A1 eva 500Wh @ 0.10; metered bought 500Wh for 0.05 imported 500Wh for 0.16
      cancel E1 by 2 -> canceled E1 5kWh user
      meter eva -2kWh after 900s -> trade A1 eva 900Wh @ 0.10; metered bought 900Wh for 0.09 imported 1100Wh for 0.352
      enter B1 ben bid 1kWh @ 0.09 -> accepted B1 live 1kWh
      meter eva +14kWh after 900s -> trade eva B1 1kWh @ 0.09; metered sold 1kWh for 0.09 exported 1kWh for 0.08
      """, world: Self.world)
  }

  @Test("Of an iceberg trades what it displays, then the next order at the price, then the rest.")
  func iceberg() {
    expect(
      """
      meter ana +5kWh after 900s ->
      meter ben +1kWh ->
      enter A1 ana ask 5kWh @ 0.10 show 1kWh -> accepted A1 live 5kWh; shown A1 1kWh/1kWh
      enter B1 ben ask 1kWh @ 0.10 -> accepted B1 live 1kWh
      meter cy -2500Wh after 900s -> trade A1 cy 1kWh @ 0.10; refilled A1 1kWh/1kWh; trade B1 cy 1kWh @ 0.10; trade A1 cy 500Wh @ 0.10; shown A1 500Wh/500Wh; metered bought 2500Wh for 0.25
      """, world: Self.world)
  }

  @Test("Halted instruments, other areas and orders that wait have no part.")
  func notLive() {
    expect(
      """
      area 2 cost 1800.00 price 200.00 feedin 0.08 retail 0.32 ->
      spot 2 in 2 lot 1Wh ->
      register #20 ana in 2 power 1000000000 ->
      meter #20 +3kWh after 900s ->
      enter A1 ana ask 3kWh @ 0.09 in 2 -> accepted A1 live 3kWh
      enter A2 ana ask 3kWh @ 0.09 -> accepted A2 waiting 3kWh energy
      meter ben -1kWh after 900s -> metered imported 1kWh for 0.32
      meter ana +3kWh after 900s -> restated A2 live 3kWh
      halt 1 -> restated A2 waiting 3kWh halted
      meter ben -1kWh after 900s -> metered imported 1kWh for 0.32
      open 1 -> restated A2 live 3kWh
      meter ben -1kWh after 900s -> trade A2 ben 1kWh @ 0.09; metered bought 1kWh for 0.09
      """, world: Self.world)
  }

  @Test("It is on for areas of version 6, and a parameter sets it.")
  func parameter() {
    expect(
      """
      meter ana +3kWh after 900s ->
      enter A1 ana ask 3kWh @ 0.10 -> accepted A1 live 3kWh
      setParameter subject area number 1 parameter localFirst value 0 ->
      meter ben -1kWh after 900s -> metered imported 1kWh for 0.32
      setParameter subject area number 1 parameter localFirst value 2 -> rejected badDefinition 2
      setParameter subject area number 1 parameter localFirst value 1 from 3600 ->
      meter ben -1kWh after 900s -> metered imported 1kWh for 0.32
      meter ben -1kWh after 900s -> trade A1 ben 1kWh @ 0.10; metered bought 1kWh for 0.10
      """, world: Self.world)
    expect(
      """
      setParameter subject area number 1 parameter localFirst value 1 ->
      meter ana +3kWh after 900s ->
      enter A1 ana ask 3kWh @ 0.10 -> accepted A1 live 3kWh
      meter ben -1kWh after 900s -> metered imported 1kWh for 0.32
      rules 6 by 0 ->
      meter ben -1kWh after 900s -> trade A1 ben 1kWh @ 0.10; metered bought 1kWh for 0.10
      """, world: Self.world.replacing("rules 6", with: "rules 5"))
    expect(
      """
      rules 6 by 0 ->
      meter ana +3kWh after 900s ->
      enter A1 ana ask 3kWh @ 0.10 -> accepted A1 live 3kWh
      meter ben -1kWh after 900s -> metered imported 1kWh for 0.32
      """, world: Self.world.replacing("rules 6", with: "rules 5"))
  }

  @Test("What a neighbour receives, its orders and instructions see after the reading.")
  func afterwards() {
    expect(
      """
      meter ana +5kWh after 900s ->
      enter A1 ana ask 5kWh @ 0.10 -> accepted A1 live 5kWh
      enter A2 ana bid 12kWh @ 0.01 -> accepted A2 live 7kWh waiting 5kWh headroom
      agent ben buy 0.05 below 5kWh target 1kWh ->
      meter ben -2kWh after 900s -> trade A1 ben 2kWh @ 0.10; metered bought 2kWh for 0.20; accepted agent.ben live 1kWh; restated A2 live 9kWh waiting 3kWh headroom
      """, world: Self.world)
  }

  @Test(
    "Of many instruments the cheapest ask comes first, whichever has it.",
    arguments: 1...8 as ClosedRange<UInt64>)
  func manyInstruments(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var capacity = Capacity.script
    capacity.instruments = 64
    let instruments = 20 + Int(random.next() % 30)
    let asks = (0..<150).map { number in
      (
        cents: 1 + Int(random.next() % 30),
        instrument: 1 + Int(random.next() % UInt64(instruments)), name: "A\(number)"
      )
    }
    let inOrder = asks.sorted {
      ($0.cents, $0.instrument, $0.name.count, $0.name) < (
        $1.cents, $1.instrument, $1.name.count, $1.name
      )
    }
    func price(_ cents: Int) -> String { "0.\(cents < 10 ? "0" : "")\(cents)" }
    let trades = inOrder.map { "trade \($0.name) ben 10Wh @ \(price($0.cents))" }
    let cost = asks.reduce(0) { $0 + $1.cents }  // Of 10 Wh each: cost / 10,000.
    var decimals = String(String(10_000 + cost % 10_000).dropFirst())
    while decimals.count > 2, decimals.hasSuffix("0") { decimals.removeLast() }
    expect(
      """
      \((2...instruments).map { "spot \($0) lot 1Wh ->" }.joined(separator: "\n"))
      meter ana +2kWh after 900s ->
      \(asks.map { "enter \($0.name) ana ask 10Wh @ \(price($0.cents)) in \($0.instrument) -> accepted \($0.name) live 10Wh" }.joined(separator: "\n"))
      meter ben -1600Wh after 900s -> \(trades.joined(separator: "; ")); metered bought 1500Wh for \(cost / 10_000).\(decimals) imported 100Wh for 0.032
      """, world: Self.world, capacity: capacity)
  }

  @Test("Energy and cash are conserved to the bounds: prices and quantities at their highest.")
  func bounds() {
    expect(
      """
      deposit cy 10000.00 ->
      spot 2 lot 1Wh tick 10000.00 band -10000000.00 10000000.00 taker 500000 ->
      meter ana +12kWh after 900s ->
      enter A1 ana ask 12kWh @ 10000000.00 in 2 -> accepted A1 live 12kWh
      meter ben -12kWh after 900s -> metered imported 12kWh for 3.84
      enter C1 cy bid 1Wh @ -10000000.00 in 2 -> accepted C1 live 1Wh
      meter dee +20kWh after 900s -> metered exported 8kWh for 0.64
      """, world: Self.world)
  }
}
