import MarketModel
import Testing

@testable import ExchangeCore

@Suite("Rule 5: notes about orders")
struct NoteTests {
  /// The notes in the events of the last step, with the kind of the event that follows each.
  private func notes(_ script: String) throws -> [String] {
    var market = Market()
    var found: [String] = []
    for line in Script.lines(Script.village) + Script.lines(script) {
      let outcome = market.apply(try StepParser.step(line.action))
      #expect(outcome.differences.isEmpty, "\(line.action): \(outcome.differences)")
      for (index, event) in outcome.events.enumerated() {
        guard case .order(.noted(let noted)) = event else { continue }
        let next = "\(outcome.events[index + 1])".prefix { $0 != "(" }
        found.append("\(noted.text.text) \(noted.clientOrderId.rawValue) \(next)")
      }
    }
    return found
  }

  @Test("A note belongs to the session's next order or replace, and comes before its report.")
  func next() throws {
    #expect(
      try notes(
        """
        note text "one"
        enter A1 ana bid 1kWh @ 0.10
        enter A2 ana bid 1kWh @ 0.10
        note text "two"
        cancel A2
        replace A1 2kWh @ 0.11
        note text "three"
        replace A1 1kWh @ 0.11
        """) == ["one 1 accepted", "two 3 replaced", "three 4 replaced"])
  }

  @Test("A rejected order loses its note; a later note replaces it; others' orders pass by.")
  func lost() throws {
    #expect(
      try notes(
        """
        note text "lost"
        enter A1 ana bid 1kWh @ 9.00
        enter A2 ana bid 1kWh @ 0.10
        note text "first"
        note text "second"
        enter E1 eva bid 1kWh @ 0.10 by 2
        enter A3 ana bid 1kWh @ 0.10
        """) == ["second 2 accepted"])
  }

  @Test("A note that names another client order id is dropped; a new session version has none.")
  func named() throws {
    #expect(
      try notes(
        """
        note clientOrderId 7 text "other"
        enter A1 ana bid 1kWh @ 0.10
        enter A2 ana bid 1kWh @ 0.10
        note clientOrderId 3 text "mine"
        enter A3 ana bid 1kWh @ 0.10
        note text "late"
        lost 1 1 by 0
        enter A4 ana bid 1kWh @ 0.10
        """) == ["mine 3 accepted"])
  }
}
