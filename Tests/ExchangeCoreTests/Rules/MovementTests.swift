import Testing

@Suite("Rules 6 and 7: transfers, deposits, readings")
struct MovementTests {
  @Test("A transfer of energy reduces the sender's cover and the receiver's headroom at once.")
  func bothLoseAtOnce() {
    expect(
      """
      meter ana +5kWh ->
      enter A1 ana ask 5kWh @ 0.20 -> accepted A1 live 5kWh
      enter B1 ben bid 8kWh @ 0.10 -> accepted B1 live 8kWh
      send ana ben 5kWh -> restated A1 waiting 5kWh energy; restated B1 live 5kWh waiting 3kWh headroom
      balance ben -> 5kWh of 10kWh free 999.20 reserved 0.80 asks 0kWh/0kWh bids 5kWh/8kWh
      """)
  }

  @Test("Transferred energy covers the receiver's asks, which trade.")
  func arrivingEnergyTrades() {
    expect(
      """
      meter ana +5kWh ->
      enter B1 ben ask 3kWh @ 0.10 -> accepted B1 waiting 3kWh energy
      enter C1 cy bid 3kWh @ 0.12 -> accepted C1 live 3kWh
      send ana ben 2kWh -> restated B1 live 2kWh waiting 1kWh energy; trade B1 C1 2kWh @ 0.12
      """)
  }

  @Test("A transfer of energy gives the sender headroom, and its bid trades.")
  func leavingEnergyGivesHeadroom() {
    expect(
      """
      cap ana 2kWh ->
      meter ana +2kWh ->
      meter cy +1kWh ->
      enter A1 ana bid 1kWh @ 0.12 -> accepted A1 waiting 1kWh headroom
      enter C1 cy ask 1kWh @ 0.10 -> accepted C1 live 1kWh
      send ana ben 1kWh -> restated A1 live 1kWh; trade C1 A1 1kWh @ 0.10
      """)
  }

  @Test("The receiver may be any firm's; the sender must be one's own.")
  func ownSender() {
    expect(
      """
      send ana eva 10.00 ->
      balance eva -> 0kWh of 10kWh free 1010.00 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      send eva ana 10.00 -> rejected foreignAccount
      send eva ana 10.00 by 2 ->
      send ana #9 10.00 -> rejected unknownAccount 16
      """)
  }

  @Test("A transfer's faults have their codes, and its id counts with the orders'.")
  func transferFaults() {
    expect(
      """
      meter ana +1kWh ->
      enter A1 ana bid 1kWh @ 0.10 id 7 -> accepted A1 live 1kWh
      send ana ben 1.00 id 7 -> rejected duplicateClientOrderId 7
      send ana ben 1.00 id 8 ->
      send ana ben 0.00 -> rejected badAmount 2305843009213693952
      send ana ben -1.00 -> rejected badAmount 2305843009213693952
      send ana ben 0kWh -> rejected badAmount 2305843009213693952
      send ana ben 1kWh in 3 -> rejected unknownArea 4
      send ana ben 5.00 CHF -> rejected insufficientCash
      send ana ben 2kWh -> rejected insufficientEnergy 1000
      """)
  }

  @Test("An account with negative cash cannot send cash; received cash raises its balance.")
  func debt() {
    expect(
      """
      withdraw ana 999.90 ->
      meter ana -1kWh -> metered imported 1kWh for 0.30
      send ana ben 0.01 -> rejected insufficientCash -20000000
      send ben ana 0.30 ->
      enter A1 ana bid 1kWh @ 0.10 -> accepted A1 live 1kWh
      """)
  }

  @Test("Deposits and withdrawals are the operator's, and resending one is safe.")
  func references() {
    expect(
      """
      deposit ana 5.00 ref 7 ->
      deposit ana 5.00 ref 7 -> rejected referenceReplayed 7
      withdraw ana 5.00 ref 6 -> rejected referenceReplayed 7
      withdraw ana 5.00 ref 8 ->
      deposit ana 5.00 by 2 -> rejected notPermitted 4
      deposit #9 5.00 -> rejected unknownAccount 16
      deposit ana 0.00 -> rejected badAmount 2305843009213693952
      withdraw ana -5.00 -> rejected badAmount 2305843009213693952
      balance ana -> 0kWh of 10kWh free 1000.00 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      """)
  }

