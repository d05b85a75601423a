import Testing

@Suite("Priority, matching, time in force, self-trade prevention")
struct MatchingTests {
  private let asks = """
    meter ana +5kWh ->
    meter cy +5kWh ->
    enter A1 ana ask 2kWh @ 0.11 -> accepted A1 live 2kWh
    enter C1 cy ask 2kWh @ 0.10 -> accepted C1 live 2kWh
    enter A2 ana ask 2kWh @ 0.10 -> accepted A2 live 2kWh

    """

  @Test("A bid takes the best price first, then the earliest, each at the resting price.")
  func priceThenTime() {
    expect(
      asks + """
        enter B1 ben bid 5kWh @ 0.12 -> accepted B1 live 5kWh
        ; trade C1 B1 2kWh @ 0.10; trade A2 B1 2kWh @ 0.10; trade A1 B1 1kWh @ 0.11
        """)
  }

  @Test("Asks above a bid's limit stay in the book, and the rest of the bid rests.")
  func limitHolds() {
    expect(
      asks + """
        enter B1 ben bid 5kWh @ 0.10 -> accepted B1 live 5kWh
        ; trade C1 B1 2kWh @ 0.10; trade A2 B1 2kWh @ 0.10
        order B1 -> live 1kWh
        order A1 -> live 2kWh
        """)
  }

  @Test("Immediate or cancel: quantity that does not trade on entry is cancelled.")
  func immediateOrCancel() {
    expect(
      asks + """
        enter B1 ben bid 5kWh @ 0.10 ioc -> accepted B1 live 5kWh
        ; trade C1 B1 2kWh @ 0.10; trade A2 B1 2kWh @ 0.10; canceled B1 1kWh immediate
        order B1 -> gone
        """)
  }

  @Test("Fill or kill: all or nothing.")
  func fillOrKill() {
    expect(
      asks + """
        enter B1 ben bid 5kWh @ 0.10 fok -> accepted B1 live 5kWh; canceled B1 5kWh fillOrKill
        enter B2 ben bid 4kWh @ 0.10 fok -> accepted B2 live 4kWh
        ; trade C1 B2 2kWh @ 0.10; trade A2 B2 2kWh @ 0.10
        """)
  }

  @Test("Fill or kill counts executable quantity only: waiting asks do not help.")
  func fillOrKillSeesCovered() {
    expect(
      """
      enter A1 ana ask 5kWh @ 0.10 -> accepted A1 waiting 5kWh energy
      enter B1 ben bid 5kWh @ 0.10 fok -> accepted B1 live 5kWh; canceled B1 5kWh fillOrKill
      """)
  }

  @Test("A minimum quantity that cannot execute at once cancels the order.")
  func minimumQuantity() {
    expect(
      asks + """
        enter B1 ben bid 8kWh @ 0.10 min 5kWh -> accepted B1 live 8kWh; canceled B1 8kWh fillOrKill
        enter B2 ben bid 8kWh @ 0.10 min 4kWh -> accepted B2 live 8kWh
        ; trade C1 B2 2kWh @ 0.10; trade A2 B2 2kWh @ 0.10
        order B2 -> live 4kWh
        """)
  }

  @Test("A market bid trades at all prices up to the edge of the band.")
  func marketOrder() {
    expect(
      asks + """
        enter B1 ben bid 7kWh market ioc -> accepted B1 live 7kWh; trade C1 B1 2kWh @ 0.10
        ; trade A2 B1 2kWh @ 0.10; trade A1 B1 2kWh @ 0.11; canceled B1 1kWh immediate
        """)
  }

  @Test("A good-till-time order ends at its time, before the command of that time.")
  func goodTillTime() {
    expect(
      """
      enter B1 ben bid 1kWh @ 0.10 gtt expires 60s -> accepted B1 live 1kWh
      tick 59s ->
      order B1 -> live 1kWh
      tick 1s -> canceled B1 1kWh expired
      """)
  }

  @Test("Equal expire times end in order of arrival, also after a replace that lost the place.")
  func expiryFollowsReplace() {
    expect(
      """
      enter B1 ben bid 1kWh @ 0.10 gtt expires 60s -> accepted B1 live 1kWh
      enter C1 cy bid 1kWh @ 0.10 gtt expires 60s -> accepted C1 live 1kWh
      replace B1 1kWh @ 0.09 -> replaced B1 live 1kWh
      tick 60s -> canceled C1 1kWh expired; canceled B1 1kWh expired
      """)
  }

  @Test("Lowering the quantity keeps the time priority.")
  func lowerKeepsPlace() {
    expect(
      """
      enter B1 ben bid 3kWh @ 0.10 -> accepted B1 live 3kWh
      enter C1 cy bid 3kWh @ 0.10 -> accepted C1 live 3kWh
      replace B1 2kWh @ 0.10 -> replaced B1 live 2kWh
      book 1 -> bid 0.10 B1 2kWh/2kWh | bid 0.10 C1 3kWh/3kWh
      """)
  }

