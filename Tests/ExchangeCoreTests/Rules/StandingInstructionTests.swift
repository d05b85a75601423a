import Testing

@Suite("Rule 8: standing instructions")
struct StandingInstructionTests {
  @Test("Without a target an instruction trades towards half the cap.")
  func defaultTarget() {
    expect(
      """
      agent ana sell 0.10 above 6kWh ->
      meter ana +8kWh -> accepted agent.ana live 3kWh
      agent ben sell 0.20 above 1kWh ->
      cap ben 5001Wh ->
      meter ben +4500Wh -> accepted agent.ben live 2kWh
      """)
  }

  @Test("An instruction enters whole lots only.")
  func wholeLots() {
    expect(
      """
      agent ana sell 0.10 above 0kWh target 4kWh ->
      meter ana +4999Wh ->
      meter ana +1001Wh -> accepted agent.ana live 2kWh
      agent ben buy 0.05 below 5kWh target 1500Wh ->
      meter ben +1Wh -> accepted agent.ben live 1kWh
      """)
  }

  @Test("Setting an instruction enters no order; the next change of a balance does.")
  func notAtOnce() {
    expect(
      """
      meter ana +8kWh ->
      agent ana sell 0.10 above 6kWh ->
      deposit ana 0.01 -> accepted agent.ana live 3kWh
      """)
  }

  @Test("While the account has an open order in the instrument the instruction is silent.")
  func oneOrderOnly() {
    expect(
      """
      spot 2 ->
      enter A1 ana bid 1kWh @ 0.01 -> accepted A1 live 1kWh
      agent ana sell 0.10 above 6kWh ->
      meter ana +8kWh ->
      cancel A1 -> canceled A1 1kWh user
      enter A2 ana bid 1kWh @ 0.01 in 2 -> accepted A2 live 1kWh
      meter ana +1Wh -> accepted agent.ana live 3kWh
      meter ana +999Wh ->
      """)
  }

  @Test("Its order trades at once when somebody waits for it.")
  func tradesAtOnce() {
    expect(
      """
      enter B1 ben bid 2kWh @ 0.12 -> accepted B1 live 2kWh
      agent ana sell 0.10 above 6kWh target 4kWh ->
      meter ana +7kWh -> accepted agent.ana live 3kWh; trade agent.ana B1 2kWh @ 0.12
      order agent.ana -> live 1kWh
      """)
  }

  @Test("The thresholds are part of it; at the target it is content.")
  func thresholds() {
    expect(
      """
      agent ana sell 0.10 above 6kWh buy 0.05 below 2kWh target 6kWh ->
      meter ana +6kWh ->
      meter ana -4kWh -> accepted agent.ana live 4kWh
      cancel agent.ana for ana -> canceled agent.ana 4kWh user
      meter ana +1Wh ->
      meter ana +4999Wh -> accepted agent.ana live 1kWh
      """)
  }

  @Test("Setting it again replaces it; neither selling nor buying removes it.")
  func replacingAndRemoving() {
    expect(
      """
      agent ana sell 0.10 above 6kWh target 4kWh ->
      agent ana sell 0.11 above 8kWh target 4kWh ->
      meter ana +7kWh ->
      meter ana +1kWh -> accepted agent.ana live 4kWh
      book 1 -> ask 0.11 agent.ana 4kWh/4kWh
      agent ana ->
      cancel agent.ana for ana -> canceled agent.ana 4kWh user
      meter ana +1kWh ->
      """)
  }

  @Test("An instruction that lacks cash is rejected each time a balance changes.")
  func lacksCash() {
    expect(
      """
      agent ana buy 0.10 below 2kWh target 4kWh ->
      withdraw ana 999.90 -> rejected insufficientCash 10000000
      deposit ana 0.10 -> rejected insufficientCash 20000000
      deposit ana 0.20 -> accepted agent.ana live 4kWh
      """)
  }

  @Test("An instruction outlives the session that left it.")
  func outlivesItsSession() {
    expect(
      """
      agent eva sell 0.10 above 6kWh target 4kWh by 2 ->
      session 2 of 2 roles 0 ->
      enter X eva ask 1kWh @ 0.10 by 2 -> rejected unknownSession
      meter eva +7kWh by 3 -> accepted agent.eva live 3kWh
      """)
  }

  @Test("Its order has no client order id, so none can name it.")
  func noClientOrderId() {
    expect(
      """
      agent ana sell 0.10 above 6kWh target 4kWh ->
      meter ana +7kWh -> accepted agent.ana live 3kWh
      cancel for ana id 0 -> rejected unknownOrder
      cancel agent.ana for ben -> rejected unknownOrder
      enter A1 ana ask 1kWh @ 0.10 id 1 -> accepted A1 live 1kWh
      """)
  }

  @Test("An order of an instruction is at most the largest order.")
  func largestOrder() {
    expect(
      """
      spot 2 lot 1Wh ->
      cap ana 1125899906842624Wh ->
      agent ana in 2 sell 0.10 above 0kWh target 0kWh ->
      meter ana +1099511627776Wh -> accepted agent.ana live 68719476736Wh
      """)
  }

  @Test("The faults of an instruction have their codes.")
  func faults() {
    expect(
      """
      agent ana in 7 sell 0.10 above 1kWh -> rejected unknownInstrument 8
      agent ana sell 0.105 above 1kWh -> rejected offTick 1000
      agent ana sell 5.00 above 1kWh -> rejected priceOutOfBand 100000
      agent ana buy -5.00 below 1kWh -> rejected priceOutOfBand -100000
      agent ana sell 0.10 above -1kWh -> rejected badAmount 2305843009213693952
      agent ana buy 0.10 below -1kWh -> rejected badAmount 2305843009213693952
      agent eva sell 0.10 above 1kWh -> rejected foreignAccount
      agent #9 sell 0.10 above 1kWh -> rejected unknownAccount 16
      agent ana sell 0.10 above 1kWh by 3 -> rejected notPermitted 1
      """)
  }

  @Test(
    "Instructions that mirror each other trade once and are content: none overshoots its target.")
  func mirroredInstructions() {
    expect(
      """
      agent ben sell 0.10 above 1kWh buy 0.10 below 8kWh target 4kWh ->
      agent cy sell 0.10 above 1kWh buy 0.10 below 8kWh target 4kWh ->
      deposit ben 1.00 -> accepted agent.ben live 4kWh
      meter cy +8kWh -> accepted agent.cy live 4kWh; trade agent.cy agent.ben 4kWh @ 0.10
      """)
  }

  @Test("Orders displaced by an instruction's order leave the live book before the next position.")
  func displacedBeforeTheNextTurn() {
    expect(
      """
      spot 2 ->
      cap ben 2kWh ->
      meter ben +2kWh ->
      meter ana +2kWh ->
      enter A1 ana ask 2kWh @ 0.30 in 2 -> accepted A1 live 2kWh
      enter B1 ben ask 1kWh @ 0.05 -> accepted B1 live 1kWh
      enter B2 ben bid 1kWh @ 0.30 in 2 -> accepted B2 waiting 1kWh headroom
      agent ana sell 0.10 above 3kWh target 0kWh ->
      enter A2 ana bid 1kWh @ 0.05 -> accepted A2 live 1kWh; trade B1 A2 1kWh @ 0.05
      ; accepted agent.ana live 3kWh; restated A1 waiting 2kWh energy; restated B2 live 1kWh
      """)
  }
}
