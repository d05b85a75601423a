// Who may send the readings of intervals before a meter's last change (section 7, "Another key").

import MarketModel

/// Whether sessions with the trading role may send a meter's readings of intervals before its last
/// change, by meter. Holds from version 5 of the rules on.
struct ReadersBefore: ~Copyable, StateComponent {
  struct Row: BitwiseCopyable {
    var ownReadings: Bool
  }

  private let rows: Table<Row>

  init(capacity: Capacity) { rows = Table(capacity: Int(capacity.meters) + 1) }

  subscript(number: UInt32) -> Bool {
    get { rows[number].ownReadings }
    nonmutating set { rows[number].ownReadings = newValue }
  }

  static func add(to layout: inout StateLayout) { layout.add(Row.self) }

  static func write(_ exchange: borrowing Exchange, to sink: any StateSink) {
    exchange.readersBefore.rows.write(to: sink)
  }

  static func read(_ exchange: inout Exchange, from source: any StateSource) {
    exchange.readersBefore.rows.read(from: source)
  }

  static func fold(_ exchange: borrowing Exchange, into hash: inout WordHash) {
    if exchange.rules < 5 { return }
    for number in stride(from: 1, through: exchange.capacity.meters, by: 1)
    where exchange.readersBefore[number] {
      hash.fold(UInt64(number))
    }
  }
}
