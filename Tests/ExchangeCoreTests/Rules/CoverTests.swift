import Testing

@Suite("Cover: orders that rest but cannot execute")
struct CoverTests {
  @Test("An ask waits for its meter, then trades at the resting bid.")
  func askWaitsForItsMeter() {
    expect(
      """
      enter A1 ana ask 5kWh @ 0.10 -> accepted A1 waiting 5kWh energy
      enter B1 ben bid 5kWh @ 0.12 -> accepted B1 live 5kWh
      meter ana +5kWh -> restated A1 live 5kWh; trade A1 B1 5kWh @ 0.12
      """)
  }

  @Test("The published book overlaps while the live book does not.")
  func publishedBookOverlaps() {
    expect(
      """
      enter A1 ana ask 5kWh @ 0.10 -> accepted A1 waiting 5kWh energy
      enter B1 ben bid 5kWh @ 0.12 -> accepted B1 live 5kWh
      book 1 -> bid 0.12 B1 5kWh/5kWh | ask 0.10 A1 0kWh/5kWh
      """)
  }

  @Test("Energy covers the better-priced ask first, whichever came first.")
  func betterPriceFirst() {
    expect(
      """
      enter A1 ana ask 3kWh @ 0.20 -> accepted A1 waiting 3kWh energy
      enter A2 ana ask 3kWh @ 0.10 -> accepted A2 waiting 3kWh energy
      meter ana +4kWh -> restated A2 live 3kWh; restated A1 live 1kWh waiting 2kWh energy
      """)
  }

  @Test("At one price energy covers the earlier ask first.")
  func earlierFirst() {
    expect(
      """
      enter A1 ana ask 3kWh @ 0.10 -> accepted A1 waiting 3kWh energy
      enter A2 ana ask 3kWh @ 0.10 -> accepted A2 waiting 3kWh energy
      meter ana +3kWh -> restated A1 live 3kWh
      order A2 -> waiting 3kWh energy
      """)
  }

  @Test("Headroom covers the higher-priced bid first.")
  func higherBidFirst() {
    expect(
      """
      cap ben 4kWh ->
      enter B1 ben bid 3kWh @ 0.10 -> accepted B1 live 3kWh
      enter B2 ben bid 3kWh @ 0.12 -> accepted B2 live 3kWh
      ; restated B1 live 1kWh waiting 2kWh headroom
      """)
  }

  @Test("Consumption reduces the cover of the worst-priced ask, which keeps its time priority.")
  func burningTakesFromTheWorst() {
    expect(
      """
      meter ana +6kWh ->
      enter A1 ana ask 3kWh @ 0.10 -> accepted A1 live 3kWh
      enter A2 ana ask 3kWh @ 0.11 -> accepted A2 live 3kWh
      meter cy +2kWh ->
      enter C1 cy ask 2kWh @ 0.11 -> accepted C1 live 2kWh
      meter ana -2kWh -> restated A2 live 1kWh waiting 2kWh energy
      book 1 -> ask 0.10 A1 3kWh/3kWh | ask 0.11 A2 1kWh/3kWh | ask 0.11 C1 2kWh/2kWh
      """)
  }

  @Test("An ask that lost all cover and regains it queues after the asks that entered in between.")
  func regainedCoverGoesToTheTail() {
    expect(
      """
      meter ana +2kWh ->
      enter A1 ana ask 2kWh @ 0.10 -> accepted A1 live 2kWh
      meter cy +2kWh ->
      enter C1 cy ask 2kWh @ 0.10 -> accepted C1 live 2kWh
      meter ana -2kWh -> restated A1 waiting 2kWh energy
      meter ana +2kWh -> restated A1 live 2kWh
      enter B1 ben bid 2kWh @ 0.10 -> accepted B1 live 2kWh; trade C1 B1 2kWh @ 0.10
      """)
  }

  @Test("A live ask keeps its time priority when its cover grows.")
  func growingKeepsThePlace() {
    expect(
      """
      meter ana +1kWh ->
      enter A1 ana ask 2kWh @ 0.10 -> accepted A1 live 1kWh waiting 1kWh energy
      meter cy +2kWh ->
      enter C1 cy ask 2kWh @ 0.10 -> accepted C1 live 2kWh
      meter ana +1kWh -> restated A1 live 2kWh
      enter B1 ben bid 2kWh @ 0.10 -> accepted B1 live 2kWh; trade A1 B1 2kWh @ 0.10
      """)
  }

  @Test("Cover is counted in whole lots; a remainder below one lot covers nothing.")
  func wholeLots() {
    expect(
      """
      enter A1 ana ask 3kWh @ 0.10 -> accepted A1 waiting 3kWh energy
      meter ana +2999Wh -> restated A1 live 2kWh waiting 1kWh energy
      meter ana +1Wh -> restated A1 live 3kWh
      """)
  }

