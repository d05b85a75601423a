import Testing

// Section 8: the order of an instruction grows with the wish, and thresholds have defaults.

@Suite("Rule 8: instructions that grow")
struct GrowingInstructionTests {
  private static let world =
    "rules 6 by 0\n" + Script.village.replacing("spot 1", with: "spot 1 lot 100Wh")

  @Test("An order for what is missing is entered beside the instruction's own.")
  func grows() {
    expect(
      """
      cap ana 2kWh ->
      agent ana sell 0.10 above 1kWh target 500Wh ->
      meter ana +1500Wh after 900s -> accepted agent.ana live 1kWh
      meter ana +500Wh after 900s -> accepted agent.ana live 500Wh
      book 1 -> ask 0.10 agent.ana 1kWh/1kWh | ask 0.10 agent.ana 500Wh/500Wh
      """, world: Self.world)
  }

  @Test("Gifts of a rival cost no place: the fifth replaces the newest order only.")
  func gifts() {
    expect(
      """
      meter ben +9kWh after 900s ->
      agent ana sell 0.10 above 0kWh target 0kWh ->
      meter ana +1kWh after 900s -> accepted agent.ana live 1kWh
      enter B1 ben ask 1kWh @ 0.10 -> accepted B1 live 1kWh
      send ben ana 100Wh -> accepted agent.ana live 100Wh
      send ben ana 100Wh -> accepted agent.ana live 100Wh
      send ben ana 99Wh ->
      send ben ana 1Wh -> accepted agent.ana live 100Wh
      send ben ana 100Wh -> replaced agent.ana live 200Wh
      send ben ana 700Wh -> replaced agent.ana live 900Wh
      enter C1 cy bid 1kWh @ 0.10 -> accepted C1 live 1kWh; trade agent.ana C1 1kWh @ 0.10
      """, world: Self.world)
  }

  @Test("Another order of the account, on either side of the instrument, keeps it silent.")
  func silent() {
    expect(
      """
      agent ana sell 0.10 above 6kWh target 5kWh ->
      meter ana +7kWh after 900s -> accepted agent.ana live 2kWh
      enter A1 ana bid 100Wh @ 0.01 -> accepted A1 live 100Wh
      meter ana +1kWh after 900s ->
      cancel A1 -> canceled A1 100Wh user
      meter ana +1Wh after 900s -> accepted agent.ana live 1kWh
      """, world: Self.world)
  }

  @Test("What falls stays; what it sells is not entered again.")
  func staysLarger() {
    expect(
      """
      agent ana sell 0.10 above 1kWh target 0kWh ->
      meter ana +4kWh after 900s -> accepted agent.ana live 4kWh
      meter ana -1kWh after 900s -> restated agent.ana live 3kWh waiting 1kWh energy
      enter B1 ben bid 2kWh @ 0.10 -> accepted B1 live 2kWh; trade agent.ana B1 2kWh @ 0.10
      meter ana +5kWh after 900s -> restated agent.ana live 2kWh; accepted agent.ana live 4kWh
      """, world: Self.world)
  }

  @Test("A bid grows too, and is rejected where the cash ends.")
  func buys() {
    expect(
      """
      withdraw eva 999.80 ->
      agent eva buy 0.10 below 5kWh target 5kWh by 2 ->
      meter eva +4kWh after 900s -> accepted agent.eva live 1kWh
      meter eva -500Wh after 900s -> accepted agent.eva live 500Wh
      meter eva -1kWh after 900s -> rejected insufficientCash 5000000
      """, world: Self.world)
  }

  @Test("Without thresholds it sells at three quarters of the cap and buys at a quarter.")
  func defaults() {
    expect(
      """
      setAgent account 1 instrument 1 sells yes buys yes sellPrice 0.20 buyPrice 0.05 sellAbove -1Wh buyBelow -1Wh target 5kWh ->
      meter ana +7499Wh after 900s ->
      meter ana +1Wh after 900s -> accepted agent.ana live 2500Wh
      meter ana -5kWh after 900s ->
      setAgent account 1 instrument 1 sells yes buys yes sellPrice 0.20 buyPrice 0.05 sellAbove -2Wh buyBelow -1Wh target 5kWh -> rejected badAmount 2305843009213693952
      mass ana -> canceled agent.ana 2500Wh mass; massCanceled 1
      deposit ana 0.01 -> accepted agent.ana live 2500Wh
      order agent.ana -> live 2500Wh
      """, world: Self.world)
    expect(
      "setAgent account 1 instrument 1 sells yes sellPrice 0.20 sellAbove -1Wh -> rejected badAmount 2305843009213693952",
      world: Self.world.replacing("rules 6", with: "rules 5"))
  }
}
