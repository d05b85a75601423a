import Testing

@Suite("Rule 5: fill or kill, immediate, post-only, market orders among uncovered ones")
struct ExecutionTests {
  /// Waiting, live and half covered asks, on two prices.
  private let mixed = """
    meter cy +2kWh ->
    meter dee +1kWh ->
    enter A1 ana ask 5kWh @ 0.09 -> accepted A1 waiting 5kWh energy
    enter C1 cy ask 2kWh @ 0.10 -> accepted C1 live 2kWh
    enter D1 dee ask 3kWh @ 0.11 -> accepted D1 live 1kWh waiting 2kWh energy

    """

  @Test("Fill or kill counts only the covered quantity of waiting and partly covered orders.")
  func killAmongUncovered() {
    expect(
      mixed + """
        enter B1 ben bid 4kWh @ 0.11 fok -> accepted B1 live 4kWh; canceled B1 4kWh fillOrKill
        enter B2 ben bid 3kWh @ 0.11 fok -> accepted B2 live 3kWh; trade C1 B2 2kWh @ 0.10
        ; trade D1 B2 1kWh @ 0.11
        order D1 -> waiting 2kWh energy
        """)
  }

  @Test("Fill or kill is killed when its own cover does not suffice.")
  func killForLackOfOwnCover() {
    expect(
      mixed + """
        cap ben 1kWh ->
        enter B1 ben bid 2kWh @ 0.11 fok -> accepted B1 live 1kWh waiting 1kWh headroom
        ; canceled B1 2kWh fillOrKill
        enter B2 ben bid 1kWh @ 0.11 fok -> accepted B2 live 1kWh; trade C1 B2 1kWh @ 0.10
        """)
  }

  @Test("Fill or kill does not count quantity that its own trades would cover.")
  func killDoesNotLookAhead() {
    expect(
      """
      cap ana 2kWh ->
      meter ana +2kWh ->
      enter A1 ana ask 2kWh @ 0.10 -> accepted A1 live 2kWh
      enter A2 ana ask 1kWh @ 0.11 -> accepted A2 waiting 1kWh energy
      enter B1 ben bid 3kWh @ 0.11 fok -> accepted B1 live 3kWh; canceled B1 3kWh fillOrKill
      """)
  }

  @Test("Immediate or cancel trades with its covered part and ends with its waiting one.")
  func immediatePartlyCovered() {
    expect(
      mixed + """
        cap ben 1kWh ->
        enter B1 ben bid 3kWh @ 0.11 ioc -> accepted B1 live 1kWh waiting 2kWh headroom
        ; trade C1 B1 1kWh @ 0.10; canceled B1 2kWh immediate
        """)
  }

  @Test("An immediate order without any cover is taken and ends at once.")
  func immediateUncovered() {
    expect(
      """
      enter B1 ben bid 2kWh @ 0.10 -> accepted B1 live 2kWh
      enter A1 ana ask 2kWh @ 0.10 ioc -> accepted A1 waiting 2kWh energy
      ; canceled A1 2kWh immediate
      """)
  }

  @Test("A minimum that is met executes beyond itself; the rest follows the time in force.")
  func minimumAndImmediate() {
    expect(
      mixed + """
        enter B1 ben bid 5kWh @ 0.11 min 2kWh ioc -> accepted B1 live 5kWh
        ; trade C1 B1 2kWh @ 0.10; trade D1 B1 1kWh @ 0.11; canceled B1 2kWh immediate
        """)
  }

  @Test("A minimum is for the entry only: a later trade may be smaller.")
  func minimumIsForEntry() {
    expect(
      mixed + """
        enter B1 ben bid 6kWh @ 0.11 min 3kWh -> accepted B1 live 6kWh
        ; trade C1 B1 2kWh @ 0.10; trade D1 B1 1kWh @ 0.11
        meter dee +1kWh -> restated D1 live 1kWh waiting 1kWh energy; trade D1 B1 1kWh @ 0.11
        """)
  }

  @Test("A minimum of an uncovered order kills it.")
  func minimumOfUncovered() {
    expect(
      """
      enter A1 ana ask 2kWh @ 0.10 min 1kWh -> accepted A1 waiting 2kWh energy
      ; canceled A1 2kWh fillOrKill
      """)
  }

