import Testing

@Suite("Rule 2: keys of sessions")
struct SessionKeyTests {
  // ana (1) and ben (2) are participant 1's, eva (5) is participant 2's; session 1 has all roles for
  // participant 1, session 2 trades for participant 2.

  @Test("A replaced or revoked key stops the session's instructions; its orders stay.")
  func instructions() {
    expect(
      """
      rules 4 by 0 ->
      agent eva sell 0.10 above 1kWh target 0kWh by 2 ->
      session 2 of 2 roles 1 ->
      meter eva +1kWh after 900s -> accepted agent.eva live 1kWh
      session 2 of 2 roles 1 key 7 ->
      mass eva by 2 -> canceled agent.eva 1kWh mass; massCanceled 1
      meter eva +1kWh after 900s ->
      agent eva sell 0.10 above 1kWh target 0kWh by 2 ->
      session 2 of 0 roles 0 ->
      meter eva +1kWh after 900s ->
      mass eva by 2 -> rejected unknownSession
      """)
  }

  @Test("Cancelling: all of the session's orders, of instructions and those that outlive it too.")
  func cancels() {
    expect(
      """
      rules 4 by 0 ->
      session 5 of 2 roles 1 ->
      agent eva sell 0.10 above 1kWh target 0kWh by 2 ->
      meter eva +1kWh -> accepted agent.eva live 1kWh
      enter E1 eva bid 1kWh @ 0.05 by 2 -> accepted E1 live 1kWh
      enter E2 eva bid 1kWh @ 0.04 outlivesSession by 2 -> accepted E2 live 1kWh
      enter E3 eva bid 1kWh @ 0.03 by 5 -> accepted E3 live 1kWh
      enter A1 ana bid 1kWh @ 0.06 -> accepted A1 live 1kWh
      session 2 of 2 roles 1 key 7 cancelling -> canceled agent.eva 1kWh revoked; canceled E1 1kWh revoked; canceled E2 1kWh revoked
      order E3 -> live 1kWh
      session 5 of 0 roles 0 cancelling -> canceled E3 1kWh revoked
      session 5 of 2 roles 0 cancelling ->
      """)
  }

  @Test("Orders that stayed are cancelled when the session is registered again.")
  func cancelsLater() {
    expect(
      """
      rules 4 by 0 ->
      enter E1 eva bid 1kWh @ 0.05 by 2 -> accepted E1 live 1kWh
      session 2 of 0 roles 0 ->
      order E1 -> live 1kWh
      session 2 of 0 roles 0 cancelling -> canceled E1 1kWh revoked
      """)
  }

  @Test("Since version 5 the orders of a revoked session are cancelled unless they are kept.")
  func revoked() {
    expect(
      """
      rules 5 by 0 ->
      enter E1 eva bid 1kWh @ 0.05 by 2 -> accepted E1 live 1kWh
      session 2 of 2 roles 1 key 7 ->
      order E1 -> live 1kWh
      session 2 of 0 roles 0 keeping ->
      order E1 -> live 1kWh
      session 2 of 0 roles 0 -> canceled E1 1kWh revoked
      """)
  }

  @Test("A session number never passes to another participant, also when it is revoked.")
  func participants() {
    expect(
      """
      rules 4 by 0 ->
      session 2 of 1 roles 1 -> rejected sessionOfAnother 2
      session 2 of 0 roles 0 ->
      session 2 of 1 roles 1 -> rejected sessionOfAnother 2
      session 2 of 2 roles 1 ->
      session 9 of 0 roles 0 -> rejected unknownParticipant 4
      session 2 of 0 roles 1 -> rejected unknownParticipant 4
      """)
  }

  @Test("The last session with the role administration keeps it; its key can be replaced.")
  func lastAdministrator() {
    expect(
      """
      rules 4 by 0 ->
      session 1 of 0 roles 0 -> rejected lastAdministrator
      session 1 of 1 roles 3 -> rejected lastAdministrator
      session 1 of 1 roles 3 by 0 -> rejected lastAdministrator
      session 1 of 1 roles 7 key 5 ->
      session 4 of 1 roles 4 ->
      session 1 of 1 roles 3 ->
      session 4 of 0 roles 0 by 4 -> rejected lastAdministrator
      """)
  }

  @Test("Before version 4 a session may pass to another participant, and the last operator may go.")
  func formerRules() {
    expect(
      """
      rules 3 by 0 ->
      agent eva sell 0.10 above 1kWh target 0kWh by 2 ->
      session 2 of 2 roles 1 key 7 ->
      meter eva +1kWh -> accepted agent.eva live 1kWh
      session 2 of 0 roles 0 -> rejected unknownParticipant 4
      session 2 of 2 roles 0 cancelling -> canceled agent.eva 1kWh revoked
      session 2 of 1 roles 1 ->
      session 1 of 1 roles 0 ->
      """)
  }
}

@Suite("Rule 2: numbers of sessions and accounts")
struct ResetNumbersTests {
  @Test("Client order ids end at 2^62, from version 4 on.")
  func highest() {
    expect(
      """
      rules 3 by 0 ->
      enter E1 eva bid 1kWh @ 0.05 id 18446744073709551615 -> rejected foreignAccount
      enter A1 ana bid 1kWh @ 0.05 id 4611686018427387905 -> accepted A1 live 1kWh
      rules 4 by 0 ->
      enter X ana bid 1kWh @ 0.05 id 4611686018427387905 -> rejected duplicateClientOrderId 4611686018427387905
      enter X ana bid 1kWh @ 0.05 id 4611686018427387906 -> rejected clientOrderIdTooHigh 4611686018427387904
      enter B1 ben bid 1kWh @ 0.05 id 18446744073709551615 -> rejected clientOrderIdTooHigh 4611686018427387904
      enter B1 ben bid 1kWh @ 0.05 id 4611686018427387903 -> accepted B1 live 1kWh
      replace B1 2kWh @ 0.05 id 4611686018427387905 -> rejected clientOrderIdTooHigh 4611686018427387904
      replace B1 2kWh @ 0.05 id 4611686018427387904 -> replaced B1 live 2kWh
      send cy ana 1.00 id 4611686018427387905 -> rejected clientOrderIdTooHigh 4611686018427387904
      """)
  }

  @Test("The operator resets an account without open orders; afterwards it numbers from 1.")
  func account() {
    expect(
      """
      enter A1 ana bid 1kWh @ 0.05 id 18446744073709551615 -> accepted A1 live 1kWh
      enter A2 ana bid 1kWh @ 0.05 id 18446744073709551615 -> rejected duplicateClientOrderId -1
      resetNumbers account 1 -> rejected accountHasOrders 1
      cancel A1 -> canceled A1 1kWh user
      resetNumbers account 1 ->
      enter A3 ana bid 1kWh @ 0.05 id 1 -> accepted A3 live 1kWh
      """)
  }

  @Test("Rejects, with the checks in order.")
  func rejects() {
    expect(
      """
      resetNumbers session 2 by 2 -> rejected notPermitted 4
      resetNumbers session 2 account 1 -> rejected badDefinition 2
      resetNumbers -> rejected badDefinition
      resetNumbers session 9 -> rejected unknownSession
      resetNumbers account 99 -> rejected unknownAccount 16
      resetNumbers session 2 ->
      """)
  }
}
