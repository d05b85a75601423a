// Changes of parameters that wait for their moment (section 2, "Parameters"). The schedule has an
// entry for each, whose subject is the row.

import MarketModel

/// A change of a parameter that was accepted and takes effect later.
struct PendingParameter: BitwiseCopyable {
  var change: SetParameter
  /// Who sent it, for the reject when it no longer fits at its moment.
  var session: SessionId
  var clientSequence: UInt64
  /// Counts such changes; 0: the row is free.
  var number: UInt64
  /// In a free row, the next free one.
  var next: UInt32
}

/// Pending changes. Rows are 1 ... `Limit.pendingParameters`.
struct PendingParameters: ~Copyable, StateComponent {
  private let rows: Table<PendingParameter>
  private var firstFree: UInt32 = 0
  private var used: UInt32 = 0
  private(set) var count: UInt32 = 0
  /// Number of changes that were ever pending.
  private var accepted: UInt64 = 0

  init(capacity: Capacity) { rows = Table(capacity: Int(Limit.pendingParameters) + 1) }

  var isFull: Bool { count == Limit.pendingParameters }

  /// Adds a change.
  /// - Precondition: The table is not full.
  /// - Returns: Its row and its number.
  mutating func add(_ change: SetParameter, session: SessionId, clientSequence: UInt64) -> (
    row: UInt32, number: UInt64
  ) {
    let row = firstFree != 0 ? firstFree : used + 1
    if firstFree != 0 { firstFree = rows[row].next } else { used += 1 }
    invariant(used <= Limit.pendingParameters, "the table has a free row")
    count += 1
    accepted += 1
    rows[row] = PendingParameter(
      change: change, session: session, clientSequence: clientSequence, number: accepted, next: 0)
    return (row, accepted)
  }

  /// Removes a change.
  mutating func remove(_ row: UInt32) -> PendingParameter {
    let pending = rows[row]
    invariant(pending.number != 0 && count > 0, "the row has a change")
    rows[row].number = 0
    rows[row].next = firstFree
    firstFree = row
    count -= 1
    return pending
  }

  subscript(row: UInt32) -> PendingParameter { rows[row] }

  /// The rows of the chosen parameters that wait for the subject and the moment of `change`: which was
  /// sent first, and which last. Linear in the rows in use.
  func rows(of change: SetParameter, where isChosen: (Parameter) -> Bool) -> (
    first: UInt32?, last: UInt32?
  ) {
    var (first, last): (UInt32?, UInt32?) = (nil, nil)
    for row in stride(from: 1, through: used, by: 1) where rows[row].number != 0 {
      let other = rows[row].change
      guard other.subject == change.subject, other.number == change.number,
        other.from == change.from, isChosen(other.parameter)
      else { continue }
      if first.map({ rows[row].number < rows[$0].number }) ?? true { first = row }
      if last.map({ rows[row].number > rows[$0].number }) ?? true { last = row }
    }
    return (first, last)
  }

  /// The rows that wait, ascending. Allocates; linear in the rows in use.
  func waiting() -> [UInt32] {
    stride(from: 1, through: used, by: 1).filter { rows[$0].number != 0 }
  }

  /// A row that waits and that the withdrawal means; `nil` when there is none. Linear in the rows in
  /// use.
  func row(of withdrawn: WithdrawParameter) -> UInt32? {
    for row in stride(from: 1, through: used, by: 1) where rows[row].number != 0 {
      let change = rows[row].change
      if change.subject == withdrawn.subject, change.number == withdrawn.number,
        change.parameter == withdrawn.parameter,
        withdrawn.from.meansAtOnce || withdrawn.from == change.from
      {
        return row
      }
    }
    return nil
  }

  // MARK: Image and hash

  private struct Counters: BitwiseCopyable {
    var firstFree, used, count: UInt32
    var accepted: UInt64
  }

  static func add(to layout: inout StateLayout) {
    layout.add(Counters.self)
    layout.add(PendingParameter.self)
  }

  static func write(_ exchange: borrowing Exchange, to sink: any StateSink) {
    exchange.pendingParameters.write(to: sink)
  }

  private func write(to sink: any StateSink) {
    sink.put(Counters(firstFree: firstFree, used: used, count: count, accepted: accepted))
    rows.write(to: sink, used: Int(used) + 1)
  }

  static func read(_ exchange: inout Exchange, from source: any StateSource) {
    exchange.pendingParameters.read(from: source)
  }

  private mutating func read(from source: any StateSource) {
    let counters = source.get(Counters.self)
    (firstFree, used, count) = (counters.firstFree, counters.used, counters.count)
    accepted = counters.accepted
    rows.read(from: source)
  }

  static func fold(_ exchange: borrowing Exchange, into hash: inout WordHash) {
    exchange.pendingParameters.fold(into: &hash)
  }

  private func fold(into hash: inout WordHash) {
    if accepted == 0 { return }
    hash.fold(accepted)
    for row in stride(from: 1, through: used, by: 1) where rows[row].number != 0 {
      let change = rows[row].change
      hash.fold(rows[row].number)
      hash.fold(
        UInt64(change.number) << 16 | UInt64(change.subject.rawValue) << 8
          | UInt64(change.parameter.rawValue))
      hash.fold(change.value)
      hash.fold(change.from.nanoseconds)
      hash.fold(UInt64(rows[row].session.rawValue))
      hash.fold(rows[row].clientSequence)
    }
  }
}

extension Timestamp {
  /// Whether it names no moment: a change holds at once, and changes of any moment are withdrawn.
  var meansAtOnce: Bool { nanoseconds == 0 || self == .never }
}