  @Test("A remainder below one lot does not cover the next order, even if that has a smaller lot.")
  func leftOverCoversNothing() {
    expect(
      """
      spot 2 lot 100Wh ->
      enter A1 ana ask 2kWh @ 0.10 -> accepted A1 waiting 2kWh energy
      enter A2 ana ask 500Wh @ 0.20 in 2 -> accepted A2 waiting 500Wh energy
      meter ana +1900Wh -> restated A1 live 1kWh waiting 1kWh energy
      order A2 -> waiting 500Wh energy
      meter ana +200Wh -> restated A1 live 2kWh; restated A2 live 100Wh waiting 400Wh energy
      """)
  }

  @Test("A trade gives the seller headroom, and its waiting bid enters and trades.")
  func tradeGivesHeadroom() {
    expect(
      """
      spot 2 ->
      cap ana 5kWh ->
      meter ana +5kWh ->
      enter A1 ana bid 1kWh @ 0.15 in 2 -> accepted A1 waiting 1kWh headroom
      meter cy +1kWh ->
      enter C1 cy ask 1kWh @ 0.14 in 2 -> accepted C1 live 1kWh
      enter A2 ana ask 2kWh @ 0.20 -> accepted A2 live 2kWh
      enter B1 ben bid 1kWh @ 0.20 -> accepted B1 live 1kWh; trade A2 B1 1kWh @ 0.20
      ; restated A1 live 1kWh; trade C1 A1 1kWh @ 0.14
      """)
  }

  @Test("A trade gives the buyer energy, and its waiting ask enters and trades on.")
  func tradeGivesEnergy() {
    expect(
      """
      meter ana +2kWh ->
      enter B1 ben ask 2kWh @ 0.20 -> accepted B1 waiting 2kWh energy
      enter C1 cy bid 2kWh @ 0.25 -> accepted C1 live 2kWh
      enter B2 ben bid 2kWh @ 0.10 -> accepted B2 live 2kWh
      cancel C1 -> canceled C1 2kWh user
      enter A1 ana ask 2kWh @ 0.10 -> accepted A1 live 2kWh; trade A1 B2 2kWh @ 0.10
      ; restated B1 live 2kWh
      """)
  }

  @Test(
    "Cover that an incoming order takes from its account's orders is recalculated after matching.")
  func displacementIsSettledAfterMatching() {
    expect(
      """
      meter ana +2kWh ->
      enter A1 ana ask 2kWh @ 0.20 -> accepted A1 live 2kWh
      enter A2 ana ask 2kWh @ 0.10 -> accepted A2 live 2kWh; restated A1 waiting 2kWh energy
      """)
  }

  @Test("An immediate-or-cancel order that does not trade displaces nothing.")
  func immediateDisplacesNothing() {
    expect(
      """
      meter ana +2kWh ->
      enter A1 ana ask 2kWh @ 0.20 -> accepted A1 live 2kWh
      enter A2 ana ask 2kWh @ 0.10 ioc -> accepted A2 live 2kWh; canceled A2 2kWh immediate
      order A1 -> live 2kWh
      """)
  }

  @Test("Raising the cap gives bids headroom; lowering it takes cover from the worst-priced bid.")
  func capGivesAndTakesHeadroom() {
    expect(
      """
      enter B1 ben bid 12kWh @ 0.10 -> accepted B1 live 10kWh waiting 2kWh headroom
      cap ben 12kWh -> restated B1 live 12kWh
      cap ben 3kWh -> restated B1 live 3kWh waiting 9kWh headroom
      cap ben 0kWh -> restated B1 waiting 12kWh headroom
      """)
  }

  @Test("Cancelling a better-priced ask gives its cover to the next.")
  func cancelGivesCover() {
    expect(
      """
      meter ana +2kWh ->
      enter A1 ana ask 2kWh @ 0.10 -> accepted A1 live 2kWh
      enter A2 ana ask 2kWh @ 0.11 -> accepted A2 waiting 2kWh energy
      cancel A1 -> canceled A1 2kWh user; restated A2 live 2kWh
      """)
  }

  @Test("A waiting post-only ask that would trade when it gains cover is cancelled.")
  func postOnlyGainingCover() {
    expect(
      """
      enter A1 ana ask 2kWh @ 0.10 post -> accepted A1 waiting 2kWh energy
      enter B1 ben bid 2kWh @ 0.12 -> accepted B1 live 2kWh
      meter ana +2kWh -> canceled A1 2kWh postOnly
      """)
  }

  @Test("The explanation of a waiting ask lists the orders that use its energy.")
  func explainsWhoUsesTheEnergy() {
    expect(
      """
      meter ana +2kWh ->
      enter A1 ana ask 2kWh @ 0.10 -> accepted A1 live 2kWh
      enter A2 ana ask 2kWh @ 0.11 -> accepted A2 waiting 2kWh energy
      explain A2 -> waits 2kWh energy used by A1
      explain A1 -> nothing opposite
      """)
  }
}
