import ExchangeCore
import MarketModel
import Testing

@Suite("Rule 11: shares of the pools")
struct ShareTests {
  private func capacity(_ change: (inout Capacity) -> Void) -> Capacity {
    var capacity = Capacity.script
    change(&capacity)
    return capacity
  }

  @Test("An account at its bound of orders enters none until one of them ends.")
  func ordersOfAnAccount() {
    expect(
      """
      enter A1 ana bid 1kWh @ 0.10 -> accepted A1 live 1kWh
      enter A2 ana bid 1kWh @ 0.10 -> accepted A2 live 1kWh
      enter A3 ana bid 1kWh @ 0.10 -> accepted A3 live 1kWh
      rules 3 by 0 ->
      enter X ana bid 1kWh @ 0.10 ioc -> rejected orderShare 2
      enter B1 ben bid 1kWh @ 0.10 -> accepted B1 live 1kWh
      replace A1 2kWh @ 0.11 -> replaced A1 live 2kWh
      cancel A1 -> canceled A1 2kWh user
      enter X ana bid 1kWh @ 0.10 -> rejected orderShare 2
      cancel A2 -> canceled A2 1kWh user
      enter A4 ana bid 1kWh @ 0.10 -> accepted A4 live 1kWh
      """, capacity: capacity { $0.accountOrders = 2 })
  }

  @Test("A standing instruction whose account is at its bound enters no order.")
  func instruction() {
    expect(
      """
      rules 3 by 0 ->
      enter A1 ana bid 1kWh @ 0.05 -> accepted A1 live 1kWh
      spot 2 ->
      agent ana in 2 sell 0.20 above 1kWh target 0kWh ->
      meter ana +3kWh -> rejected orderShare 1
      """, capacity: capacity { $0.accountOrders = 1 })
  }

  @Test("A level counts for the account that opened it until no order rests there.")
  func levelsOfAnAccount() {
    expect(
      """
      rules 3 by 0 ->
      enter A1 ana bid 1kWh @ 0.10 -> accepted A1 live 1kWh
      enter B1 ben bid 1kWh @ 0.10 -> accepted B1 live 1kWh
      cancel A1 -> canceled A1 1kWh user
      enter X ana bid 1kWh @ 0.11 -> rejected orderShare 1
      enter A2 ana bid 1kWh @ 0.11 ioc -> accepted A2 live 1kWh; canceled A2 1kWh immediate
      enter A3 ana bid 1kWh @ 0.10 -> accepted A3 live 1kWh
      replace A3 1kWh @ 0.12 -> rejected orderShare 1
      replace B1 1kWh @ 0.12 -> replaced B1 live 1kWh
      replace A3 1kWh @ 0.12 -> replaced A3 live 1kWh
      enter A4 ana bid 1kWh @ 0.10 -> accepted A4 live 1kWh
      """, capacity: capacity { $0.accountLevels = 1 })
  }

  @Test("The switch to version 3 counts a level for the account of its first order.")
  func levelsAtTheSwitch() {
    expect(
      """
      enter A1 ana bid 1kWh @ 0.10 -> accepted A1 live 1kWh
      enter B1 ben bid 1kWh @ 0.10 -> accepted B1 live 1kWh
      cancel A1 -> canceled A1 1kWh user
      rules 3 by 0 ->
      enter A2 ana bid 1kWh @ 0.11 -> accepted A2 live 1kWh
      enter X ben bid 1kWh @ 0.12 -> rejected orderShare 1
      """, capacity: capacity { $0.accountLevels = 1 })
  }

  @Test("A participant has half of the pool of orders, and of the last eighth only if it has few.")
  func ordersOfAParticipant() {
    expect(
      """
      rules 3 by 0 ->
      enter A1 ana bid 1kWh @ 0.10 -> accepted A1 live 1kWh
      enter A2 ana bid 1kWh @ 0.10 -> accepted A2 live 1kWh
      enter B1 ben bid 1kWh @ 0.10 -> accepted B1 live 1kWh
      enter B2 ben bid 1kWh @ 0.10 -> accepted B2 live 1kWh
      enter X ana bid 1kWh @ 0.10 -> rejected orderShare 4
      enter E1 eva bid 1kWh @ 0.10 by 2 -> accepted E1 live 1kWh
      enter E2 eva bid 1kWh @ 0.10 by 2 -> accepted E2 live 1kWh
      enter E3 eva bid 1kWh @ 0.10 by 2 -> accepted E3 live 1kWh
      enter X eva bid 1kWh @ 0.10 by 2 -> rejected orderShare 1
      participant 3 ->
      account #12 of 3 ->
      session 9 of 3 roles 1 ->
      deposit #12 1.00 ->
      enter F1 #12 bid 1kWh @ 0.10 by 9 -> accepted F1 live 1kWh
      enter X #12 bid 1kWh @ 0.10 by 9 -> rejected tooManyOrders 8
      """, capacity: capacity { $0.orders = 8 })
  }

  @Test("Transfers make rows for accounts of others while half of the table is free.")
  func rowsOfOthers() {
    expect(
      """
      rules 3 by 0 ->
      deposit ana 5.00 CHF ->
      send ana eva 1.00 CHF -> rejected capacityExhausted 6
      send ana ben 1.00 CHF ->
      area 2 cost 1500.00 price 200.00 ->
      register #20 ana in 2 ->
      meter #20 +1kWh ->
      send ana eva 1kWh in 2 -> rejected capacityExhausted 6
      send ana ben 1kWh in 2 ->
      """, capacity: capacity { $0.positions = 12 })
  }

  @Test("Half of the levels count for one participant, and less when few levels are free.")
  func levelsOfAParticipant() {
    expect(
      """
      rules 3 by 0 ->
      enter A1 ana bid 1kWh @ 0.10 -> accepted A1 live 1kWh
      enter A2 ana bid 1kWh @ 0.11 -> accepted A2 live 1kWh
      enter B1 ben bid 1kWh @ 0.12 -> accepted B1 live 1kWh
      enter B2 ben bid 1kWh @ 0.13 -> accepted B2 live 1kWh
      enter X ana bid 1kWh @ 0.14 -> rejected orderShare 4
      enter E1 eva bid 1kWh @ 0.14 by 2 -> accepted E1 live 1kWh
      enter E2 eva bid 1kWh @ 0.15 by 2 -> accepted E2 live 1kWh
      enter E3 eva bid 1kWh @ 0.16 by 2 -> accepted E3 live 1kWh
      enter X eva bid 1kWh @ 0.17 by 2 -> rejected orderShare 1
      enter E4 eva bid 1kWh @ 0.16 by 2 -> accepted E4 live 1kWh
      """, capacity: capacity { $0.priceLevels = 8 })
  }
}
