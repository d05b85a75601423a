// Market areas and their instruments.

import MarketModel

/// Areas and instruments, by number.
struct Products: ~Copyable, StateComponent {
  let areas: Table<Area>
  let instruments: Table<Instrument>
  /// The area's instrument with the lowest number, by area, and the area's next one, by instrument;
  /// 0: none. They follow from the instruments, so images do not have them.
  let firstInstrument: Table<UInt32>
  let nextInstrument: Table<UInt32>

  init(capacity: Capacity) {
    areas = Table(capacity: Int(capacity.areas) + 1)
    instruments = Table(capacity: Int(capacity.instruments) + 1)
    firstInstrument = Table(capacity: Int(capacity.areas) + 1)
    nextInstrument = Table(capacity: Int(capacity.instruments) + 1)
  }

  /// Puts an instrument into the list of its area, which is in order of numbers. Linear in the
  /// area's instruments.
  func list(_ number: UInt32) {
    let area = UInt32(instruments[number].area)
    var before: UInt32 = 0
    var next = firstInstrument[area]
    while next != 0, next < number { (before, next) = (next, nextInstrument[next]) }
    nextInstrument[number] = next
    if before == 0 { firstInstrument[area] = number } else { nextInstrument[before] = number }
  }

  static func add(to layout: inout StateLayout) {
    layout.add(Area.self)
    layout.add(Instrument.self)
  }

  static func write(_ exchange: borrowing Exchange, to sink: any StateSink) {
    exchange.products.areas.write(to: sink)
    exchange.products.instruments.write(to: sink)
  }

  static func read(_ exchange: inout Exchange, from source: any StateSource) {
    exchange.products.areas.read(from: source)
    exchange.products.instruments.read(from: source)
    if !source.isWhole { return }
    // Descending, so that each is the first of its list.
    for number in stride(from: exchange.capacity.instruments, through: 1, by: -1)
    where exchange.products.instruments[number].exists {
      exchange.products.list(number)
    }
  }

  /// Folds the areas. Book/Books.swift folds each instrument together with its orders.
  static func fold(_ exchange: borrowing Exchange, into hash: inout WordHash) {
    for number in stride(from: 1, through: exchange.capacity.areas, by: 1)
    where exchange.products.areas[number].exists {
      exchange.products.areas[number].fold(number, into: &hash)
    }
  }
}

extension Area {
  fileprivate func fold(_ number: UInt32, into hash: inout WordHash) {
    hash.fold(UInt64(number) << 32 | UInt64(currency))
    hash.fold(defaultCap)
    hash.fold(feedInPrice)
    hash.fold(retailPrice)
    hash.fold(lossFactor)
    hash.fold(fees)
    hash.fold(grid)
    for sum in [produced, lost, burned, imported, exported] { hash.fold(sum) }
    // A correction may take back production that neighbours have burned: then the import replaces it.
    invariant(
      min(produced, lost, imported, exported) >= 0 && burned + imported >= 0,
      "an energy total is at least 0")
    invariant(lost <= produced, "losses are at most the production")
  }
}

extension Instrument {
  /// Folds the definition and the trading state.
  func fold(_ number: UInt32, into hash: inout WordHash) {
    invariant(tick > 0 && lot > 0 && lowest <= highest, "the definition of the instrument is valid")
    hash.fold(UInt64(number) << 8 | UInt64(state.rawValue))
    hash.fold(tick)
    hash.fold(lot)
    hash.fold(lowest)
    hash.fold(highest)
    hash.fold(UInt64(makerFee) << 32 | UInt64(takerFee))
  }
}
