import Testing

@Suite("Money, meters, transfers, standing instructions, rejects")
struct BalanceTests {
  @Test("A bid reserves price times quantity; a trade at a better price frees the rest.")
  func reservation() {
    expect(
      """
      meter ana +3kWh ->
      enter B1 ben bid 5kWh @ 0.20 -> accepted B1 live 5kWh
      balance ben -> 0kWh of 10kWh free 999.00 reserved 1.00 asks 0kWh/0kWh bids 5kWh/5kWh
      cancel B1 -> canceled B1 5kWh user
      enter A1 ana ask 3kWh @ 0.10 -> accepted A1 live 3kWh
      enter B2 ben bid 3kWh @ 0.20 -> accepted B2 live 3kWh; trade A1 B2 3kWh @ 0.10
      balance ben -> 3kWh of 10kWh free 999.70 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      balance ana -> 0kWh of 10kWh free 1000.30 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      """)
  }

  @Test("An ask at a negative price reserves what it would pay, and pays the buyer.")
  func negativePrice() {
    expect(
      """
      meter ana +2kWh ->
      enter A1 ana ask 2kWh @ -0.10 -> accepted A1 live 2kWh
      balance ana -> 2kWh of 10kWh free 999.80 reserved 0.20 asks 2kWh/2kWh bids 0kWh/0kWh
      enter B1 ben bid 2kWh @ -0.10 -> accepted B1 live 2kWh; trade A1 B1 2kWh @ -0.10
      balance ana -> 0kWh of 10kWh free 999.80 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      balance ben -> 2kWh of 10kWh free 1000.20 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      """)
  }

  @Test("Fees round against their payer to the next 1e-8.")
  func feesRoundUp() {
    expect(
      """
      spot 2 lot 1Wh tick 0.00001 maker 1 taker 3 ->
      meter ana +1kWh ->
      enter A1 ana ask 1Wh @ 0.00001 in 2 -> accepted A1 live 1Wh
      enter B1 ben bid 1Wh @ 0.00001 in 2 -> accepted B1 live 1Wh
      ; trade A1 B1 1Wh @ 0.00001 fees 0.00000001 0.00000001
      """)
  }

  @Test("Production covers asks first; only energy above the cap after trading is exported.")
  func exportsAboveTheCap() {
    expect(
      """
      enter B1 ben bid 2kWh @ 0.20 -> accepted B1 live 2kWh
      enter A1 ana ask 2kWh @ 0.20 -> accepted A1 waiting 2kWh energy
      meter ana +13kWh -> restated A1 live 2kWh; trade A1 B1 2kWh @ 0.20
      ; metered exported 1kWh for 0.05
      """)
  }

  @Test("Consumption above the balance is imported; below zero an account sells but does not buy.")
  func importsBelowZero() {
    expect(
      """
      withdraw ana 999.90 ->
      meter ana -1kWh -> metered imported 1kWh for 0.30
      balance ana -> 0kWh of 10kWh free -0.20 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      enter A1 ana bid 1kWh @ 0.10 -> rejected insufficientCash -20000000
      enter A2 ana ask 1kWh @ 0.10 -> accepted A2 waiting 1kWh energy
      """)
  }

  @Test("A transfer of energy reduces the sender's cover and respects the receiver's cap.")
  func energyTransfer() {
    expect(
      """
      meter ana +5kWh ->
      enter A1 ana ask 5kWh @ 0.10 -> accepted A1 live 5kWh
      send ana eva 2kWh -> restated A1 live 3kWh waiting 2kWh energy
      cap eva 3kWh ->
      send ana eva 2kWh -> rejected capExceeded 1000
      send ana ben 4kWh -> rejected insufficientEnergy 3000
      send ana ana 1kWh -> rejected sameAccount
      """)
  }

  @Test("Only free cash can be sent or withdrawn.")
  func onlyFreeCash() {
    expect(
      """
      enter B1 ben bid 5kWh @ 0.20 -> accepted B1 live 5kWh
      send ben ana 999.50 -> rejected insufficientCash 99900000000
      withdraw ben 999.50 -> rejected insufficientCash 99900000000
      withdraw ben 999.00 ->
      """)
  }

  @Test("A standing instruction sells above its threshold and buys below it.")
  func standingInstruction() {
    expect(
      """
      agent ana sell 0.10 above 6kWh buy 0.05 below 2kWh target 4kWh ->
      meter ana +7kWh -> accepted agent.ana live 3kWh
      mass ana -> canceled agent.ana 3kWh mass; massCanceled 1
      meter ana -6kWh -> accepted agent.ana live 3kWh
      """)
  }