  @Test("A post-only bid may cross an ask that waits; the ask trades when it gains cover.")
  func postOnlyCrossesWaiting() {
    expect(
      """
      enter A1 ana ask 5kWh @ 0.10 -> accepted A1 waiting 5kWh energy
      enter B1 ben bid 5kWh @ 0.12 post -> accepted B1 live 5kWh
      meter ana +5kWh -> restated A1 live 5kWh; trade A1 B1 5kWh @ 0.12
      """)
  }

  @Test("A post-only order without cover may cross; with some cover it may not.")
  func postOnlyWithoutCover() {
    expect(
      """
      enter B1 ben bid 2kWh @ 0.12 -> accepted B1 live 2kWh
      enter A1 ana ask 2kWh @ 0.10 post -> accepted A1 waiting 2kWh energy
      meter cy +1kWh ->
      enter X cy ask 2kWh @ 0.12 post -> rejected postOnlyWouldTrade 12000
      enter C1 cy ask 2kWh @ 0.13 post -> accepted C1 live 1kWh waiting 1kWh energy
      """)
  }

  @Test("A post-only order that gains cover beside its price's best opposite rests.")
  func postOnlyGainsQuietly() {
    expect(
      """
      enter A1 ana ask 2kWh @ 0.12 post -> accepted A1 waiting 2kWh energy
      enter B1 ben bid 2kWh @ 0.11 -> accepted B1 live 2kWh
      meter ana +1kWh -> restated A1 live 1kWh waiting 1kWh energy
      meter ana +1kWh -> restated A1 live 2kWh
      """)
  }

  @Test("A live post-only order is not checked again when its cover grows.")
  func postOnlyGrowsInPlace() {
    expect(
      """
      meter ana +1kWh ->
      enter A1 ana ask 3kWh @ 0.10 post -> accepted A1 live 1kWh waiting 2kWh energy
      meter ana +2kWh -> restated A1 live 3kWh
      """)
  }

  @Test("In an empty book a market order is cancelled at once, as is fill or kill.")
  func marketInEmptyBook() {
    expect(
      """
      enter A1 ana ask 5kWh @ 0.09 -> accepted A1 waiting 5kWh energy
      enter B1 ben bid 1kWh market ioc -> accepted B1 live 1kWh; canceled B1 1kWh immediate
      enter B2 ben bid 1kWh market fok -> accepted B2 live 1kWh; canceled B2 1kWh fillOrKill
      """)
  }

  @Test("A market ask trades with bids from the highest to the lowest price, also negative ones.")
  func marketAsk() {
    expect(
      """
      meter ana +3kWh ->
      enter B1 ben bid 1kWh @ -1.00 -> accepted B1 live 1kWh
      enter C1 cy bid 1kWh @ 0.05 -> accepted C1 live 1kWh
      enter A1 ana ask 3kWh market ioc -> accepted A1 live 3kWh; trade A1 C1 1kWh @ 0.05
      ; trade A1 B1 1kWh @ -1.00; canceled A1 1kWh immediate
      """)
  }

  @Test("A market order that fills or is killed needs the whole quantity at any price.")
  func marketFillOrKill() {
    expect(
      mixed + """
        enter B1 ben bid 4kWh market fok -> accepted B1 live 4kWh; canceled B1 4kWh fillOrKill
        enter B2 ben bid 3kWh market fok -> accepted B2 live 3kWh; trade C1 B2 2kWh @ 0.10
        ; trade D1 B2 1kWh @ 0.11
        """)
  }

  @Test("At one price live orders trade in the order in which they became live.")
  func placeInTheLiveBook() {
    expect(
      """
      enter A1 ana ask 1kWh @ 0.10 -> accepted A1 waiting 1kWh energy
      enter C1 cy ask 1kWh @ 0.10 -> accepted C1 waiting 1kWh energy
      meter cy +1kWh -> restated C1 live 1kWh
      meter ana +1kWh -> restated A1 live 1kWh
      enter B1 ben bid 2kWh @ 0.10 -> accepted B1 live 2kWh; trade C1 B1 1kWh @ 0.10
      ; trade A1 B1 1kWh @ 0.10
      """)
  }

  @Test("At each price the published book lists waiting orders after live ones.")
  func bookShowsWaiting() {
    expect(
      mixed + """
        meter ana +1kWh -> restated A1 live 1kWh waiting 4kWh energy
        enter C2 cy ask 2kWh @ 0.10 -> accepted C2 waiting 2kWh energy
        cancel D1 -> canceled D1 3kWh user
        book 1 -> ask 0.09 A1 1kWh/5kWh | ask 0.10 C1 2kWh/2kWh | ask 0.10 C2 0kWh/2kWh
        """)
  }
}
