import Testing

@Suite("Rule 5: cancel by the operator")
struct OperatorCancelTests {
  // ana (1) and ben (2) are participant 1's, eva (5) is participant 2's.

  @Test("All open orders of a participant are cancelled, of others none.")
  func all() {
    expect(
      """
      spot 2 ->
      enter A1 ana bid 2kWh @ 0.10 -> accepted A1 live 2kWh
      enter A2 ana ask 1kWh @ 0.20 -> accepted A2 waiting 1kWh energy
      enter B1 ben bid 1kWh @ 0.05 in 2 -> accepted B1 live 1kWh
      enter E1 eva bid 1kWh @ 0.04 by 2 -> accepted E1 live 1kWh
      cancelOrders participant 1 -> canceled A2 1kWh mass; canceled A1 2kWh mass; canceled B1 1kWh mass
      order E1 -> live 1kWh
      balance ana -> 0kWh of 10kWh free 1000.00 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      cancelOrders participant 1 ->
      """)
  }

  @Test("Since version 5 Cancel and MassCancel are the operator's, for every account.")
  func ordinaryCancels() {
    expect(
      """
      rules 4 by 0 ->
      session 6 of 1 roles 4 ->
      session 7 of 2 roles 32 ->
      session 8 of 1 roles 32 ->
      enter E1 eva bid 1kWh @ 0.05 by 2 -> accepted E1 live 1kWh
      enter E2 eva bid 1kWh @ 0.05 by 2 -> accepted E2 live 1kWh
      enter E3 eva bid 1kWh @ 0.05 by 2 -> accepted E3 live 1kWh
      cancel E1 for eva by 6 -> rejected notPermitted 1
      rules 5 by 0 ->
      cancel E1 for eva by 8 -> rejected foreignAccount
      mass eva by 8 -> rejected foreignAccount
      cancel E1 for ana by 6 -> rejected unknownOrder
      cancel E1 for eva by 6 -> canceled E1 1kWh user
      cancel E2 for eva by 7 -> canceled E2 1kWh user
      mass eva by 6 -> canceled E3 1kWh mass; massCanceled 1
      replace E1 1kWh @ 0.04 by 6 -> rejected notPermitted 1
      """)
  }

  @Test("Only those of one account, of one instrument, of one side.")
  func filters() {
    expect(
      """
      spot 2 ->
      enter A1 ana bid 2kWh @ 0.10 -> accepted A1 live 2kWh
      enter A2 ana bid 1kWh @ 0.09 in 2 -> accepted A2 live 1kWh
      enter A3 ana ask 1kWh @ 0.30 -> accepted A3 waiting 1kWh energy
      enter B1 ben bid 1kWh @ 0.05 -> accepted B1 live 1kWh
      cancelOrders participant 1 instrument 2 -> canceled A2 1kWh mass
      cancelOrders participant 1 sides sell -> canceled A3 1kWh mass
      cancelOrders participant 1 account 2 -> canceled B1 1kWh mass
      cancelOrders participant 1 sides buy -> canceled A1 2kWh mass
      """)
  }

  @Test("Orders of standing instructions go too; the instruction stays, for the next reading.")
  func instructions() {
    expect(
      """
      agent ana sell 0.10 above 1kWh target 0kWh ->
      meter ana +3kWh -> accepted agent.ana live 3kWh
      cancelOrders participant 1 -> canceled agent.ana 3kWh mass
      meter ana +1kWh -> accepted agent.ana live 4kWh
      """)
  }

  @Test("Freed energy covers the account's next order, and the reservation is released.")
  func frees() {
    expect(
      """
      enter A1 ana bid 10kWh @ 1.00 -> accepted A1 live 10kWh
      enter A2 ana bid 1kWh @ 0.50 -> accepted A2 waiting 1kWh headroom
      cancelOrders participant 1 account 1 sides buy -> canceled A1 10kWh mass; canceled A2 1kWh mass
      enter A3 ana bid 10kWh @ 1.00 -> accepted A3 live 10kWh
      """)
  }

  @Test("One order, whoever owns it, if it passes the rest of the filter.")
  func oneOrder() {
    expect(
      """
      enter E1 eva bid 1kWh @ 0.04 by 2 -> accepted E1 live 1kWh
      enter E2 eva bid 1kWh @ 0.03 by 2 -> accepted E2 live 1kWh
      cancelOrders order 4294967297 participant 1 -> rejected unknownOrder
      cancelOrders order 4294967297 account 1 -> rejected unknownOrder
      cancelOrders order 4294967297 sides sell -> rejected unknownOrder
      cancelOrders order 4294967297 session 1 -> rejected unknownOrder
      cancelOrders order 4294967297 instrument 2 -> rejected unknownOrder
      cancelOrders order 4294967297 participant 2 account 5 -> canceled E1 1kWh mass
      cancelOrders order 4294967297 -> rejected unknownOrder
      """)
  }

  @Test("The orders of one session.")
  func oneSession() {
    expect(
      """
      session 6 of 1 roles 1 ->
      enter A1 ana bid 2kWh @ 0.10 by 6 -> accepted A1 live 2kWh
      enter A2 ana bid 1kWh @ 0.10 -> accepted A2 live 1kWh
      enter B1 ben bid 1kWh @ 0.10 by 6 -> accepted B1 live 1kWh
      cancelOrders session 6 account 2 -> canceled B1 1kWh mass
      cancelOrders session 6 -> canceled A1 2kWh mass
      cancelOrders session 9 -> rejected unknownSession
      cancelOrders session 6 participant 2 -> rejected foreignSession
      cancelOrders session 6 account 5 -> rejected foreignAccount
      cancelOrders -> rejected unknownParticipant 4
      """)
  }

  @Test("Instructions are removed alone; their orders stand.")
  func removesInstructions() {
    expect(
      """
      agent ana sell 0.10 above 1kWh target 0kWh ->
      meter ana +3kWh -> accepted agent.ana live 3kWh
      cancelInstructions participant 2 ->
      cancelInstructions participant 1 account 1 instrument 2 -> rejected unknownInstrument 8
      cancelInstructions session 1 ->
      order agent.ana -> live 3kWh
      cancelOrders participant 1 -> canceled agent.ana 3kWh mass
      meter ana +1kWh ->
      cancelInstructions participant 1 by 2 -> rejected notPermitted 4
      """)
  }

  @Test("Invalid requests are rejected, with the checks in order.")
  func rejects() {
    expect(
      """
      cancelOrders participant 1 by 2 -> rejected notPermitted 4
      cancelOrders participant 1 by 9 -> rejected unknownSession
      cancelOrders participant 9 account 99 instrument 99 -> rejected unknownParticipant 4
      cancelOrders participant 1 account 99 instrument 99 -> rejected unknownAccount 16
      cancelOrders participant 1 account 5 instrument 99 -> rejected foreignAccount
      cancelOrders participant 1 account 1 instrument 99 -> rejected unknownInstrument 8
      """)
  }
}
