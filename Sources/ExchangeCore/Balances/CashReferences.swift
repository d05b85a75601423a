// The references of deposits and withdrawals that took effect (section 6, "References"), from version
// 4 of the rules on. Rows are in the order in which the references came; an index finds them.

import MarketModel

/// A known reference.
struct KnownReference: BitwiseCopyable {
  var reference: UInt64
  /// What numbers the references: an account, or a source with the highest bit.
  var numberedBy: UInt32
}

/// The known references. Rows are 1 ... `capacity.cashReferences`.
struct CashReferences: ~Copyable, StateComponent {
  private let rows: Table<KnownReference>
  private var index: IndexTable
  private(set) var count: UInt32 = 0

  init(capacity: Capacity) {
    rows = Table(capacity: Int(capacity.cashReferences) + 1)
    index = IndexTable(capacity: capacity.cashReferences)
  }

  var isFull: Bool { Int(count) >= rows.capacity - 1 }

  /// What numbers the references of a movement: its source; for source 0 its account.
  private static func numberedBy(_ movement: CashMovement) -> UInt32 {
    movement.source == 0 ? movement.account.rawValue : 1 << 31 | UInt32(movement.source)
  }

  /// Whether a deposit or withdrawal with this reference took effect.
  func contains(_ movement: CashMovement) -> Bool {
    index.find(movement.reference, of: Self.numberedBy(movement)) != 0
  }

  /// Notes the reference of a movement that takes effect.
  mutating func insert(_ movement: CashMovement) {
    invariant(!isFull && !contains(movement), "there is room for a reference that is not known")
    count += 1
    rows[count] = KnownReference(
      reference: movement.reference, numberedBy: Self.numberedBy(movement))
    index.insert(movement.reference, of: Self.numberedBy(movement), count)
  }

  static func add(to layout: inout StateLayout) { layout.add(KnownReference.self) }

  static func write(_ exchange: borrowing Exchange, to sink: any StateSink) {
    sink.put(exchange.cashReferences.count)
    exchange.cashReferences.rows.write(to: sink, used: Int(exchange.cashReferences.count) + 1)
  }

  static func read(_ exchange: inout Exchange, from source: any StateSource) {
    exchange.cashReferences.read(from: source)
  }

  private mutating func read(from source: any StateSource) {
    let read = source.get(UInt32.self)
    rows.read(from: source)
    if Int(read) >= rows.capacity { return source.reject("more references than there is room for") }
    if !source.isWhole { return }
    for row in stride(from: 1, through: read, by: 1) {
      index.insert(rows[row].reference, of: rows[row].numberedBy, row)
    }
    count = read
  }

  static func fold(_ exchange: borrowing Exchange, into hash: inout WordHash) {
    exchange.cashReferences.fold(into: &hash)
  }

  private func fold(into hash: inout WordHash) {
    for row in stride(from: 1, through: count, by: 1) {
      hash.fold(rows[row].reference)
      hash.fold(rows[row].numberedBy)
    }
  }
}
