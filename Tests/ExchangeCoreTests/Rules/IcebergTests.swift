import ExchangeCore
import MarketModel
import Testing

@Suite("Rule 5: icebergs")
struct IcebergTests {
  /// Ana displays 2 of 6 kWh; cy is next in the queue with 3 kWh. Both are live at 0.10.
  private let queue = """
    cap ana 20kWh ->
    meter ana +10kWh ->
    meter cy +3kWh ->
    enter A1 ana ask 6kWh @ 0.10 show 2kWh -> accepted A1 live 6kWh; shown A1 2kWh/2kWh
    enter C1 cy ask 3kWh @ 0.10 -> accepted C1 live 3kWh

    """

  @Test("The displayed part trades by its time priority; the next part queues last at its price.")
  func refillsAtTheBack() {
    expect(
      queue + """
        enter B1 ben bid 1kWh @ 0.10 -> accepted B1 live 1kWh; trade A1 B1 1kWh @ 0.10
        ; shown A1 1kWh/1kWh
        enter B2 ben bid 3kWh @ 0.10 -> accepted B2 live 3kWh; trade A1 B2 1kWh @ 0.10
        ; refilled A1 2kWh/2kWh; trade C1 B2 2kWh @ 0.10
        book 1 -> ask 0.10 C1 1kWh/1kWh | ask 0.10 A1 4kWh/4kWh
        enter B3 ben bid 4kWh @ 0.10 -> accepted B3 live 4kWh; trade C1 B3 1kWh @ 0.10
        ; trade A1 B3 2kWh @ 0.10; refilled A1 2kWh/2kWh; trade A1 B3 1kWh @ 0.10
        ; shown A1 1kWh/1kWh
        enter B4 ben bid 2kWh @ 0.10 -> accepted B4 live 2kWh; trade A1 B4 1kWh @ 0.10
        """)
  }

  @Test("On entry an iceberg trades with its whole quantity; the rest displays a full part.")
  func entersWhole() {
    expect(
      """
      meter ana +6kWh ->
      enter B1 ben bid 3kWh @ 0.10 -> accepted B1 live 3kWh
      enter A1 ana ask 6kWh @ 0.10 show 2kWh -> accepted A1 live 6kWh; trade A1 B1 3kWh @ 0.10
      ; shown A1 2kWh/2kWh
      """)
  }

  @Test("Cover applies to the whole order: a half covered iceberg displays live and waiting parts.")
  func partOfTheCover() {
    expect(
      """
      meter ana +3kWh ->
      enter A1 ana ask 6kWh @ 0.10 show 2kWh -> accepted A1 live 3kWh waiting 3kWh energy
      ; shown A1 2kWh/2kWh
      enter B1 ben bid 4kWh @ 0.10 -> accepted B1 live 4kWh; trade A1 B1 2kWh @ 0.10
      ; refilled A1 1kWh/2kWh; trade A1 B1 1kWh @ 0.10; shown A1 0kWh/2kWh
      order A1 -> waiting 3kWh energy
      meter ana +1kWh -> restated A1 live 1kWh waiting 2kWh energy; trade A1 B1 1kWh @ 0.10
      ; shown A1 0kWh/2kWh
      """)
  }

  @Test("When an iceberg's cover grows, it displays more and keeps its time priority.")
  func gainsInPlace() {
    expect(
      """
      meter ana +1kWh ->
      meter cy +1kWh ->
      enter A1 ana ask 6kWh @ 0.10 show 3kWh -> accepted A1 live 1kWh waiting 5kWh energy
      ; shown A1 1kWh/3kWh
      enter C1 cy ask 1kWh @ 0.10 -> accepted C1 live 1kWh
      meter ana +1kWh -> restated A1 live 2kWh waiting 4kWh energy; shown A1 2kWh/3kWh
      enter B1 ben bid 3kWh @ 0.10 -> accepted B1 live 3kWh; trade A1 B1 2kWh @ 0.10
      ; shown A1 0kWh/3kWh; trade C1 B1 1kWh @ 0.10
      """)
  }

