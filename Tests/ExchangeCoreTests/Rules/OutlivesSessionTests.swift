import Testing

@Suite("Rule 2: orders that outlive their session")
struct OutlivesSessionTests {
  @Test("When a session is lost its orders are cancelled, except those entered to outlive it.")
  func stands() {
    expect(
      """
      session 6 of 1 roles 1 by 0 ->
      enter A1 ana bid 1kWh @ 0.10 by 6 -> accepted A1 live 1kWh
      enter A2 ana bid 1kWh @ 0.09 outlivesSession by 6 -> accepted A2 live 1kWh
      enter A3 ana ask 1kWh @ 0.20 outlivesSession post by 6 -> accepted A3 waiting 1kWh energy
      lost 6 1 by 0 -> canceled A1 1kWh disconnect
      order A2 -> live 1kWh
      lost 6 2 by 0 ->
      cancel A2 for ana -> canceled A2 1kWh user
      order A3 -> waiting 1kWh energy
      """)
  }

  @Test("Such an order also stays after a replace and after partial trades.")
  func replaced() {
    expect(
      """
      session 6 of 1 roles 1 by 0 ->
      enter A1 ana bid 4kWh @ 0.09 show 1kWh outlivesSession by 6 -> accepted A1 live 4kWh; shown A1 1kWh/1kWh
      replace A1 5kWh @ 0.10 for ana by 6 -> replaced A1 live 5kWh; shown A1 1kWh/1kWh
      lost 6 1 by 0 ->
      order A1 -> live 5kWh
      """)
  }

  @Test("On behalf of another session, it outlives that one.")
  func onBehalf() {
    expect(
      """
      session 6 of 1 roles 1 by 0 ->
      enter A1 ana bid 1kWh @ 0.09 outlivesSession behalf 6 -> accepted A1 live 1kWh
      enter A2 ana bid 1kWh @ 0.08 behalf 6 -> accepted A2 live 1kWh
      lost 6 1 by 0 -> canceled A2 1kWh disconnect
      order A1 -> live 1kWh
      """)
  }

  @Test("Every other cancel applies to it: mass cancel, operator, close.")
  func otherwise() {
    expect(
      """
      enter A1 ana bid 1kWh @ 0.09 outlivesSession -> accepted A1 live 1kWh
      mass ana -> canceled A1 1kWh mass; massCanceled 1
      enter A2 ana bid 1kWh @ 0.09 outlivesSession -> accepted A2 live 1kWh
      cancelOrders participant 1 -> canceled A2 1kWh mass
      enter A3 ana bid 1kWh @ 0.09 outlivesSession -> accepted A3 live 1kWh
      close 1 -> canceled A3 1kWh closed
      """)
  }
}
