// A copy of an area's depth, built from a snapshot and the changes after it:
//
//     levels ... level, without number ... snapshotEnd(7)     8  9  10        12
//     correction of what was sent          copy as of 7       as of 10        gap: request 11

import MarketModel

/// The published depth of one area, for a subscriber of levels. Owned by one thread.
public struct LevelBook: Sendable {
  /// The effect of a message.
  public enum Outcome: Equatable, Sendable {
    /// The message is not about this area's levels, or it is old.
    case nothing
    /// The message is part of an incomplete snapshot, or the next of the channel.
    case taken
    /// The snapshot is complete.
    case complete
    /// Messages from this number on are missing; request them with
    /// `Client.resumeMarketData(of:from:view: .levels)`. Until they arrive, newer messages are
    /// ignored.
    case gap(from: UInt64)
  }

  /// The area.
  public let area: AreaId
  /// Number of the last message contained.
  public private(set) var last: UInt64 = 0
  /// Whether a snapshot is complete.
  public private(set) var isComplete = false
  private var levels: [LevelKey: LevelReport] = [:]

  /// Creates an empty book, before a snapshot. A subscription that replaces one whose snapshot was
  /// not complete needs a new book, from its `acknowledged` on.
  public init(area: AreaId) { self.area = area }

  /// The depth of an instrument: bids first, best price first on each side. Linear in the number of
  /// levels of the area, and sorts those of the instrument.
  public func depth(of instrument: InstrumentId) -> [LevelReport] {
    levels.filter { $0.key.instrument == instrument }.sorted { $0.key < $1.key }.map(\.value)
  }

  /// Processes a message from the client.
  public mutating func take(_ message: ClientMessage) -> Outcome {
    switch message.event {
    case .levels(let report) where report.area == area:
      if isComplete { (levels, isComplete) = ([:], false) }
      for level in report.levels { set(level, report.instrument) }
      return .taken
    case .snapshotEnd(area, _):
      // Instruments without levels are missing from a snapshot, so the old levels are removed at
      // its start.
      if isComplete { levels = [:] }
      (last, isComplete) = (message.sequence, true)
      return .complete
    case .level(let level) where level.area == area && message.sequence == 0:
      guard !isComplete else { return .nothing }
      set(level)
      return .taken
    case .level(let level) where level.area == area:
      let outcome = count(message.sequence)
      if outcome == .taken { set(level) }
      return outcome
    case .marketTrade(let trade) where trade.area == area: return count(message.sequence)
    case .stateChanged(_, _, area): return count(message.sequence)
    default: return .nothing
    }
  }

  private mutating func count(_ sequence: UInt64) -> Outcome {
    guard isComplete, sequence > last else { return .nothing }
    guard sequence == last + 1 else { return .gap(from: last + 1) }
    last = sequence
    return .taken
  }

  private mutating func set(_ level: LevelsReport.Level, _ instrument: InstrumentId) {
    set(
      LevelReport(
        instrument: instrument, area: area, side: level.side, price: level.price,
        total: level.total, live: level.live, orders: level.orders))
  }

  private mutating func set(_ level: LevelReport) {
    let key = LevelKey(instrument: level.instrument, side: level.side, price: level.price)
    levels[key] = level.orders == 0 ? nil : level
  }
}
