import Testing

@Suite("Worked examples of the rule page")
struct WorkedExampleTests {
  @Test("Ana, Ben and Cy: waiting, overlapping, covered by a meter, trading at the resting price.")
  func anaBenAndCy() {
    expect(
      """
      meter ben +9kWh ->
      meter cy +2kWh ->
      enter A1 ana ask 5kWh @ 0.10 -> accepted A1 waiting 5kWh energy
      enter B1 ben bid 3kWh @ 0.12 -> accepted B1 live 1kWh waiting 2kWh headroom
      enter C1 cy ask 2kWh @ 0.11 -> accepted C1 live 2kWh; trade C1 B1 1kWh @ 0.12
      meter ana +4kWh -> restated A1 live 4kWh waiting 1kWh energy
      meter ben -2kWh -> restated B1 live 2kWh; trade A1 B1 2kWh @ 0.10
      """)
  }
}
