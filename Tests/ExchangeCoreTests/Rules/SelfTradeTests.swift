import Testing

@Suite("Rule 5: self-trade prevention")
struct SelfTradeTests {
  @Test("A waiting own order does not match: both orders rest, and the published book overlaps.")
  func waitingIsNotMet() {
    expect(
      """
      enter A1 ana ask 2kWh @ 0.10 -> accepted A1 waiting 2kWh energy
      enter A2 ana bid 2kWh @ 0.12 -> accepted A2 live 2kWh
      book 1 -> bid 0.12 A2 2kWh/2kWh | ask 0.10 A1 0kWh/2kWh
      """)
  }

  @Test(
    "An order that gains cover is the newer one, and its own instruction counts.",
    arguments: [
      ("", "canceled A1 2kWh selfTrade"), ("stp older", "canceled A2 2kWh selfTrade"),
      ("stp both", "canceled A2 2kWh selfTrade; canceled A1 2kWh selfTrade"),
      ("stp decrement", "canceled A2 2kWh selfTrade; canceled A1 2kWh selfTrade"),
    ])
  func gainedCoverIsNewer(instruction: String, outcome: String) {
    expect(
      """
      enter A1 ana ask 2kWh @ 0.10 \(instruction) -> accepted A1 waiting 2kWh energy
      enter A2 ana bid 2kWh @ 0.12 stp both -> accepted A2 live 2kWh
      meter ana +2kWh -> restated A1 live 2kWh; \(outcome)
      """)
  }

  @Test("The resting order's instruction does not matter.")
  func restingInstructionIsSilent() {
    expect(
      """
      meter ana +2kWh ->
      enter A1 ana ask 2kWh @ 0.10 stp both -> accepted A1 live 2kWh
      enter A2 ana bid 2kWh @ 0.10 -> accepted A2 live 2kWh; canceled A2 2kWh selfTrade
      order A1 -> live 2kWh
      """)
  }

  @Test("Cancel older cancels every own order that it reaches, including waiting quantity.")
  func olderOnTheWay() {
    expect(
      """
      meter ana +3kWh ->
      meter cy +2kWh ->
      enter A1 ana ask 2kWh @ 0.10 -> accepted A1 live 2kWh
      enter C1 cy ask 1kWh @ 0.11 -> accepted C1 live 1kWh
      enter A2 ana ask 3kWh @ 0.12 -> accepted A2 live 1kWh waiting 2kWh energy
      enter C2 cy ask 1kWh @ 0.13 -> accepted C2 live 1kWh
      enter A3 ana bid 3kWh @ 0.13 stp older -> accepted A3 live 3kWh
      ; canceled A1 2kWh selfTrade; trade C1 A3 1kWh @ 0.11; canceled A2 3kWh selfTrade
      ; trade C2 A3 1kWh @ 0.13
      order A3 -> live 1kWh
      """)
  }

  @Test("Decrement both reduces by the smaller covered quantity and ignores waiting quantity.")
  func decrementCovered() {
    expect(
      """
      meter ana +1kWh ->
      enter A1 ana ask 3kWh @ 0.10 -> accepted A1 live 1kWh waiting 2kWh energy
      enter A2 ana bid 3kWh @ 0.10 ioc stp decrement -> accepted A2 live 3kWh
      ; canceled A1 1kWh selfTrade leaving waiting 2kWh energy
      ; canceled A2 1kWh selfTrade leaving live 2kWh; canceled A2 2kWh immediate
      ; restated A1 live 1kWh waiting 1kWh energy
      """)
  }

  @Test("An ask left uncovered by decrementing regains cover and matches the own bid again.")
  func decrementAndMeetAgain() {
    expect(
      """
      meter ana +1kWh ->
      enter A1 ana ask 3kWh @ 0.10 -> accepted A1 live 1kWh waiting 2kWh energy
      enter A2 ana bid 3kWh @ 0.10 stp decrement -> accepted A2 live 3kWh
      ; canceled A1 1kWh selfTrade leaving waiting 2kWh energy
      ; canceled A2 1kWh selfTrade leaving live 2kWh
      ; restated A1 live 1kWh waiting 1kWh energy; canceled A1 2kWh selfTrade
      """)
  }

  @Test("Fill or kill stops counting at an own order, except that cancel older passes over it.")
  func killAndOwnOrders() {
    expect(
      """
      meter ana +2kWh ->
      meter cy +2kWh ->
      enter A1 ana ask 2kWh @ 0.10 -> accepted A1 live 2kWh
      enter C1 cy ask 2kWh @ 0.11 -> accepted C1 live 2kWh
      enter A2 ana bid 2kWh @ 0.11 fok -> accepted A2 live 2kWh; canceled A2 2kWh fillOrKill
      enter A3 ana bid 2kWh @ 0.11 fok stp both -> accepted A3 live 2kWh
      ; canceled A3 2kWh fillOrKill
      enter A4 ana bid 2kWh @ 0.11 fok stp older -> accepted A4 live 2kWh
      ; canceled A1 2kWh selfTrade; trade C1 A4 2kWh @ 0.11
      """)
  }

  @Test("Two accounts of one firm trade with each other; an account in two instruments too.")
  func sameFirmTrades() {
    expect(
      """
      spot 2 ->
      meter ana +2kWh ->
      enter A1 ana ask 1kWh @ 0.10 -> accepted A1 live 1kWh
      enter B1 ben bid 1kWh @ 0.10 -> accepted B1 live 1kWh; trade A1 B1 1kWh @ 0.10
      enter A2 ana ask 1kWh @ 0.10 in 2 -> accepted A2 live 1kWh
      enter A3 ana bid 1kWh @ 0.10 -> accepted A3 live 1kWh
      """)
  }

  @Test("A post-only order that would match an own order is rejected too.")
  func postOnlyAndOwnOrder() {
    expect(
      """
      meter ana +1kWh ->
      enter A1 ana ask 1kWh @ 0.10 -> accepted A1 live 1kWh
      enter A2 ana bid 1kWh @ 0.10 post stp older -> rejected postOnlyWouldTrade 10000
      """)
  }

  @Test("A replace that crosses an own order follows the instruction it was entered with.")
  func replaceIntoOwnOrder() {
    expect(
      """
      meter ana +1kWh ->
      enter A1 ana ask 1kWh @ 0.10 -> accepted A1 live 1kWh
      enter A2 ana bid 1kWh @ 0.05 stp older -> accepted A2 live 1kWh
      replace A2 1kWh @ 0.10 -> replaced A2 live 1kWh; canceled A1 1kWh selfTrade
      """)
  }
}
