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
}