  @Test("The deposits of a currency stay below 2^61; a withdrawal permits further ones.")
  func depositLimit() {
    expect(
      """
      deposit ana 23058425092.13693952 ->
      deposit ben 0.00000001 -> rejected balanceLimit 2305843009213693952
      deposit ben 1.00 CHF ->
      withdraw ana 0.00000001 ->
      deposit ben 0.00000001 ->
      """)
  }

  @Test("Losses are taken from production, rounded up.")
  func losses() {
    expect(
      """
      area 2 cost 1500.00 price 200.00 loss 100000 ->
      register #20 ana in 2 ->
      meter #20 +1001Wh -> metered lost 101Wh
      meter #20 +1kWh -> metered lost 100Wh
      balance ana in 2 -> 1800Wh of 10kWh free 1000.00 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      """)
  }

  @Test("In one reading production is traded first; consumption then imports what is missing.")
  func producedBeforeConsumed() {
    expect(
      """
      enter B1 ben bid 2kWh @ 0.20 -> accepted B1 live 2kWh
      enter A1 ana ask 2kWh @ 0.20 -> accepted A1 waiting 2kWh energy
      meter ana +2kWh -2kWh -> restated A1 live 2kWh; trade A1 B1 2kWh @ 0.20
      ; metered imported 2kWh for 0.60
      balance ana -> 0kWh of 10kWh free 999.80 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      """)
  }

  @Test("Export precedes consumption: energy above the cap is not consumed by the account.")
  func exportBeforeConsumption() {
    expect(
      """
      meter ana +12kWh -11kWh -> metered exported 2kWh for 0.10 imported 1kWh for 0.30
      """)
  }

  @Test("A reading without production exports nothing, even above the cap.")
  func noExportWithoutProduction() {
    expect(
      """
      meter ana +8kWh ->
      cap ana 5kWh ->
      meter ana -1kWh ->
      balance ana -> 7kWh of 5kWh free 1000.00 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      meter ana +1Wh -> metered exported 2001Wh for 0.10005
      """)
  }

  @Test("Consumption gives headroom: a waiting bid enters and trades.")
  func consumptionGivesHeadroom() {
    expect(
      """
      meter ana +10kWh ->
      meter cy +1kWh ->
      enter A1 ana bid 1kWh @ 0.12 -> accepted A1 waiting 1kWh headroom
      enter C1 cy ask 1kWh @ 0.10 -> accepted C1 live 1kWh
      meter ana -1kWh -> restated A1 live 1kWh; trade C1 A1 1kWh @ 0.10
      """)
  }

  @Test("A meter is read by the metering role or by its account's own firm.")
  func whoReads() {
    expect(
      """
      meter ana +1kWh by 3 ->
      meter eva +1kWh by 2 ->
      meter ana +1kWh by 2 -> rejected notPermitted 2
      session 4 of 1 roles 4 ->
      meter ana +1kWh by 4 -> rejected notPermitted 2
      meter ana +1kWh by 0 ->
      """)
  }

  @Test("Register sequences and intervals may have gaps, and a reading may be empty.")
  func gaps() {
    expect(
      """
      meter ana +1kWh seq 5 from 0s to 900s ->
      meter ana +0kWh seq 9 from 1800s to 2700s ->
      meter ana +1kWh seq 10 from 2700s to 2701s ->
      balance ana -> 2kWh of 10kWh free 1000.00 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      """)
  }

  @Test("A new tariff counts from the next reading.")
  func tariffs() {
    expect(
      """
      meter ana -1kWh -> metered imported 1kWh for 0.30
      tariff 1 feedin 0.01 retail 0.02 ->
      meter ana -1kWh -> metered imported 1kWh for 0.02
      meter ana +11kWh -> metered exported 1kWh for 0.01
      """)
  }

  @Test("A reading is rejected if its cost at grid prices does not fit the money type.")
  func readingLimits() {
    expect(
      """
      tariff 1 feedin 10000000.00 retail 0.30 ->
      meter ana +3000kWh -> rejected balanceLimit 2305843009213693952
      meter ana +2000kWh -> metered exported 1990kWh for 19900000000.00
      tariff 1 feedin 0.00 retail 10000000.00 ->
      meter ana -3000kWh -> rejected balanceLimit 2305843009213693952
      """)
  }
}
