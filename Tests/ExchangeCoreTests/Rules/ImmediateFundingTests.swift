import Testing

// Section 6, "Immediate orders": what they need when the reservation at their limit does not fit.

@Suite("Rule 6: the cash of immediate orders")
struct ImmediateFundingTests {
  private static let world =
    "rules 6 by 0\n"
    + Script.village.replacing("deposit eva 1000.00", with: "deposit eva 0.98")
    + "\nspot 2 lot 100Wh"

  @Test("A market bid needs what it would trade with costs, not the edge of the band.")
  func market() {
    expect(
      """
      meter ana +2kWh after 900s ->
      enter A1 ana ask 2kWh @ 0.20 in 2 -> accepted A1 live 2kWh
      enter E1 eva bid 1100Wh market ioc in 2 by 2 -> accepted E1 live 1100Wh; trade A1 E1 1100Wh @ 0.20
      balance eva -> 1100Wh of 10kWh free 0.76 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      """, world: Self.world)
    expect(
      """
      meter ana +2kWh after 900s ->
      enter A1 ana ask 2kWh @ 0.20 in 2 -> accepted A1 live 2kWh
      enter E1 eva bid 1100Wh market ioc in 2 by 2 -> rejected insufficientCash 98000000
      """, world: Self.world.replacing("rules 6", with: "rules 5"))
  }

  @Test("A walk that costs more is rejected, with all that it would meet; a resting order too.")
  func tooDear() {
    expect(
      """
      meter ana +9kWh after 900s ->
      enter A1 ana ask 4kWh @ 0.20 -> accepted A1 live 4kWh
      enter A2 ana ask 5kWh @ 0.30 -> accepted A2 live 5kWh
      enter E1 eva bid 6kWh @ 0.50 ioc by 2 -> rejected insufficientCash 98000000
      enter E1 eva bid 6kWh @ 0.50 fok by 2 -> rejected insufficientCash 98000000
      enter E1 eva bid 4kWh @ 0.50 by 2 -> rejected insufficientCash 98000000
      enter E1 eva bid 4kWh @ 0.50 fok by 2 -> accepted E1 live 4kWh; trade A1 E1 4kWh @ 0.20
      enter E2 eva bid 1kWh @ 0.50 ioc by 2 -> rejected insufficientCash 18000000
      enter E2 eva bid 1kWh @ 0.25 ioc by 2 -> accepted E2 live 1kWh; canceled E2 1kWh immediate
      """, world: Self.world)
  }

  @Test("Fees count for each lot, as in a reservation.")
  func fees() {
    expect(
      """
      spot 3 lot 1Wh taker 100000 ->
      meter ana +2kWh after 900s ->
      enter A1 ana ask 2kWh @ 0.50 in 3 -> accepted A1 live 2kWh
      enter E1 eva bid 2kWh market ioc in 3 by 2 -> rejected insufficientCash 98000000
      enter E1 eva bid 1800Wh market ioc in 3 by 2 -> rejected insufficientCash 98000000
      enter E1 eva bid 1781Wh market ioc in 3 by 2 -> accepted E1 live 1781Wh; trade A1 E1 1781Wh @ 0.50 fees 0.00 0.08905
      balance eva -> 1781Wh of 10kWh free 0.00045 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      """, world: Self.world)
  }

  @Test("A seller pays at a price below zero: a walk over bids of a negative price.")
  func seller() {
    expect(
      """
      meter eva +4kWh after 900s ->
      enter A1 ana bid 1kWh @ 0.10 -> accepted A1 live 1kWh
      enter A2 ana bid 2kWh @ -0.40 -> accepted A2 live 2kWh
      enter E1 eva ask 4kWh market ioc by 2 -> accepted E1 live 4kWh; trade E1 A1 1kWh @ 0.10; trade E1 A2 2kWh @ -0.40; canceled E1 1kWh immediate
      balance eva -> 1kWh of 10kWh free 0.28 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      """, world: Self.world)
  }

  @Test("An own order ends the walk, is passed over, or takes from what the order has left.")
  func ownOrders() {
    let before = """
      meter eva +2kWh after 900s ->
      meter ana +5kWh ->
      enter E1 eva ask 2kWh @ 0.20 by 2 -> accepted E1 live 2kWh
      enter A1 ana ask 5kWh @ 0.30 -> accepted A1 live 5kWh
      """
    expect(
      before + """

        enter E2 eva bid 5kWh market ioc by 2 -> accepted E2 live 5kWh; canceled E2 5kWh selfTrade
        enter E3 eva bid 5kWh market ioc stp older by 2 -> rejected insufficientCash 98000000
        enter E3 eva bid 5kWh market ioc stp decrement by 2 -> accepted E3 live 5kWh; canceled E1 2kWh selfTrade; canceled E3 2kWh selfTrade leaving live 3kWh; trade A1 E3 3kWh @ 0.30
        """, world: Self.world)
    expect(
      before + """

        enter E3 eva bid 3kWh market ioc stp older by 2 -> accepted E3 live 3kWh; canceled E1 2kWh selfTrade; trade A1 E3 3kWh @ 0.30
        """, world: Self.world)
  }

  @Test("The limit of cash at risk counts what the walk costs.")
  func cashAtRisk() {
    expect(
      """
      setLimit account 5 kind cashAtRisk value 15000000 ->
      meter ana +2kWh after 900s ->
      enter A1 ana ask 2kWh @ 0.20 in 2 -> accepted A1 live 2kWh
      enter E1 eva bid 1kWh market ioc in 2 by 2 -> rejected cashLimit 15000000
      enter E1 eva bid 700Wh market ioc in 2 by 2 -> rejected cashLimit 15000000
      withdraw eva 0.50 ->
      enter E1 eva bid 700Wh market ioc in 2 by 2 -> accepted E1 live 700Wh; trade A1 E1 700Wh @ 0.20
      """, world: Self.world)
  }
}