  @Test("Raising the quantity loses the place.")
  func raiseLosesPlace() {
    expect(
      """
      enter B1 ben bid 3kWh @ 0.10 -> accepted B1 live 3kWh
      enter C1 cy bid 3kWh @ 0.10 -> accepted C1 live 3kWh
      replace B1 4kWh @ 0.10 -> replaced B1 live 4kWh
      book 1 -> bid 0.10 C1 3kWh/3kWh | bid 0.10 B1 4kWh/4kWh
      """)
  }

  @Test("A replace to a crossing price trades at the resting price.")
  func replaceTrades() {
    expect(
      asks + """
        enter B1 ben bid 3kWh @ 0.05 -> accepted B1 live 3kWh
        replace B1 3kWh @ 0.10 -> replaced B1 live 3kWh; trade C1 B1 2kWh @ 0.10
        ; trade A2 B1 1kWh @ 0.10
        """)
  }

  @Test("A post-only order that would trade is rejected with the best opposite price.")
  func postOnlyOnEntry() {
    expect(
      asks + """
        enter B1 ben bid 3kWh @ 0.10 post -> rejected postOnlyWouldTrade 10000
        enter B2 ben bid 3kWh @ 0.09 post -> accepted B2 live 3kWh
        replace B2 3kWh @ 0.11 -> rejected postOnlyWouldTrade 10000
        """)
  }

  @Test("Self-trade prevention, cancel newer: the entering order goes.")
  func cancelNewer() {
    expect(
      asks + """
        enter C2 cy bid 3kWh @ 0.11 -> accepted C2 live 3kWh; canceled C2 3kWh selfTrade
        """)
  }

  @Test("Self-trade prevention, cancel older: the resting order is cancelled, matching continues.")
  func cancelOlder() {
    expect(
      asks + """
        enter C2 cy bid 3kWh @ 0.11 stp older -> accepted C2 live 3kWh; canceled C1 2kWh selfTrade
        ; trade A2 C2 2kWh @ 0.10; trade A1 C2 1kWh @ 0.11
        """)
  }

  @Test("Self-trade prevention, cancel both: the resting, then the entering order.")
  func cancelBoth() {
    expect(
      asks + """
        enter C2 cy bid 3kWh @ 0.11 stp both -> accepted C2 live 3kWh
        ; canceled C1 2kWh selfTrade; canceled C2 3kWh selfTrade
        """)
  }

  @Test("Self-trade prevention, decrement both: each loses the smaller quantity, without a trade.")
  func decrementBoth() {
    expect(
      asks + """
        enter C2 cy bid 3kWh @ 0.10 stp decrement -> accepted C2 live 3kWh
        ; canceled C1 2kWh selfTrade; canceled C2 2kWh selfTrade leaving live 1kWh
        ; trade A2 C2 1kWh @ 0.10
        """)
  }

  @Test("A mass cancel cancels and counts asks, then bids.")
  func massCancel() {
    expect(
      """
      meter ana +5kWh ->
      enter A1 ana bid 2kWh @ 0.05 -> accepted A1 live 2kWh
      enter A2 ana ask 2kWh @ 0.12 -> accepted A2 live 2kWh
      enter A3 ana ask 2kWh @ 0.11 -> accepted A3 live 2kWh
      mass ana asks -> canceled A3 2kWh mass; canceled A2 2kWh mass; massCanceled 2
      mass ana -> canceled A1 2kWh mass; massCanceled 1
      mass ana -> massCanceled 0
      """)
  }

  @Test("A halt removes all orders from the live book; opening gives them cover again.")
  func haltAndOpen() {
    expect(
      asks + """
        halt 1 -> restated C1 waiting 2kWh halted; restated A2 waiting 2kWh halted
        ; restated A1 waiting 2kWh halted
        enter B1 ben bid 1kWh @ 0.10 -> rejected instrumentHalted
        cancel A1 -> canceled A1 2kWh user
        open 1 -> restated C1 live 2kWh; restated A2 live 2kWh
        """)
  }

  @Test("Closing cancels every order and is final.")
  func closing() {
    expect(
      asks + """
        close 1 -> canceled C1 2kWh closed; canceled A2 2kWh closed; canceled A1 2kWh closed
        enter B1 ben bid 1kWh @ 0.10 -> rejected instrumentClosed
        open 1 -> rejected instrumentClosed
        """)
  }

  @Test("A cancel can name the order by its client order id.")
  func cancelByClientOrderId() {
    expect(
      """
      enter B1 ben bid 1kWh @ 0.10 id 41 -> accepted B1 live 1kWh
      cancel for ben id 40 -> rejected unknownOrder
      cancel for ben id 41 -> canceled B1 1kWh user
      """)
  }
}
