import MarketModel

// MARK: - State image (DurableView.swift)

extension MarketFeed {
  /// Upper bound of instrument and area numbers, to reject malformed images.
  private static let most = 1 << 26

  /// Adds the row types of its image.
  static func add(to layout: inout StateLayout) {
    layout.add(FeedOrder.self)
    layout.add(AreaId.self)
  }

  /// The last number of each channel.
  private var lastNumbers: [UInt64] { channels.all.map(\.last) }

  /// Resting orders as published, in the order of their slots.
  private var resting: [FeedOrder] {
    entries.all.lazy.map(\.published).filter { $0.total.wattHours > 0 }
  }

  /// Writes the published books and the channels' last numbers. Called between commands.
  func write(to sink: any StateSink) {
    assert(isBetweenCommands)
    sink.put(areas)
    sink.put(lastNumbers)
    sink.put(resting)
  }

  /// Reads what `write` wrote. Messages published before are no longer stored.
  mutating func read(from source: any StateSource) {
    areas = source.get(AreaId.self, most: Self.most)
    endChannels()
    channels = DirectTable(
      MarketChannel(),
      source.get(UInt64.self, most: Self.most).map { MarketChannel(last: $0) })
    for (number, area) in areas.enumerated() where area != .null {
      enlist(InstrumentId(UInt32(number)), in: area)
    }
    for order in source.get(FeedOrder.self, most: Self.most) {
      entries[Int(order.order.slot)] = Entry(published: order)
      channels.pointer(Int(area(of: order.instrument).rawValue))?.pointee.orders += 1
    }
  }

  /// Whether both will publish equal messages from now on.
  func isSame(as other: borrowing MarketFeed) -> Bool {
    areas == other.areas && lastNumbers == other.lastNumbers
      && resting == other.resting
  }
}
