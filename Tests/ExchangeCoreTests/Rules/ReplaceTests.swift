import Testing

@Suite("Rule 5: replacing and mass cancelling")
struct ReplaceTests {
  @Test("The new quantity is the total and includes the executed quantity.")
  func totalCounts() {
    expect(
      """
      meter ana +2kWh ->
      enter B1 ben bid 5kWh @ 0.10 -> accepted B1 live 5kWh
      enter A1 ana ask 2kWh @ 0.10 -> accepted A1 live 2kWh; trade A1 B1 2kWh @ 0.10
      replace B1 4kWh @ 0.10 -> replaced B1 live 2kWh
      replace B1 2kWh @ 0.10 -> rejected quantityBelowExecuted 2000
      replace B1 3kWh @ 0.11 -> replaced B1 live 1kWh
      balance ben -> 2kWh of 10kWh free 999.69 reserved 0.11 asks 0kWh/0kWh bids 1kWh/1kWh
      """)
  }

  @Test("Lowering the quantity reduces the waiting part first.")
  func loweringTakesFromWaiting() {
    expect(
      """
      enter B1 ben bid 12kWh @ 0.10 -> accepted B1 live 10kWh waiting 2kWh headroom
      replace B1 11kWh @ 0.10 -> replaced B1 live 10kWh waiting 1kWh headroom
      replace B1 4kWh @ 0.10 -> replaced B1 live 4kWh
      """)
  }

  @Test("Lowering the quantity gives cover to the next order.")
  func loweringGivesCover() {
    expect(
      """
      meter ana +3kWh ->
      enter A1 ana ask 3kWh @ 0.10 -> accepted A1 live 3kWh
      enter A2 ana ask 3kWh @ 0.11 -> accepted A2 waiting 3kWh energy
      replace A1 1kWh @ 0.10 -> replaced A1 live 1kWh; restated A2 live 2kWh waiting 1kWh energy
      """)
  }

  @Test("An order replaced at a better price takes cover from the account's other order.")
  func betterPriceTakesCover() {
    expect(
      """
      meter ana +3kWh ->
      enter A1 ana ask 3kWh @ 0.10 -> accepted A1 live 3kWh
      enter A2 ana ask 3kWh @ 0.11 -> accepted A2 waiting 3kWh energy
      replace A2 3kWh @ 0.09 -> replaced A2 live 3kWh; restated A1 waiting 3kWh energy
      """)
  }

  @Test("Changing the price there and back loses the place, in the book and for cover.")
  func thereAndBack() {
    expect(
      """
      meter ana +3kWh ->
      enter A1 ana ask 2kWh @ 0.10 -> accepted A1 live 2kWh
      enter A2 ana ask 2kWh @ 0.10 -> accepted A2 live 1kWh waiting 1kWh energy
      replace A1 2kWh @ 0.11 -> replaced A1 live 1kWh waiting 1kWh energy; restated A2 live 2kWh
      replace A1 2kWh @ 0.10 -> replaced A1 live 1kWh waiting 1kWh energy
      book 1 -> ask 0.10 A2 2kWh/2kWh | ask 0.10 A1 1kWh/2kWh
      """)
  }

  @Test("Lowering the quantity keeps the time priority of a waiting order.")
  func loweringKeepsWaitingPlace() {
    expect(
      """
      enter A1 ana ask 3kWh @ 0.10 -> accepted A1 waiting 3kWh energy
      enter C1 cy ask 3kWh @ 0.10 -> accepted C1 waiting 3kWh energy
      replace A1 2kWh @ 0.10 -> replaced A1 waiting 2kWh energy
      book 1 -> ask 0.10 A1 0kWh/2kWh | ask 0.10 C1 0kWh/3kWh
      """)
  }

  @Test("Raising needs the cash for the difference; lowering frees it.")
  func cashForTheDifference() {
    expect(
      """
      withdraw ben 999.00 ->
      enter B1 ben bid 5kWh @ 0.10 -> accepted B1 live 5kWh
      replace B1 11kWh @ 0.10 -> rejected insufficientCash 50000000
      replace B1 10kWh @ 0.10 -> replaced B1 live 10kWh
      replace B1 9kWh @ 0.20 -> rejected insufficientCash
      replace B1 5kWh @ 0.20 -> replaced B1 live 5kWh
      replace B1 1kWh @ 0.20 -> replaced B1 live 1kWh
      balance ben -> 0kWh of 10kWh free 0.80 reserved 0.20 asks 0kWh/0kWh bids 1kWh/1kWh
      """)
  }

