import Testing

@Suite("Rule 6: fees, reservations, negative prices")
struct FeeTests {
  @Test("The resting side pays the maker rate, the entering side the taker rate.")
  func makerAndTaker() {
    expect(
      """
      spot 2 maker 2000 taker 5000 ->
      meter ana +2kWh ->
      enter A1 ana ask 1kWh @ 0.10 in 2 -> accepted A1 live 1kWh
      enter B1 ben bid 1kWh @ 0.10 in 2 -> accepted B1 live 1kWh
      ; trade A1 B1 1kWh @ 0.10 fees 0.0002 0.0005
      enter B2 ben bid 1kWh @ 0.10 in 2 -> accepted B2 live 1kWh
      enter A2 ana ask 1kWh @ 0.10 in 2 -> accepted A2 live 1kWh
      ; trade A2 B2 1kWh @ 0.10 fees 0.0005 0.0002
      """)
  }

  @Test("Each trade's fee rounds up by itself, so three small trades cost more than one.")
  func everyTradeRounds() {
    expect(
      """
      spot 2 lot 1Wh tick 0.00001 maker 1 taker 3 ->
      meter ana +6Wh ->
      enter A1 ana ask 6Wh @ 0.00001 in 2 -> accepted A1 live 6Wh
      enter B1 ben bid 1Wh @ 0.00001 in 2 -> accepted B1 live 1Wh
      ; trade A1 B1 1Wh @ 0.00001 fees 0.00000001 0.00000001
      enter B2 ben bid 1Wh @ 0.00001 in 2 -> accepted B2 live 1Wh
      ; trade A1 B2 1Wh @ 0.00001 fees 0.00000001 0.00000001
      enter B3 ben bid 1Wh @ 0.00001 in 2 -> accepted B3 live 1Wh
      ; trade A1 B3 1Wh @ 0.00001 fees 0.00000001 0.00000001
      enter C1 cy bid 3Wh @ 0.00001 in 2 -> accepted C1 live 3Wh
      ; trade A1 C1 3Wh @ 0.00001 fees 0.00000001 0.00000001
      balance ben -> 3Wh of 10kWh free 999.99999994 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      balance cy -> 3Wh of 10kWh free 999.99999996 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      balance ana -> 0kWh of 10kWh free 1000.00000002 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      """)
  }

  @Test("A fee that is whole does not round; one part in a million more does.")
  func exactFees() {
    expect(
      """
      spot 2 maker 100000 taker 100001 ->
      meter ana +1kWh ->
      enter A1 ana ask 1kWh @ 0.01 in 2 -> accepted A1 live 1kWh
      enter B1 ben bid 1kWh @ 0.01 in 2 -> accepted B1 live 1kWh
      ; trade A1 B1 1kWh @ 0.01 fees 0.001 0.00100001
      """)
  }

  @Test("At a price of zero there is neither notional nor fee.")
  func priceOfZero() {
    expect(
      """
      spot 2 maker 2000 taker 5000 ->
      meter ana +1kWh ->
      enter A1 ana ask 1kWh @ 0.00 in 2 -> accepted A1 live 1kWh
      enter B1 ben bid 1kWh @ 0.00 in 2 -> accepted B1 live 1kWh; trade A1 B1 1kWh @ 0.00
      balance ben -> 1kWh of 10kWh free 1000.00 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      """)
  }

  @Test("A bid reserves at the higher fee rate and gets the difference to the actual fee back.")
  func reservesTheHigherRate() {
    expect(
      """
      spot 2 maker 0 taker 500000 ->
      meter ana +2kWh ->
      enter B1 ben bid 2kWh @ 0.10 in 2 -> accepted B1 live 2kWh
      balance ben -> 0kWh of 10kWh free 999.70 reserved 0.30 asks 0kWh/0kWh bids 2kWh/2kWh
      enter A1 ana ask 1kWh @ 0.10 in 2 -> accepted A1 live 1kWh
      ; trade A1 B1 1kWh @ 0.10 fees 0.05 0.00
      balance ben -> 1kWh of 10kWh free 999.75 reserved 0.15 asks 0kWh/0kWh bids 1kWh/1kWh
      """)
  }

  @Test("A seller without cash pays the fee from the proceeds.")
  func sellerWithoutCash() {
    expect(
      """
      spot 2 maker 2000 taker 5000 ->
      withdraw ana 1000.00 ->
      meter ana +1kWh ->
      enter B1 ben bid 1kWh @ 0.10 in 2 -> accepted B1 live 1kWh
      enter A1 ana ask 1kWh @ 0.10 in 2 -> accepted A1 live 1kWh
      ; trade A1 B1 1kWh @ 0.10 fees 0.0005 0.0002
      balance ana -> 0kWh of 10kWh free 0.0995 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      """)
  }

