import Testing

@Suite("Rule 13: blocks")
struct BlockTests {
  // ana (1) and ben (2) are participant 1's, eva (5) is participant 2's; session 1 is participant
  // 1's and has all roles, session 2 trades for participant 2.

  @Test("A blocked account enters nothing; its orders and instructions are cancelled.")
  func account() {
    expect(
      """
      enter A1 ana bid 2kWh @ 0.10 -> accepted A1 live 2kWh
      agent ana buy 0.05 below 1kWh target 5kWh ->
      deposit ana 1.00 -> 
      enter B1 ben bid 1kWh @ 0.10 -> accepted B1 live 1kWh
      setBlock account 1 -> canceled A1 2kWh blocked
      enter A2 ana bid 1kWh @ 0.10 -> rejected blocked 2
      agent ana buy 0.05 below 1kWh target 5kWh -> rejected blocked 2
      send ana ben 1.00 EUR -> rejected blocked 2
      send ben ana 1.00 EUR ->
      enter B2 ben bid 1kWh @ 0.10 -> accepted B2 live 1kWh
      setBlock account 1 releases yes ->
      enter A3 ana bid 1kWh @ 0.10 -> accepted A3 live 1kWh
      """)
  }

  @Test("A block that keeps orders leaves them open; they can be cancelled and lowered.")
  func keeps() {
    expect(
      """
      enter A1 ana bid 2kWh @ 0.10 -> accepted A1 live 2kWh
      enter A2 ana bid 1kWh @ 0.09 -> accepted A2 live 1kWh
      setBlock account 1 keepsOrders yes ->
      replace A1 1kWh @ 0.10 -> replaced A1 live 1kWh
      replace A1 1kWh @ 0.05 -> rejected blocked 2
      replace A1 3kWh @ 0.10 -> rejected blocked 2
      cancel A2 -> canceled A2 1kWh user
      meter eva +1kWh ->
      enter E1 eva ask 1kWh @ 0.10 by 2 -> accepted E1 live 1kWh; trade E1 A1 1kWh @ 0.10
      """)
  }

  @Test("An instruction that is kept sleeps while its account is blocked.")
  func instruction() {
    expect(
      """
      agent ana sell 0.10 above 1kWh target 0kWh ->
      setBlock account 1 keepsOrders yes ->
      meter ana +3kWh ->
      setBlock account 1 releases yes ->
      meter ana +1kWh -> accepted agent.ana live 4kWh
      setBlock account 1 -> canceled agent.ana 4kWh blocked
      setBlock account 1 releases yes ->
      meter ana +1kWh ->
      """)
  }

  @Test("A blocked participant's accounts are all blocked, new ones too.")
  func participant() {
    expect(
      """
      enter A1 ana bid 2kWh @ 0.10 -> accepted A1 live 2kWh
      enter E1 eva bid 1kWh @ 0.05 by 2 -> accepted E1 live 1kWh
      setBlock participant 1 -> canceled A1 2kWh blocked
      enter B1 ben bid 1kWh @ 0.10 -> rejected blocked 1
      account #9 of 1 ->
      enter X #9 bid 1kWh @ 0.10 -> rejected blocked 1
      setBlock account 1 ->
      setBlock participant 1 releases yes ->
      enter B1 ben bid 1kWh @ 0.10 -> accepted B1 live 1kWh
      enter A2 ana bid 1kWh @ 0.10 -> rejected blocked 2
      """)
  }

  @Test("A blocked session enters nothing, nor does another on its behalf; its participant does.")
  func session() {
    expect(
      """
      session 6 of 1 roles 1 ->
      enter A1 ana bid 2kWh @ 0.10 by 6 -> accepted A1 live 2kWh
      enter A2 ana bid 1kWh @ 0.10 -> accepted A2 live 1kWh
      setBlock session 6 -> canceled A1 2kWh blocked
      enter A3 ana bid 1kWh @ 0.10 by 6 -> rejected blocked 3
      enter A4 ana bid 1kWh @ 0.10 behalf 6 -> rejected blocked 3
      session 6 of 1 roles 1 ->
      enter A5 ana bid 1kWh @ 0.10 by 6 -> rejected blocked 3
      enter A6 ana bid 1kWh @ 0.10 -> accepted A6 live 1kWh
      cancel A2 by 6 -> canceled A2 1kWh user
      setBlock session 6 releases yes ->
      enter A7 ana bid 1kWh @ 0.10 by 6 -> accepted A7 live 1kWh
      """)
  }

  @Test("Invalid requests are rejected, with the checks in order.")
  func rejects() {
    expect(
      """
      setBlock account 1 by 2 -> rejected notPermitted 4
      setBlock -> rejected badDefinition
      setBlock account 1 session 1 -> rejected badDefinition 2
      setBlock account 99 -> rejected unknownAccount 16
      setBlock session 9 -> rejected unknownSession
      setBlock participant 9 -> rejected unknownParticipant 4
      """)
  }
}
