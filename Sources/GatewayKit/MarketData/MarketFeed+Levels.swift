import MarketModel

// The kept levels of the areas that gateways ask for. Levels are neither built nor maintained for
// other areas; the hot path then only looks at one flag.

extension MarketFeed {
  /// How long levels are kept after the last gateway released them, ns: a client that subscribes
  /// and unsubscribes in turn does not cause them to be built each time.
  public static let keptUnwanted: UInt64 = 60_000_000_000

  /// Keeps the levels of `area` for `gateway` from now on. They are complete at once if the area has
  /// no resting orders or they are still kept, otherwise when `buildLevels` has passed every order.
  public mutating func keepLevels(of area: AreaId, for gateway: GatewayNumber) {
    let depth = depths[area] ?? beginLevels(of: area)
    depth.want(gateway)
  }

  private mutating func beginLevels(of area: AreaId) -> AreaDepth {
    if !isBuildingLevels { cursor = 0 }
    let depth = AreaDepth(start: cursor)
    depths[area] = depth
    keepsLevels = true
    if orderCount(of: area) == 0 {
      depth.complete()
    } else {
      unfinished.append(area)
    }
    return depth
  }

  /// `gateway` no longer needs the levels of `area`; it may call this again.
  public mutating func releaseLevels(
    of area: AreaId, for gateway: GatewayNumber, at now: SteadyTime
  ) {
    depths[area]?.release(gateway, at: now)
  }

  /// `gateway` no longer needs the levels of any area.
  public mutating func releaseLevels(for gateway: GatewayNumber, at now: SteadyTime) {
    for depth in depths.values { depth.release(gateway, at: now) }
  }

  /// The areas whose levels are kept for `gateway`, in no particular order.
  public func areasKept(for gateway: GatewayNumber) -> [AreaId] {
    depths.filter { $0.value.users[gateway] != nil }.map(\.key)
  }

  /// Drops the levels that no gateway has wanted for 60 s as of `now`.
  public mutating func dropUnwantedLevels(at now: SteadyTime) {
    for (area, depth) in depths {
      guard let since = depth.unwantedSince, now.since(since) >= Self.keptUnwanted else { continue }
      depths[area] = nil
      unfinished.removeAll { $0 == area }
    }
    keepsLevels = !depths.isEmpty
  }

  /// Whether the levels of `area` are kept and complete.
  public func hasLevels(of area: AreaId) -> Bool { depths[area]?.isComplete == true }

  /// Whether levels are being built, for which `buildLevels` must be called.
  public var isBuildingLevels: Bool { !unfinished.isEmpty }

  /// Continues to build levels. Called when `isBetweenCommands`.
  /// - Parameter most: Maximum number of order slots to visit.
  public mutating func buildLevels(steps most: Int) {
    var left = most
    while left > 0, isBuildingLevels {
      let end = min(cursor + left, nextStop)
      left -= max(1, end - cursor)
      for slot in cursor..<end {
        let order = entries[slot].published
        guard order.total.wattHours > 0 else { continue }
        let area = area(of: order.instrument)
        guard let depth = depths[area], !depth.isComplete else { continue }
        depth.apply(LevelChange(adding: order))
      }
      cursor = end
      if cursor == entries.count {
        for area in unfinished { depths[area]?.hasWrapped = true }
        cursor = 0
      }
      finishBuilding()
    }
  }

  /// The next slot at which levels may be complete: the end, or the start of an area for which the
  /// cursor has already passed the end.
  private var nextStop: Int {
    unfinished.reduce(entries.count) { stop, area in
      guard let depth = depths[area], depth.hasWrapped, depth.start > cursor else { return stop }
      return min(stop, depth.start)
    }
  }

  private mutating func finishBuilding() {
    var left: [AreaId] = []
    for area in unfinished {
      guard let depth = depths[area] else { continue }
      if depth.orders == orderCount(of: area) || (depth.hasWrapped && cursor >= depth.start) {
        depth.complete()
      } else {
        left.append(area)
      }
    }
    unfinished = left
  }

  /// Applies a published change of the order in `slot` to the kept levels.
  /// - Returns: the level after it; `nil` if the area's levels are not kept or not complete.
  mutating func keepLevel(_ change: LevelChange, of area: AreaId, slot: Int) -> FeedLevel? {
    guard let depth = depths[area] else { return nil }
    if depth.isComplete { return depth.apply(change) }
    if depth.hasPassed(slot, cursor: cursor) { depth.apply(change) }
    return nil
  }

  // MARK: What is kept

  /// At most `most` levels of `instrument` behind `key`, or the first ones: bids first, best price
  /// first on each side. Empty unless the levels of its area are complete.
  public func levels(of instrument: InstrumentId, behind key: LevelKey?, most: Int) -> [FeedLevel] {
    guard let depth = depths[area(of: instrument)], depth.isComplete else { return [] }
    return depth.levels(of: instrument, behind: key, most: most)
  }

  /// The level with a key; `nil` if there is none, or the levels of its area are not complete.
  public func level(at key: LevelKey) -> FeedLevel? {
    guard let depth = depths[area(of: key.instrument)], depth.isComplete else { return nil }
    return depth.level(at: key)
  }

  /// The top of `instrument`; `nil` unless the levels of its area are complete.
  public func top(of instrument: InstrumentId) -> FeedTop? {
    guard let depth = depths[area(of: instrument)], depth.isComplete else { return nil }
    return depth.top(of: instrument)
  }

  /// The tops of `area` that may have changed since the gateway's last call, in the order of their
  /// first change. Empty unless the levels are complete and kept for `gateway`.
  public mutating func takeChangedTops(
    of area: AreaId, for gateway: GatewayNumber
  ) -> [FeedTop] {
    guard hasLevels(of: area) else { return [] }
    return depths[area]?.takeChanged(for: gateway).compactMap { top(of: $0) } ?? []
  }
}