  @Test("At a negative price cash moves the other way, and both pay fees on its magnitude.")
  func negativePriceWithFees() {
    expect(
      """
      spot 2 maker 2000 taker 5000 ->
      meter ana +1kWh ->
      enter A1 ana ask 1kWh @ -0.10 in 2 -> accepted A1 live 1kWh
      balance ana -> 1kWh of 10kWh free 999.8995 reserved 0.1005 asks 1kWh/1kWh bids 0kWh/0kWh
      enter B1 ben bid 1kWh @ -0.10 in 2 -> accepted B1 live 1kWh
      ; trade A1 B1 1kWh @ -0.10 fees 0.0002 0.0005
      balance ana -> 0kWh of 10kWh free 999.8998 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      balance ben -> 1kWh of 10kWh free 1000.0995 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      """)
  }

  @Test("A bid at a negative price reserves its fee alone.")
  func negativeBid() {
    expect(
      """
      spot 2 maker 2000 taker 5000 ->
      withdraw ben 1000.00 ->
      enter B1 ben bid 1kWh @ -0.10 -> accepted B1 live 1kWh
      enter X ben bid 1kWh @ -0.10 in 2 -> rejected insufficientCash
      deposit ben 0.0005 ->
      enter B2 ben bid 1kWh @ -0.10 in 2 -> accepted B2 live 1kWh
      balance ben -> 0kWh of 10kWh free 0.00 reserved 0.0005 asks 0kWh/0kWh bids 2kWh/2kWh
      """)
  }

  @Test("An ask at a negative price needs the cash that it would pay.")
  func negativeAskNeedsCash() {
    expect(
      """
      withdraw ana 999.95 ->
      meter ana +1kWh ->
      enter X ana ask 1kWh @ -0.10 -> rejected insufficientCash 5000000
      enter A1 ana ask 1kWh @ -0.05 -> accepted A1 live 1kWh
      """)
  }

  @Test("A bid that trades with an ask at a negative price is paid by the seller.")
  func priceImprovementAcrossZero() {
    expect(
      """
      meter ana +1kWh ->
      enter A1 ana ask 1kWh @ -0.10 -> accepted A1 live 1kWh
      enter B1 ben bid 1kWh @ 0.10 -> accepted B1 live 1kWh; trade A1 B1 1kWh @ -0.10
      balance ben -> 1kWh of 10kWh free 1000.10 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      """)
  }

  @Test("An ask with a negative limit is paid at a positive price; its reservation is released.")
  func reservationOfAnAskComesBack() {
    expect(
      """
      meter ana +1kWh ->
      enter B1 ben bid 1kWh @ 0.10 -> accepted B1 live 1kWh
      enter A1 ana ask 1kWh @ -0.50 -> accepted A1 live 1kWh; trade A1 B1 1kWh @ 0.10
      balance ana -> 0kWh of 10kWh free 1000.10 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      """)
  }

  @Test("A market order reserves at the band's edge: a bid its top, an ask its bottom.")
  func marketReservation() {
    expect(
      """
      withdraw ben 999.50 ->
      enter X ben bid 1kWh market ioc -> rejected insufficientCash 50000000
      enter X ben ask 1kWh market ioc -> rejected insufficientCash 50000000
      spot 2 lot 500Wh ->
      enter B1 ben bid 500Wh market ioc in 2 -> accepted B1 live 500Wh; canceled B1 500Wh immediate
      """)
  }

  @Test("A cancel releases the whole reservation, including that of waiting quantity.")
  func cancelReleases() {
    expect(
      """
      spot 2 maker 0 taker 100000 ->
      cap ben 1kWh ->
      enter B1 ben bid 5kWh @ 0.10 in 2 -> accepted B1 live 1kWh waiting 4kWh headroom
      balance ben -> 0kWh of 1kWh free 999.45 reserved 0.55 asks 0kWh/0kWh bids 1kWh/5kWh
      cancel B1 -> canceled B1 5kWh user
      balance ben -> 0kWh of 1kWh free 1000.00 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      """)
  }

  @Test("Currencies are apart: francs do not pay for a bid in euros.")
  func currencies() {
    expect(
      """
      withdraw ana 1000.00 ->
      deposit ana 50.00 CHF ->
      enter X ana bid 1kWh @ 0.10 -> rejected insufficientCash
      area 2 CHF cost 300.00 price 200.00 ->
      spot 2 in 2 ->
      enter A1 ana bid 1kWh @ 0.10 in 2 -> accepted A1 live 1kWh
      balance ana in 2 -> 0kWh of 2kWh free 49.90 reserved 0.10 asks 0kWh/0kWh bids 1kWh/1kWh
      withdraw ana 49.95 CHF -> rejected insufficientCash 4990000000
      """)
  }

  @Test("Where the resting side pays more, a bid reserves at the maker's rate.")
  func reservesTheMakersRate() {
    expect(
      """
      spot 2 maker 500000 taker 0 ->
      enter B1 ben bid 1kWh @ 0.10 in 2 -> accepted B1 live 1kWh
      balance ben -> 0kWh of 10kWh free 999.85 reserved 0.15 asks 0kWh/0kWh bids 1kWh/1kWh
      """)
  }
}
