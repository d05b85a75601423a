import Testing

@Suite("Rule 14: limits")
struct LimitTests {
  // ana (1) and ben (2) are participant 1's, eva (5) is participant 2's.

  @Test("The largest order; also of a replace that loses its place, and of an instruction.")
  func quantity() {
    expect(
      """
      setLimit account 1 kind orderQuantity value 2000 ->
      enter X ana bid 3kWh @ 0.10 -> rejected orderLimit 2000
      enter A1 ana bid 2kWh @ 0.10 -> accepted A1 live 2kWh
      replace A1 3kWh @ 0.10 -> rejected orderLimit 2000
      replace A1 2kWh @ 0.09 -> replaced A1 live 2kWh
      cancel A1 -> canceled A1 2kWh user
      agent ana sell 0.20 above 1kWh target 0kWh ->
      meter ana +3kWh -> rejected orderLimit 2000
      setLimit account 1 kind orderQuantity value 0 ->
      enter A2 ben bid 3kWh @ 0.08 -> accepted A2 live 3kWh
      meter ana +1kWh -> accepted agent.ana live 4kWh
      """)
  }

  @Test("The number of open orders, over all instruments of the account.")
  func openOrders() {
    expect(
      """
      spot 2 ->
      setLimit account 1 kind openOrders value 2 ->
      enter A1 ana bid 1kWh @ 0.10 -> accepted A1 live 1kWh
      enter A2 ana ask 1kWh @ 0.20 in 2 -> accepted A2 waiting 1kWh energy
      enter X ana bid 1kWh @ 0.10 ioc -> rejected openOrderLimit 2
      enter B1 ben bid 1kWh @ 0.10 -> accepted B1 live 1kWh
      replace A1 1kWh @ 0.11 -> replaced A1 live 1kWh
      cancel A2 -> canceled A2 1kWh user
      enter A3 ana bid 1kWh @ 0.10 -> accepted A3 live 1kWh
      """)
  }

  @Test("The notional of a day counts what entered, also when it was cancelled.")
  func notional() {
    expect(
      """
      setLimit account 1 kind dailyNotional value 30000000 ->
      enter A1 ana bid 2kWh @ 0.10 -> accepted A1 live 2kWh
      cancel A1 -> canceled A1 2kWh user
      enter X ana bid 2kWh @ 0.10 -> rejected notionalLimit 30000000
      enter A2 ana bid 1kWh @ 0.05 -> accepted A2 live 1kWh
      replace A2 1kWh @ 0.11 -> rejected notionalLimit 30000000
      replace A2 1kWh @ 0.10 -> replaced A2 live 1kWh
      enter X ana ask 1kWh @ 0.01 -> rejected notionalLimit 30000000
      replace A2 1kWh @ 0.05 -> replaced A2 live 1kWh
      enter X ana ask 1kWh @ 0.01 -> rejected notionalLimit 30000000
      setLimit account 1 kind dailyNotional value 31000000 ->
      enter A3 ana ask 1kWh @ 0.01 -> accepted A3 waiting 1kWh energy
      tick 86400s ->
      enter A4 ana bid 2kWh @ 0.10 -> accepted A4 live 2kWh
      """)
  }

  @Test("The cash that open orders reserve.")
  func cash() {
    expect(
      """
      setLimit account 1 kind cashAtRisk value 30000000 ->
      enter A1 ana bid 2kWh @ 0.10 -> accepted A1 live 2kWh
      enter X ana bid 2kWh @ 0.10 -> rejected cashLimit 30000000
      enter A2 ana bid 1kWh @ 0.10 -> accepted A2 live 1kWh
      replace A2 1kWh @ 0.11 -> rejected cashLimit 30000000
      replace A2 1kWh @ 0.09 -> replaced A2 live 1kWh
      enter A3 ana ask 1kWh @ 0.20 -> accepted A3 waiting 1kWh energy
      cancel A1 -> canceled A1 2kWh user
      enter A4 ana bid 2kWh @ 0.10 -> accepted A4 live 2kWh
      """)
  }

  @Test("Of the operator's and the administrator's limit the lower holds.")
  func two() {
    expect(
      """
      rules 4 by 0 ->
      session 7 of 1 roles 32 ->
      setLimit account 1 kind orderQuantity value 5000 ->
      setLimit account 1 kind orderQuantity value 6000 by 7 -> rejected setByOperator 5000
      setLimit account 1 kind orderQuantity value 3000 by 7 ->
      enter X ana bid 4kWh @ 0.10 -> rejected orderLimit 3000
      setLimit account 1 kind orderQuantity value 2000 ->
      enter X ana bid 3kWh @ 0.10 -> rejected orderLimit 2000
      setLimit account 1 kind orderQuantity value 0 ->
      enter X ana bid 4kWh @ 0.10 -> rejected orderLimit 3000
      setLimit account 1 kind orderQuantity value 0 by 7 ->
      enter A1 ana bid 4kWh @ 0.10 -> accepted A1 live 4kWh
      """)
  }

  @Test("Invalid requests are rejected, with the checks in order.")
  func rejects() {
    expect(
      """
      rules 4 by 0 ->
      session 7 of 1 roles 32 ->
      setLimit account 1 kind openOrders value 1 by 2 -> rejected notPermitted 36
      setLimit session 1 kind openOrders value 1 -> rejected badDefinition 2
      setLimit account 1 kind messagesPerSecond value 1 -> rejected badDefinition
      setLimit account 1 participant 1 kind openOrders value 1 -> rejected badDefinition 2
      setLimit account 99 kind openOrders value -1 -> rejected unknownAccount 16
      setLimit session 99 kind messagesPerSecond value -1 -> rejected unknownSession
      setLimit participant 9 kind accounts value -1 -> rejected unknownParticipant 4
      setLimit account 1 kind openOrders value -1 -> rejected badDefinition -1
      setLimit account 1 kind openOrders value 4294967296 -> rejected badDefinition 4294967296
      setLimit account 5 kind openOrders value -1 by 7 -> rejected foreignAccount
      setLimit session 2 kind messagesPerSecond value -1 by 7 -> rejected foreignSession
      setLimit participant 2 kind accounts value 1 by 7 -> rejected foreignParticipant
      setLimit participant 1 kind accounts value 1 by 7 -> rejected notPermitted 4
      """)
  }
}
