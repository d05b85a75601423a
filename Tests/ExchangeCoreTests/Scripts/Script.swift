// Test scripts as tables: each line has a step and, after `->`, its expected events. A line that
// starts with `;` continues the column above it. Further verbs query the state:
//
//   balance ana -> 5kWh of 10kWh free 1000.00 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
//   order A1    -> live 1kWh waiting 2kWh energy            (or: gone)
//   book 1      -> bid 0.12 B1 1kWh/3kWh | ask 0.11 C1 1kWh/1kWh   (live / total; best first)
//   explain A1  -> the reasons of the explanation
//
// Each step is applied to engine and model, and all events, balances and books are compared. A
// rejected step must leave the state hash of the engine unchanged.

import ExchangeCore
import MarketModel
import Testing

/// One row of a script.
struct ScriptLine {
  let number: Int
  let action: String
  var expected: String
}

enum Script {
  /// The rows of the text; blank lines and lines that start with `//` are ignored.
  static func lines(_ text: String) -> [ScriptLine] {
    var rows: [ScriptLine] = []
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      let words = line.split(separator: " ").map(String.init)
      if words.isEmpty || words[0].hasPrefix("//") { continue }
      if words[0].hasPrefix(";"), !rows.isEmpty {
        rows[rows.count - 1].expected += words.joined(separator: " ")
        continue
      }
      let arrow = words.firstIndex(of: "->") ?? words.count
      rows.append(
        ScriptLine(
          number: index + 1, action: words[..<arrow].joined(separator: " "),
          expected: words[arrow...].dropFirst().joined(separator: " ")))
    }
    return rows
  }

  /// Four accounts of one firm and one of another, with 1000.00 EUR each, in one area with a cap of
  /// 10 kWh, spot 1: lot 1 kWh, tick 0.01, band -1.00 to 1.00, no fees; a meter each.
  static let village = """
    participant 1 by 0
    participant 2 by 0
    session 1 of 1 roles 7 by 0
    session 2 of 2 roles 1 by 0
    session 3 of 2 roles 2 by 0
    area 1 cost 1500.00 price 200.00
    spot 1
    account ana of 1
    account ben of 1
    account cy of 1
    account dee of 1
    account eva of 2
    deposit ana 1000.00
    deposit ben 1000.00
    deposit cy 1000.00
    deposit dee 1000.00
    deposit eva 1000.00
    register ana ana
    register ben ben
    register cy cy
    register dee dee
    register eva eva
    """
}

/// Runs `text` in the village (or `world`), against engine and model, and compares its last column.
func expect(
  _ text: String, world: String = Script.village, capacity: Capacity = .script,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  var market = Market(capacity: capacity)
  do {
    for line in Script.lines(world) {
      let outcome = market.apply(try StepParser.step(line.action))
      for difference in outcome.differences {
        Issue.record("world '\(line.action)': \(difference)", sourceLocation: sourceLocation)
      }
      if case .rejected = outcome.events.last {
        Issue.record("world '\(line.action)' rejected", sourceLocation: sourceLocation)
      }
    }
    for line in Script.lines(text) {
      try run(line, &market, sourceLocation)
    }
  } catch {
    Issue.record(error, sourceLocation: sourceLocation)
  }
}

private func run(_ line: ScriptLine, _ market: inout Market, _ location: SourceLocation) throws {
  let actual = try look(line.action, market) ?? act(line, &market, location)
  #expect(
    actual == line.expected, "line \(line.number): \(line.action)", sourceLocation: location)
}

private func act(_ line: ScriptLine, _ market: inout Market, _ location: SourceLocation) throws
  -> String
{
  let step = try StepParser.step(line.action)
  let before = market.exchange.stateHash()
  let outcome = market.apply(step)
  for difference in outcome.differences {
    Issue.record("line \(line.number) '\(line.action)': \(difference)", sourceLocation: location)
  }
  // Readings that have no room in quarantine are counted.
  let counted: [RejectCode] = [
    .readingAboveCapacity, .intervalInFuture, .registerSequenceTooHigh,
  ]
  if case .rejected(let rejected) = outcome.events.first, outcome.events.count == 1,
    market.model.rules < 8 || !counted.contains(rejected.code)
  {
    let after = market.exchange.stateHash()
    #expect(before == after, "a reject changes nothing: \(line.action)", sourceLocation: location)
  }
  return market.writer.text(outcome.events)
}

/// The text of a query, from the engine; `nil` for a step.
private func look(_ action: String, _ market: borrowing Market) throws -> String? {
  let words = action.split(separator: " ").map(String.init)
  switch words[0] {
  case "balance":
    let area: UInt16 = words.count > 3 ? UInt16(words[3]) ?? 1 : 1
    let account = AccountId(try Notation.person(words[1]))
    return market.text(market.exchange.balance(of: account, in: AreaId(area)))
  case "order":
    let id = market.ids[words[1]] ?? .null
    return market.exchange.orderState(id).map(market.writer.cover) ?? "gone"
  case "book": return book(InstrumentId(UInt32(words[1]) ?? 1), market)
  case "explain": return explain(market.ids[words[1]] ?? .null, market)
  default: return nil
  }
}

/// The book of the model, the best orders first. (Its orders were compared with those of the
/// engine.)
private func book(_ instrument: InstrumentId, _ market: borrowing Market) -> String {
  let writer = market.writer
  return market.model.bookOrder(instrument).compactMap { market.model.orders[$0] }.map { order in
    let amounts = "\(Notation.energy(order.covered))/\(Notation.energy(order.leaves))"
    let price = Notation.decimal(order.price, 5)
    return "\(order.side == .buy ? "bid" : "ask") \(price) \(writer.name(order.id)) \(amounts)"
  }.joined(separator: " | ")
}

private func explain(_ order: OrderId, _ market: borrowing Market) -> String {
  guard let explanation = market.exchange.explain(order) else { return "none" }
  let writer = market.writer
  let waiting = Notation.energy(explanation.state.waiting)
  func users(_ orders: [OrderExplanation.Blocker]) -> String {
    orders.isEmpty ? "" : " used by " + orders.map { writer.name($0.order) }.joined(separator: " ")
  }
  return explanation.reasons.map { reason in
    switch reason {
    case .awaitingEnergy(let orders): "waits \(waiting) energy\(users(orders))"
    case .awaitingHeadroom(let orders): "waits \(waiting) headroom\(users(orders))"
    case .instrumentHalted: "halted"
    case .behind(let ahead):
      "behind \(explanation.isAheadPartial ? "at least " : "")\(Notation.energy(ahead))"
    case .noCrossingPrice(let best):
      best.map { "best opposite \(Notation.price($0))" } ?? "nothing opposite"
    case .ownOrder(let own): "own order \(writer.name(own.order))"
    }
  }.joined(separator: "; ")
}