  @Test("No order trades on cover that a standing instruction's order has displaced.")
  func standingOrderDisplaces() {
    expect(
      """
      spot 2 ->
      enter A1 ana ask 5kWh @ 0.20 in 2 -> accepted A1 waiting 5kWh energy
      agent ana sell 0.10 above 1kWh target 0kWh ->
      enter B1 ben bid 5kWh @ 0.10 -> accepted B1 live 5kWh
      meter ana +5kWh -> restated A1 live 5kWh; accepted agent.ana live 5kWh
      ; trade agent.ana B1 5kWh @ 0.10; restated A1 waiting 5kWh energy
      """)
  }

  @Test("Every fault of a new order has its code and names the limit.")
  func rejectsOfNewOrders() {
    expect(
      """
      enter X ana bid 1kWh @ 0.10 by 9 -> rejected unknownSession
      enter X ana bid 1kWh @ 0.10 by 3 -> rejected notPermitted 1
      enter X #15 bid 1kWh @ 0.10 -> rejected unknownAccount 16
      enter X eva bid 1kWh @ 0.10 -> rejected foreignAccount
      enter X ana bid 1kWh @ 0.10 id 0 -> rejected duplicateClientOrderId
      enter X ana bid 1kWh @ 0.10 in 7 -> rejected unknownInstrument 8
      enter X ana bid 1kWh market -> rejected marketNotImmediate
      enter X ana bid 1kWh @ 0.10 post ioc -> rejected postOnlyImmediate
      enter X ana bid 1kWh @ 0.10 post min 1kWh -> rejected postOnlyImmediate
      enter X ana bid 1kWh @ 0.10 gtt expires 0s -> rejected badExpireTime 1800000000000000000
      enter X ana bid 1kWh @ 0.10 expires 9s -> rejected badExpireTime 1800000000000000000
      enter X ana bid 0kWh @ 0.10 -> rejected quantityNotPositive
      enter X ana bid 1500Wh @ 0.10 -> rejected offLot 1000
      enter X ana bid 68719477kWh @ 0.10 -> rejected quantityTooLarge 68719476736
      enter X ana bid 1kWh @ 0.10 min 2kWh -> rejected minimumQuantityInvalid 1000
      enter X ana bid 1kWh @ 0.105 -> rejected offTick 1000
      enter X ana bid 1kWh @ 2.00 -> rejected priceOutOfBand 100000
      enter X ana bid 1kWh @ -2.00 -> rejected priceOutOfBand -100000
      enter X ana bid 10000kWh @ 0.50 -> rejected insufficientCash 100000000000
      """)
  }

  @Test("Every fault of a replace has its code and names the limit.")
  func rejectsOfReplaces() {
    expect(
      """
      meter ana +1kWh ->
      enter A1 ana ask 1kWh @ 0.10 -> accepted A1 live 1kWh
      enter B1 ben bid 3kWh @ 0.10 -> accepted B1 live 3kWh; trade A1 B1 1kWh @ 0.10
      replace B1 3kWh @ 0.10 -> rejected nothingToChange
      replace B1 1kWh @ 0.10 -> rejected quantityBelowExecuted 1000
      replace B1 2kWh @ 0.10 id 1 -> rejected duplicateClientOrderId 1
      replace B1 2kWh @ 0.10 for cy -> rejected unknownOrder
      replace A1 2kWh @ 0.10 -> rejected unknownOrder
      replace B1 2500Wh @ 0.10 -> rejected offLot 1000
      replace B1 3kWh @ 0.101 -> rejected offTick 1000
      """)
  }

  @Test("Every fault of a reading has its code and names the limit.")
  func rejectsOfReadings() {
    expect(
      """
      meter #30 +1kWh -> rejected unknownMeter 32
      meter ana +1kWh by 2 -> rejected notPermitted 2
      meter ana +1kWh seq 5 from 0s to 900s ->
      meter ana +1kWh seq 5 from 900s to 1800s -> rejected readingReplayed 5
      meter ana +1kWh seq 6 from 900s to 900s -> rejected badInterval
      meter ana +1kWh seq 6 from 800s to 1700s -> rejected overlappingInterval 1800000900000000000
      meter ana +-1kWh -> rejected negativeReading
      meter ana -2000000000kWh -> rejected readingTooLarge 1099511627776
      """)
  }
}
