// The image of an exchange: for each component its counters and the bytes of the rows in use,
// including free lists. An exchange read from an image continues exactly like the one that wrote
// it.
//
//   layout      8    fingerprint of all row types; an unknown one is refused
//   capacity    64   must equal the capacity of the reading exchange
//   components       for each: its counters; for each table the number of rows (8) and their bytes
//   end         8    "EXCHANGE"
//
// Components.swift has the order of the components. FormerImage.swift reads images of older
// programs.

import MarketModel

extension Exchange {
  /// Rises when the meaning of rows changes without a change of their fields.
  static let imageVersion: UInt64 = 2
  /// The word at the end: "EXCHANGE".
  static let imageEnd: UInt64 = 0x4547_4E41_4843_5845

  /// The layout of the images that this program writes.
  private static let layout = {
    var layout = StateLayout(version: imageVersion)
    layout.add(Capacity.Image.self)
    forEachComponent { $0.add(to: &layout) }
    return layout
  }()

  /// Writes the whole state. Call it between two commands. Linear in the number of rows in use.
  package func write(to sink: any StateSink) {
    invariant(
      orders.count <= orders.used && orders.used <= capacity.orders, "orders are within the pool")
    sink.put(Exchange.layout.fingerprint)
    sink.put(capacity.image)
    Exchange.forEachComponent { $0.write(self, to: sink) }
    sink.put(Exchange.imageEnd)
  }

  /// Reads the exchange that `write` wrote.
  /// - Returns: `nil` when the source ends early, the layout is unknown or the capacity differs;
  ///   the source has the reason.
  package init?(capacity: Capacity, reading source: any StateSource) {
    self.init(capacity: capacity)
    let former = source.expect(Exchange.layout, or: FormerImage.fingerprints)
    let isOfCapacity =
      switch former {
      case nil: source.get(Capacity.Image.self) == capacity.image
      case FormerImage.beforeRules5, FormerImage.beforeRules6, FormerImage.beforeRules8:
        source.get(FormerImage.WithReferences.Image.self)
          == FormerImage.WithReferences.Image(capacity)
      case FormerImage.beforeRules4:
        source.get(FormerImage.PreviousCapacity.self) == FormerImage.PreviousCapacity(capacity)
      default: source.get(FormerImage.Capacity.self) == FormerImage.Capacity(capacity)
      }
    if source.isWhole, !isOfCapacity { source.reject("written with another capacity") }
    if let former {
      if source.isWhole { FormerImage.read(&self, from: source, layout: former) }
    } else {
      Exchange.forEachComponent { $0.read(&self, from: source) }
    }
    if source.isWhole, source.get(UInt64.self) != Exchange.imageEnd {
      source.reject("no exchange ends here")
    }
    if !source.isWhole { return nil }
  }
}

extension Capacity {
  /// The stored form of a capacity.
  struct Image: BitwiseCopyable, Equatable {
    var participants, sessions, accounts, areas, instruments, meters: UInt32
    var positions, orders, priceLevels, cascadeSteps: UInt32
    var accountOrders, accountLevels: UInt32
    var cashReferences: UInt32
    var readings, tariffHistory, quarantine: UInt32
  }

  var image: Image {
    Image(
      participants: participants, sessions: sessions, accounts: accounts, areas: areas,
      instruments: instruments, meters: meters, positions: positions, orders: orders,
      priceLevels: priceLevels, cascadeSteps: cascadeSteps, accountOrders: accountOrders,
      accountLevels: accountLevels, cashReferences: cashReferences, readings: readings,
      tariffHistory: tariffHistory, quarantine: quarantine)
  }
}
