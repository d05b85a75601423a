// The exchange as bytes: every part's rows as they lie in memory, as many as are in use, free lists and
// all. So an exchange that was read goes on exactly like the one that was written.
//
//   layout      8       fingerprint of every row type; another one is refused
//   capacity            the same when it is read
//   parts               each: its counters; of each table rows (8), bytes (Components.swift has the order)
//   end         8       "EXCHANGE"
//
// Images of the version before are read too: FormerImage.swift.

import MarketModel

extension Exchange {
  /// Counts changes of what rows mean that their fields do not show.
  private static let imageVersion: UInt64 = 2
  /// The word at the end: "EXCHANGE".
  static let imageEnd: UInt64 = 0x4547_4E41_4843_5845

  /// What rows an image holds.
  private static let layout = {
    var layout = StateLayout(version: imageVersion)
    layout.add(Capacity.Image.self)
    forEachComponent { $0.add(to: &layout) }
    return layout
  }()

  /// Writes the whole state, between two commands. Linear in what is in use.
  public func write(to sink: any StateSink) {
    invariant(
      orders.count <= orders.used && orders.used <= capacity.orders, "orders within the pool")
    sink.put(Exchange.layout.fingerprint)
    sink.put(capacity.image)
    Exchange.forEachComponent { $0.write(self, to: sink) }
    sink.put(Exchange.imageEnd)
  }

  /// The exchange that `write` wrote.
  /// - Returns: `nil` when the source ends early, or another program or another capacity wrote it.
  public init?(capacity: Capacity, reading source: any StateSource) {
    self.init(capacity: capacity)
    let former = source.expect(
      Exchange.layout, or: FormerImage.fingerprints + FormerImage.renamed)
    if source.isWhole, source.get(Capacity.Image.self) != capacity.image {
      source.reject("written with another capacity")
    }
    if let former, former < FormerImage.fingerprints.count {
      if source.isWhole { FormerImage.read(&self, from: source, knowsCirculation: former == 0) }
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
  /// A capacity as it is written.
  struct Image: BitwiseCopyable, Equatable {
    var participants, sessions, accounts, areas, instruments, meters: UInt32
    var positions, orders, priceLevels, cascadeSteps: UInt32
  }

  var image: Image {
    Image(
      participants: participants, sessions: sessions, accounts: accounts, areas: areas,
      instruments: instruments, meters: meters, positions: positions, orders: orders,
      priceLevels: priceLevels, cascadeSteps: cascadeSteps)
  }
}