  @Test("A lower quantity keeps priority and part; a higher one displays a full part, queued last.")
  func replaced() {
    expect(
      queue + """
        enter B1 ben bid 1kWh @ 0.10 -> accepted B1 live 1kWh; trade A1 B1 1kWh @ 0.10
        ; shown A1 1kWh/1kWh
        replace A1 4kWh @ 0.10 -> replaced A1 live 3kWh; shown A1 1kWh/1kWh
        enter B2 ben bid 1kWh @ 0.10 -> accepted B2 live 1kWh; trade A1 B2 1kWh @ 0.10
        ; refilled A1 2kWh/2kWh
        replace A1 5kWh @ 0.10 -> replaced A1 live 3kWh; shown A1 2kWh/2kWh
        replace A1 201kWh @ 0.10 -> rejected quantityTooLarge 200000
        """)
  }

  @Test("Fill or kill counts the hidden quantity of icebergs.")
  func fillOrKillCountsHidden() {
    expect(
      queue + """
        enter B1 ben bid 9kWh @ 0.10 fok -> accepted B1 live 9kWh; trade A1 B1 2kWh @ 0.10
        ; refilled A1 2kWh/2kWh; trade C1 B1 3kWh @ 0.10; trade A1 B1 2kWh @ 0.10
        ; refilled A1 2kWh/2kWh; trade A1 B1 2kWh @ 0.10
        """)
  }

  @Test("Fill or kill does not count quantity after an own order at which matching would stop.")
  func fillOrKillStopsAtOwn() {
    expect(
      """
      meter ana +6kWh ->
      meter ben +1kWh ->
      enter A1 ana ask 6kWh @ 0.10 show 2kWh -> accepted A1 live 6kWh; shown A1 2kWh/2kWh
      enter B1 ben ask 1kWh @ 0.10 -> accepted B1 live 1kWh
      enter B2 ben bid 3kWh @ 0.10 fok -> accepted B2 live 3kWh; canceled B2 3kWh fillOrKill
      enter B3 ben bid 3kWh @ 0.10 fok stp older -> accepted B3 live 3kWh
      ; trade A1 B3 2kWh @ 0.10; refilled A1 2kWh/2kWh; canceled B1 1kWh selfTrade
      ; trade A1 B3 1kWh @ 0.10; shown A1 1kWh/1kWh
      """)
  }

  @Test("Decrement both reduces the displayed part; the next part queues last.")
  func decrementsThePart() {
    expect(
      queue + """
        enter A2 ana bid 3kWh @ 0.10 stp decrement -> accepted A2 live 3kWh
        ; canceled A1 2kWh selfTrade leaving live 4kWh; refilled A1 2kWh/2kWh
        ; canceled A2 2kWh selfTrade leaving live 1kWh; trade C1 A2 1kWh @ 0.10
        """)
  }

  @Test("During a halt the displayed part waits; a cancel removes the whole iceberg.")
  func haltedAndCancelled() {
    expect(
      queue + """
        halt 1 -> restated A1 waiting 6kWh halted; shown A1 0kWh/2kWh
        ; restated C1 waiting 3kWh halted
        open 1 -> restated A1 live 6kWh; shown A1 2kWh/2kWh; restated C1 live 3kWh
        cancel A1 -> canceled A1 6kWh user
        """)
  }

  @Test("No explanation reveals the hidden quantity of an iceberg.")
  func explanationKeepsTheSecret() {
    expect(
      queue + """
        enter D1 dee ask 1kWh @ 0.11 -> accepted D1 waiting 1kWh energy
        meter dee +1kWh -> restated D1 live 1kWh
        explain C1 -> behind 2kWh; nothing opposite
        explain D1 -> behind 5kWh; nothing opposite
        """)
  }

  @Test("An iceberg rests, shows whole lots, at most all of itself and at least a hundredth.")
  func form() {
    expect(
      """
      enter B1 ben bid 2kWh @ 0.10 show 1kWh ioc -> rejected displayQuantityInvalid
      enter B1 ben bid 2kWh @ 0.10 show 1kWh fok -> rejected displayQuantityInvalid
      enter B1 ben bid 2kWh market show 1kWh ioc -> rejected displayQuantityInvalid
      enter B1 ben bid 2kWh @ 0.10 show -1kWh -> rejected displayQuantityInvalid 2000
      enter B1 ben bid 2kWh @ 0.10 show 500Wh -> rejected displayQuantityInvalid 2000
      enter B1 ben bid 2kWh @ 0.10 show 3kWh -> rejected displayQuantityInvalid 2000
      enter B1 ben bid 401kWh @ 0.10 show 4kWh -> rejected displayQuantityTooSmall 5000
      enter B1 ben bid 2kWh @ 0.10 show 2kWh post -> accepted B1 live 2kWh; shown B1 2kWh/2kWh
      """)
  }
}
