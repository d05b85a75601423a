import ExchangeCore
import MarketModel
import Testing

@Suite("Rule 15: administrators of participants")
struct AdministratorTests {
  @Test("It opens accounts of its own participant and registers its sessions.")
  func grants() {
    expect(
      """
      rules 4 by 0 ->
      participant 3 ->
      session 7 of 3 roles 32 ->
      account #9 of 3 by 7 ->
      account #10 of 2 by 7 -> rejected foreignParticipant
      session 8 of 3 roles 9 by 7 ->
      enter A1 #9 bid 1kWh @ 0.10 by 8 -> rejected insufficientCash
      session 8 of 2 roles 1 by 7 -> rejected foreignParticipant
      session 2 of 3 roles 1 by 7 -> rejected foreignSession
      session 9 of 3 roles 2 by 7 -> rejected roleNotGrantable 9
      session 9 of 3 roles 32 by 7 -> rejected roleNotGrantable 9
      session 9 of 3 roles 64 by 7 -> rejected roleNotGrantable 9
      session 7 of 3 roles 0 by 7 -> rejected roleNotGrantable 9
      session 8 of 3 roles 0 by 7 ->
      participant 4 by 7 -> rejected notPermitted 4
      deposit #9 1.00 by 7 -> rejected notPermitted 4
      enter X ana bid 1kWh @ 0.10 by 7 -> rejected notPermitted 1
      """)
  }

  @Test("It has a quarter of the numbers that others leave free, or the operator's limit.")
  func parts() {
    expect(
      """
      rules 4 by 0 ->
      participant 3 ->
      session 7 of 3 roles 32 ->
      account #9 of 3 by 7 ->
      account #10 of 3 by 7 ->
      account #11 of 3 by 7 ->
      account #12 of 3 by 7 -> rejected participantPart 3
      account #12 of 3 ->
      setLimit participant 3 kind sessions value 2 ->
      session 8 of 3 roles 1 by 7 ->
      session 9 of 3 roles 1 by 7 -> rejected participantPart 2
      session 8 of 3 roles 0 by 7 ->
      setLimit participant 3 kind sessions value 0 ->
      session 9 of 3 roles 1 by 7 ->
      """)
  }

  @Test("It blocks and cancels what is its own; the operator's block it cannot release.")
  func blocks() {
    expect(
      """
      rules 4 by 0 ->
      session 7 of 1 roles 32 ->
      enter A1 ana bid 1kWh @ 0.10 -> accepted A1 live 1kWh
      enter B1 ben bid 1kWh @ 0.10 -> accepted B1 live 1kWh
      enter E1 eva bid 1kWh @ 0.04 by 2 -> accepted E1 live 1kWh
      setBlock account 1 by 7 -> canceled A1 1kWh blocked
      setBlock account 5 by 7 -> rejected foreignAccount
      setBlock session 2 by 7 -> rejected foreignSession
      setBlock participant 2 by 7 -> rejected foreignParticipant
      setBlock account 1 releases yes by 7 ->
      setBlock account 1 ->
      setBlock account 1 by 7 ->
      setBlock account 1 releases yes by 7 -> rejected setByOperator
      setBlock account 1 releases yes ->
      enter A2 ana bid 1kWh @ 0.10 -> accepted A2 live 1kWh
      cancelOrders participant 2 by 7 -> rejected foreignParticipant
      cancelOrders order 12884901889 by 7 -> rejected unknownOrder
      cancelOrders session 2 by 7 -> rejected foreignParticipant
      cancelOrders participant 1 account 2 by 7 -> canceled B1 1kWh mass
      cancelOrders participant 1 by 7 -> canceled A2 1kWh mass
      cutSession session 2 by 7 -> rejected foreignSession
      cutSession session 1 by 7 ->
      cutSession session 9 by 7 -> rejected unknownSession
      cutSession session 1 by 2 -> rejected notPermitted 36
      """)
  }

  @Test("Before version 4 of the rules nobody can have the new roles.")
  func versions() {
    expect(
      """
      session 7 of 1 roles 32 -> rejected badDefinition 32
      session 7 of 1 roles 64 -> rejected badDefinition 64
      setBlock account 1 by 2 -> rejected notPermitted 4
      rules 4 by 0 ->
      session 7 of 1 roles 96 ->
      session 8 of 1 roles 16 -> rejected badDefinition 16
      """)
  }
}
