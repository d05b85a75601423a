import Testing

@Suite("Rule 5: halting, opening, closing")
struct InstrumentStateTests {
  @Test("A reading during a halt gives no cover; opening gives cover and causes trades.")
  func readingDuringHalt() {
    expect(
      """
      enter A1 ana ask 5kWh @ 0.10 -> accepted A1 waiting 5kWh energy
      enter B1 ben bid 5kWh @ 0.12 -> accepted B1 live 5kWh
      halt 1 -> restated B1 waiting 5kWh halted; restated A1 waiting 5kWh halted
      meter ana +5kWh ->
      order A1 -> waiting 5kWh halted
      open 1 -> restated B1 live 5kWh; restated A1 live 5kWh; trade A1 B1 5kWh @ 0.12
      """)
  }

  @Test("Orders of a halted instrument use no cover; opening distributes it by price.")
  func haltedUseNoCover() {
    expect(
      """
      spot 2 ->
      meter ana +2kWh ->
      enter A1 ana ask 2kWh @ 0.10 -> accepted A1 live 2kWh
      enter A2 ana ask 2kWh @ 0.11 in 2 -> accepted A2 waiting 2kWh energy
      halt 1 -> restated A1 waiting 2kWh halted; restated A2 live 2kWh
      open 1 -> restated A2 waiting 2kWh energy; restated A1 live 2kWh
      """)
  }

  @Test("Energy above the cap is exported if the ask for it is halted.")
  func exportDuringHalt() {
    expect(
      """
      enter B1 ben bid 5kWh @ 0.12 -> accepted B1 live 5kWh
      enter A1 ana ask 5kWh @ 0.10 -> accepted A1 waiting 5kWh energy
      halt 1 -> restated B1 waiting 5kWh halted; restated A1 waiting 5kWh halted
      meter ana +12kWh -> metered exported 2kWh for 0.10
      """)
  }

  @Test("During a halt no order enters or changes; cancels and mass cancels are accepted.")
  func commandsDuringHalt() {
    expect(
      """
      enter B1 ben bid 5kWh @ 0.12 -> accepted B1 live 5kWh
      enter B2 ben bid 1kWh @ 0.11 -> accepted B2 live 1kWh
      halt 1 -> restated B1 waiting 5kWh halted; restated B2 waiting 1kWh halted
      enter X ben bid 1kWh @ 0.12 -> rejected instrumentHalted
      replace B1 4kWh @ 0.12 -> rejected instrumentHalted
      cancel B2 -> canceled B2 1kWh user
      mass ben -> canceled B1 5kWh mass; massCanceled 1
      """)
  }

  @Test("A halt keeps the reservations.")
  func haltKeepsReservations() {
    expect(
      """
      enter B1 ben bid 5kWh @ 0.10 -> accepted B1 live 5kWh
      halt 1 -> restated B1 waiting 5kWh halted
      balance ben -> 0kWh of 10kWh free 999.50 reserved 0.50 asks 0kWh/0kWh bids 0kWh/5kWh
      """)
  }

  @Test("A second halt or opening causes no event.")
  func sameStateAgain() {
    expect(
      """
      enter B1 ben bid 1kWh @ 0.10 -> accepted B1 live 1kWh
      open 1 ->
      halt 1 -> restated B1 waiting 1kWh halted
      halt 1 ->
      open 1 -> restated B1 live 1kWh
      close 1 -> canceled B1 1kWh closed
      close 1 ->
      """)
  }

  @Test("On a halt live orders queue after the orders that already waited.")
  func ordersInAHalt() {
    expect(
      """
      meter ana +1kWh ->
      enter C1 cy ask 1kWh @ 0.10 -> accepted C1 waiting 1kWh energy
      enter A1 ana ask 1kWh @ 0.10 -> accepted A1 live 1kWh
      halt 1 -> restated A1 waiting 1kWh halted; restated C1 waiting 1kWh halted
      book 1 -> ask 0.10 C1 0kWh/1kWh | ask 0.10 A1 0kWh/1kWh
      open 1 -> restated A1 live 1kWh
      """)
  }

  @Test("Opening covers in book order: an ask may trade at a bid that gained cover before it.")
  func openingInBookOrder() {
    expect(
      """
      meter ana +2kWh ->
      enter A1 ana ask 2kWh @ 0.14 -> accepted A1 live 2kWh
      enter B1 ben bid 2kWh @ 0.12 -> accepted B1 live 2kWh
      halt 1 -> restated B1 waiting 2kWh halted; restated A1 waiting 2kWh halted
      open 1 -> restated B1 live 2kWh; restated A1 live 2kWh
      enter C1 cy bid 1kWh @ 0.14 -> accepted C1 live 1kWh; trade A1 C1 1kWh @ 0.14
      """)
  }

  @Test("Closing an instrument frees the account's energy for its other orders.")
  func closingGivesCover() {
    expect(
      """
      spot 2 ->
      meter ana +2kWh ->
      enter A1 ana ask 2kWh @ 0.10 -> accepted A1 live 2kWh
      enter A2 ana ask 2kWh @ 0.11 in 2 -> accepted A2 waiting 2kWh energy
      close 1 -> canceled A1 2kWh closed; restated A2 live 2kWh
      """)
  }

  @Test("A halted instrument can be closed, a closed one neither halted nor traded.")
  func closingFromHalt() {
    expect(
      """
      enter B1 ben bid 1kWh @ 0.10 -> accepted B1 live 1kWh
      halt 1 -> restated B1 waiting 1kWh halted
      close 1 -> canceled B1 1kWh closed
      halt 1 -> rejected instrumentClosed
      enter X ben bid 1kWh @ 0.10 -> rejected instrumentClosed
      agent ben buy 0.10 below 1kWh -> rejected instrumentClosed
      replace B1 1kWh @ 0.11 -> rejected unknownOrder
      mass ben in 1 -> massCanceled 0
      """)
  }

  @Test("A standing instruction rests during a halt and does not wake by opening.")
  func instructionsDuringHalt() {
    expect(
      """
      agent ana sell 0.10 above 6kWh target 4kWh ->
      halt 1 ->
      meter ana +7kWh ->
      open 1 ->
      meter ana +1kWh -> accepted agent.ana live 4kWh
      """)
  }

  @Test("An entering order gets cover after better-priced orders of open instruments only.")
  func haltedDoNotStandBefore() {
    expect(
      """
      spot 2 ->
      meter ana +3kWh ->
      enter A1 ana ask 2kWh @ 0.10 -> accepted A1 live 2kWh
      halt 1 -> restated A1 waiting 2kWh halted
      enter A2 ana ask 2kWh @ 0.11 in 2 -> accepted A2 live 2kWh
      enter A3 ana ask 2kWh @ 0.12 in 2 -> accepted A3 live 1kWh waiting 1kWh energy
      """)
  }
}
