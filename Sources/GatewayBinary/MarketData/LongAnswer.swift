// Answers that may be longer than a connection's send queue, or take longer than a turn may: they
// are made in pieces, as the client reads them.
//
//     connection 1   [ orders of area 1, from slot 4,711 | reference data ]   in progress | waiting
//     connection 2   [ levels of area 1 ]                                     in progress
//
// Each turn makes a piece for each connection whose send queue has space, in turn.

import GatewayKit
import MarketModel

/// An answer that is made in pieces.
struct LongAnswer {
  /// The content, with the place at which it continues.
  enum Work {
    /// The orders snapshot of the area. The orders in lower slots than `next` were sent; `known` is
    /// their number.
    case orders(next: Int, known: Int)
    /// The levels snapshot of the area. The levels up to a key were sent; `nil` before the first.
    case levels(through: LevelKey?)
    /// The tops of the area's instruments after one.
    case tops(after: InstrumentId)
    /// The messages of the area from a number on, by order.
    case updates(next: UInt64)
    /// The messages of the area from a number on, by level; computed once the levels are complete.
    case levelUpdates(from: UInt64, MissedLevels?)
    /// The areas and instruments of the exchange.
    case referenceData(ReferenceCursor)
  }

  /// Sequence number of the request.
  let reference: UInt64
  /// The area of market data; in reference data the filter.
  let area: AreaId
  /// What is left to do.
  var work: Work
  /// The definitions of the area and its instruments that come before; `nil`: none, or no more.
  var definitions: ReferenceCursor?
  /// Whether it was begun.
  var hasBegun = false

  /// An answer that is to be made.
  /// - Parameter version: The client's version of the schema: from 8 on, market data begin with
  ///   definitions.
  init(reference: UInt64, area: AreaId, work: Work, version: UInt16) {
    (self.reference, self.area, self.work) = (reference, area, work)
    if isMarketData(of: area), version >= 8 { definitions = ReferenceCursor() }
  }

  /// Whether it belongs to a subscription to `area`.
  func isMarketData(of area: AreaId) -> Bool {
    if case .referenceData = work { return false }
    return self.area == area
  }

  /// Whether it needs the levels of `area`.
  func needsLevels(of area: AreaId) -> Bool {
    switch work {
    case .levels, .tops, .levelUpdates: self.area == area
    case .orders, .updates, .referenceData: false
    }
  }

  /// Whether it is a request for messages again, which is acknowledged when it begins.
  var isResume: Bool {
    switch work {
    case .updates, .levelUpdates: true
    case .orders, .levels, .tops, .referenceData: false
    }
  }
}

/// The place at which an answer to ReferenceDataRequest continues.
struct ReferenceCursor {
  /// The next area number; `nil` after the last.
  var area: UInt32? = 1
  /// The last instrument visited.
  var instrument = InstrumentId.null
  /// Number of areas and instruments sent.
  var (areas, instruments) = (0, 0)
}

/// The long answers of all connections. Owned by the I/O thread.
struct LongAnswers {
  /// Those of one connection, in the order of their requests; the first is in progress.
  struct Line {
    let slot: Int
    var answers: [LongAnswer]
  }

  /// The connections in the order in which their next pieces are made.
  private(set) var lines: [Line] = []

  /// Whether there are none.
  var isEmpty: Bool { lines.isEmpty }

  /// Number of answers to the client in `slot` that are in progress or wait.
  func count(_ slot: Int) -> Int { line(slot).map { lines[$0].answers.count } ?? 0 }

  /// Whether an answer to the client in `slot` fulfils a condition.
  func contains(_ slot: Int, where isMeant: (LongAnswer) -> Bool) -> Bool {
    line(slot).map { lines[$0].answers.contains(where: isMeant) } ?? false
  }

  /// Whether an answer needs the levels of `area`.
  func needsLevels(of area: AreaId) -> Bool {
    lines.contains { $0.answers.contains { $0.needsLevels(of: area) } }
  }

  /// Appends an answer to those of its connection.
  mutating func append(_ answer: LongAnswer, _ slot: Int) {
    if let line = line(slot) {
      lines[line].answers.append(answer)
    } else {
      lines.append(Line(slot: slot, answers: [answer]))
    }
  }

  /// Takes the answer in progress, or the next one.
  mutating func takeFirst(_ slot: Int) -> LongAnswer? {
    guard let line = line(slot) else { return nil }
    let answer = lines[line].answers.removeFirst()
    if lines[line].answers.isEmpty { lines.remove(at: line) }
    return answer
  }

  /// Puts back what `takeFirst` returned.
  mutating func putBack(_ answer: LongAnswer, _ slot: Int) {
    if let line = line(slot) {
      lines[line].answers.insert(answer, at: 0)
    } else {
      lines.append(Line(slot: slot, answers: [answer]))
    }
  }

  /// Moves the first connection behind the others.
  /// - Returns: its slot; `nil` if there is none.
  mutating func rotate() -> Int? {
    guard let first = lines.first else { return nil }
    lines.append(lines.removeFirst())
    return first.slot
  }

  /// Removes answers to the client in `slot`.
  /// - Returns: those removed.
  mutating func remove(_ slot: Int, where isMeant: (LongAnswer) -> Bool) -> [LongAnswer] {
    guard let line = line(slot) else { return [] }
    let removed = lines[line].answers.filter(isMeant)
    lines[line].answers.removeAll(where: isMeant)
    if lines[line].answers.isEmpty { lines.remove(at: line) }
    return removed
  }

  /// Changes the work in progress of the line at a position.
  mutating func update(_ line: Int, _ work: LongAnswer.Work) { lines[line].answers[0].work = work }

  private func line(_ slot: Int) -> Int? { lines.firstIndex { $0.slot == slot } }
}