  @Test("Below zero a bid may be lowered or cancelled, neither raised nor repriced.")
  func belowZero() {
    expect(
      """
      enter B1 ben bid 3kWh @ 0.10 -> accepted B1 live 3kWh
      withdraw ben 999.70 ->
      meter ben -1kWh -> metered imported 1kWh for 0.30
      replace B1 4kWh @ 0.10 -> rejected insufficientCash -30000000
      replace B1 3kWh @ 0.05 -> rejected insufficientCash -30000000
      replace B1 2kWh @ 0.10 -> replaced B1 live 2kWh
      balance ben -> 0kWh of 10kWh free -0.20 reserved 0.20 asks 0kWh/0kWh bids 2kWh/2kWh
      cancel B1 -> canceled B1 2kWh user
      enter B2 ben bid 1kWh @ -0.10 -> accepted B2 live 1kWh
      """)
  }

  @Test("A replaced order is cancelled by its new client order id, not by the old one.")
  func newClientOrderId() {
    expect(
      """
      enter B1 ben bid 3kWh @ 0.10 id 5 -> accepted B1 live 3kWh
      replace B1 2kWh @ 0.10 id 9 -> replaced B1 live 2kWh
      cancel for ben id 5 -> rejected unknownOrder
      cancel for ben id 9 -> canceled B1 2kWh user
      """)
  }

  @Test("A replace checks quantity before price, and both before cash.")
  func orderOfChecks() {
    expect(
      """
      enter B1 ben bid 3kWh @ 0.10 -> accepted B1 live 3kWh
      replace B1 0kWh @ 9.99 -> rejected quantityNotPositive
      replace B1 1500Wh @ 9.99 -> rejected offLot 1000
      replace B1 68719477kWh @ 9.99 -> rejected quantityTooLarge 68719476736
      replace B1 4kWh @ 9.999 -> rejected offTick 1000
      replace B1 4kWh @ 9.99 -> rejected priceOutOfBand 100000
      replace B1 4kWh @ -9.99 -> rejected priceOutOfBand -100000
      replace B1 60000kWh @ 0.99 -> rejected insufficientCash 99970000000
      """)
  }

  @Test("A mass cancel by instrument and by side leaves the others.")
  func massScopes() {
    expect(
      """
      spot 2 ->
      meter ana +4kWh ->
      enter A1 ana ask 1kWh @ 0.20 -> accepted A1 live 1kWh
      enter A2 ana bid 1kWh @ 0.10 -> accepted A2 live 1kWh
      enter A3 ana ask 1kWh @ 0.20 in 2 -> accepted A3 live 1kWh
      enter A4 ana bid 1kWh @ 0.10 in 2 -> accepted A4 live 1kWh
      enter B1 ben bid 1kWh @ 0.10 in 2 -> accepted B1 live 1kWh
      mass ana bids in 2 -> canceled A4 1kWh mass; massCanceled 1
      mass ana in 2 -> canceled A3 1kWh mass; massCanceled 1
      mass ana asks -> canceled A1 1kWh mass; massCanceled 1
      mass ana -> canceled A2 1kWh mass; massCanceled 1
      order B1 -> live 1kWh
      """)
  }

  @Test("A mass cancel visits areas in the order in which the account got positions there.")
  func massOverAreas() {
    expect(
      """
      area 2 cost 1500.00 price 200.00 ->
      spot 2 in 2 ->
      enter A1 ana bid 1kWh @ 0.90 in 2 -> accepted A1 live 1kWh
      enter A2 ana bid 1kWh @ 0.10 -> accepted A2 live 1kWh
      enter A3 ana ask 1kWh @ 0.20 -> accepted A3 waiting 1kWh energy
      enter A4 ana bid 1kWh @ 0.11 -> accepted A4 live 1kWh
      mass ana -> canceled A3 1kWh mass; canceled A4 1kWh mass; canceled A2 1kWh mass
      ; canceled A1 1kWh mass; massCanceled 4
      """)
  }

  @Test("A mass cancel of one side lets the waiting orders of the other instrument gain its cover.")
  func massGivesCover() {
    expect(
      """
      spot 2 ->
      meter ana +1kWh ->
      enter A1 ana ask 1kWh @ 0.10 -> accepted A1 live 1kWh
      enter A2 ana ask 1kWh @ 0.20 in 2 -> accepted A2 waiting 1kWh energy
      mass ana in 1 -> canceled A1 1kWh mass; massCanceled 1; restated A2 live 1kWh
      """)
  }
}
