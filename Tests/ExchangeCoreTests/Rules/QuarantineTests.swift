import ExchangeCore
import MarketModel
import Testing

/// Section 7, "Quarantine".
@Suite("Rule 7: quarantine")
struct QuarantineTests {
  private func expectNew(_ text: String, _ capacity: Capacity = .script) {
    expect("rules 8 by 0 ->\nregister ana ana power 5000 ->\n" + text, capacity: capacity)
  }

  @Test("A reading beyond the rated power waits for the operator, who releases or refuses it.")
  func decisions() {
    expectNew(
      """
      meter ana +2kWh seq 1 from 0s to 900s after 900s -> rejected readingAboveCapacity 1250; quarantined 1
      meter ana +2kWh seq 1 from 0s to 900s -> rejected readingAboveCapacity 1250
      meter ana +3kWh seq 2 from 0s to 900s -> rejected readingAboveCapacity 1250; quarantined 2
      decideReading number 1 releases no -> refused 1
      decideReading number 2 releases yes -> released 2
      decideReading number 2 releases yes -> rejected unknownQuarantine
      balance ana -> 3kWh of 10kWh free 1000.00 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      meter ana +1kWh seq 3 from 0s to 900s -> corrected
      """)
  }

  @Test("A reading ahead of the exchange's time cannot be released before that time.")
  func ahead() {
    expectNew(
      """
      meter ana +1kWh seq 1 from 900s to 1800s after 900s -> rejected intervalInFuture 1800000960000000000; quarantined 1
      decideReading number 1 releases yes -> rejected intervalInFuture 1800000960000000000
      decideReading number 1 releases yes by 2 -> rejected notPermitted 4
      decideReading number 1 releases yes after 900s -> released 1
      balance ana -> 1kWh of 10kWh free 1000.00 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      """)
  }

  @Test("A released reading is refused where its interval was read since.")
  func replayed() {
    expectNew(
      """
      meter ana +2kWh seq 5 from 0s to 900s after 900s -> rejected readingAboveCapacity 1250; quarantined 1
      meter ana +1kWh seq 6 from 0s to 900s ->
      decideReading number 1 releases yes -> rejected readingReplayed 6
      decideReading number 1 releases no -> refused 1
      """)
  }

  @Test("At most eight readings of a meter are kept, and as many as there is room for.")
  func bounds() {
    var capacity = Capacity.script
    capacity.quarantine = 9
    let many = (1...9).map {
      "meter ana +9kWh seq \($0) from 0s to 900s -> rejected readingAboveCapacity 1250"
        + ($0 < 9 ? "; quarantined \($0)" : "")
    }.joined(separator: "\n")
    expectNew(
      """
      tick 900s ->
      \(many)
      register ben ben power 5000 ->
      meter ben +9kWh seq 1 from 0s to 900s -> rejected readingAboveCapacity 1250; quarantined 9
      meter ben +9kWh seq 2 from 0s to 900s -> rejected readingAboveCapacity 1250
      decideReading number 4 releases no -> refused 4
      meter ben +9kWh seq 2 from 0s to 900s -> rejected readingAboveCapacity 1250; quarantined 10
      """, capacity)
  }
}
