// Market areas and their instruments.

import MarketModel

/// Areas and instruments, by number.
struct Products: ~Copyable, StateComponent {
  let areas: Table<Area>
  let instruments: Table<Instrument>

  init(capacity: Capacity) {
    areas = Table(capacity: Int(capacity.areas) + 1)
    instruments = Table(capacity: Int(capacity.instruments) + 1)
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
    for sum in [produced, lost, burned, imported, exported] {
      hash.fold(sum)
      invariant(sum >= 0, "an energy total is at least 0")
    }
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
