import Testing

@Suite("Rule 5: self-trade prevention among the accounts of a participant")
struct ParticipantSelfTradeTests {
  private static let chosen =
    "registerSession session 1 participant 1 roles trading+metering+administration publicKey "
    + String(repeating: "0", count: 64) + " selfTrade participant ->\n"

  @Test("Orders of a session that chose it do not trade with other accounts of the participant.")
  func newer() {
    expect(
      Self.chosen
        + """
        meter ana +3kWh ->
        meter eva +3kWh ->
        enter A1 ana ask 1kWh @ 0.10 -> accepted A1 live 1kWh
        enter E1 eva ask 1kWh @ 0.11 by 2 -> accepted E1 live 1kWh
        enter B1 ben bid 1kWh @ 0.11 -> accepted B1 live 1kWh; canceled B1 1kWh selfTrade
        enter B2 ben bid 1kWh @ 0.11 stp older
          ; accepted B2 live 1kWh; canceled A1 1kWh selfTrade; trade E1 B2 1kWh @ 0.11
        """.replacing("\n  ; ", with: " -> "))
  }

  @Test("A session whose key is replaced keeps its choice unless another one is made.")
  func unchanged() {
    let again =
      "registerSession session 1 participant 1 roles trading+metering+administration publicKey 01"
      + String(repeating: "0", count: 62)
    expect(
      Self.chosen
        + """
        meter ana +3kWh ->
        \(again) selfTrade unchanged ->
        enter A1 ana ask 1kWh @ 0.10 -> accepted A1 live 1kWh
        enter B1 ben bid 1kWh @ 0.10 -> accepted B1 live 1kWh; canceled B1 1kWh selfTrade
        \(again) selfTrade account ->
        enter B2 ben bid 1kWh @ 0.10 -> accepted B2 live 1kWh; trade A1 B2 1kWh @ 0.10
        """)
  }

  @Test("Decrement takes from both accounts; without the choice they trade.")
  func decrement() {
    expect(
      Self.chosen
        + """
        meter ana +3kWh ->
        enter A1 ana ask 3kWh @ 0.10 -> accepted A1 live 3kWh
        enter B1 ben bid 2kWh @ 0.10 stp decrement
          ; accepted B1 live 2kWh; canceled A1 2kWh selfTrade leaving live 1kWh; canceled B1 2kWh selfTrade
        """.replacing("\n  ; ", with: " -> "))
    expect(
      """
      meter ana +3kWh ->
      enter A1 ana ask 1kWh @ 0.10 -> accepted A1 live 1kWh
      enter B1 ben bid 1kWh @ 0.10 -> accepted B1 live 1kWh; trade A1 B1 1kWh @ 0.10
      """)
  }

  @Test("Fill or kill stops before an order of another account of the participant.")
  func fillOrKill() {
    expect(
      Self.chosen + """
        meter ana +3kWh ->
        enter A1 ana ask 1kWh @ 0.10 -> accepted A1 live 1kWh
        enter B1 ben bid 1kWh @ 0.10 fok -> accepted B1 live 1kWh; canceled B1 1kWh fillOrKill
        """)
  }
}
