import ExchangeCore
import Testing

@Suite("Rule 6: references of deposits and withdrawals")
struct ReferenceTests {
  private func expectNew(_ text: String, references: UInt32 = 4_096) {
    var capacity = Capacity.script
    capacity.cashReferences = references
    expect(text, world: "rules 4 by 0\n" + Script.village, capacity: capacity)
  }

  @Test("A reference takes effect once per source, in any order; source 0 numbers per account.")
  func once() {
    expectNew(
      """
      deposit ana 1.00 ref 9 ->
      deposit ana 1.00 ref 7 ->
      deposit ana 1.00 ref 9 -> rejected referenceReplayed 9
      deposit ben 1.00 ref 9 ->
      withdraw ana 1.00 ref 7 -> rejected referenceReplayed 7
      deposit ana 1.00 ref 9 source 3 ->
      deposit ben 1.00 ref 9 source 3 -> rejected referenceReplayed 9
      deposit ben 1.00 ref 9 source 4 ->
      deposit ben 1.00 ref 0 source 4 -> rejected referenceReplayed
      balance ben -> 0kWh of 10kWh free 1002.00 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      """)
  }

  @Test("References from before version 4 stay known: those up to the account's last.")
  func before() {
    expect(
      """
      deposit ana 1.00 ref 9 ->
      deposit ana 1.00 ref 7 -> rejected referenceReplayed 9
      deposit ana 1.00 ref 10 source 1 -> rejected badDefinition 1
      rules 4 ->
      deposit ana 1.00 ref 7 -> rejected referenceReplayed 9
      deposit ana 1.00 ref 7 source 1 ->
      deposit ana 1.00 ref 12 ->
      deposit ana 1.00 ref 11 ->
      """)
  }

  @Test("A full table of references refuses deposits and withdrawals.")
  func full() {
    expectNew(
      """
      deposit ana 1.00 ref 2 ->
      deposit ana 1.00 ref 3 -> rejected capacityExhausted 6
      deposit ana 1.00 ref 2 -> rejected referenceReplayed 2
      """, references: 6)
  }
}
