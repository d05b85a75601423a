// The level changes of messages that a subscriber missed. Only the levels that these messages touch
// are computed, first backwards, then forwards:
//
//     from                                 last, when begun        now
//      |<---- walkBack: undo each change -----|                     |
//      |---- next: apply each change ------------------------------>|
//
// Walking back starts with the present level. A message that is published in between adds the level
// before it, unless an earlier change of this level is known already.

import MarketModel

/// The messages of an area's channel as a subscriber of levels receives them, from a number on.
/// Owned by the I/O thread. The levels of the area must be kept and complete from its creation on.
public final class MissedLevels {
  /// A message of a channel, as subscribers by level receive it.
  public enum Message {
    /// The changed level.
    case level(FeedLevel, InstrumentId)
    /// A message that changes no level.
    case other(FeedUpdate)
  }

  private let area: AreaId
  /// Number of the first message requested.
  private let from: UInt64
  /// The last message not yet undone; below `from` when all are.
  private var back: UInt64
  /// Number of the next message.
  public private(set) var next: UInt64
  /// The touched levels as they were before the messages undone or published since, later before
  /// the message `next`.
  private var levels: [LevelKey: FeedLevel] = [:]

  /// Nothing is computed yet.
  public init(of area: AreaId, from: UInt64, in feed: borrowing MarketFeed) {
    (self.area, self.from, next) = (area, from, from)
    back = feed.lastSequence(of: area)
  }

  /// Whether all changes were undone, so that `take` may be called.
  public var isReady: Bool { back < from }

  /// Whether the messages still needed are stored.
  public func isKept(in feed: borrowing MarketFeed) -> Bool {
    (isReady ? next : from) >= feed.firstKept(of: area)
  }

  /// Number of steps that undoing or applying a change counts, since it looks up and stores a level
  /// among those touched; a step is the reading of an order.
  public static let stepsOfChange = 4

  /// Undoes changes, each for `stepsOfChange` steps, until `isReady`. The messages must be stored.
  public func walkBack(_ feed: borrowing MarketFeed, steps: inout Int) {
    while steps > 0, !isReady {
      if let change = feed.kept(back, of: area).change {
        let key = change.key
        let level = levels[key] ?? feed.level(at: key) ?? FeedLevel(emptyAt: key.price, key.side)
        levels[key] = level.after(change.reversed)
      }
      back -= 1
      steps -= Self.stepsOfChange
    }
  }

  /// A message of the area was published.
  public func note(_ message: FeedMessage, in feed: borrowing MarketFeed) {
    guard let level = message.level?.level,
      let change = feed.kept(message.sequence, of: area).change, levels[change.key] == nil
    else { return }
    levels[change.key] = level.after(change.reversed)
  }

  /// The next message with its number and time; `nil` if there is none. The message must be stored.
  public func take(
    _ feed: borrowing MarketFeed
  ) -> (message: Message, number: UInt64, time: Timestamp)? {
    guard next <= feed.lastSequence(of: area) else { return nil }
    let (number, kept) = (next, feed.kept(next, of: area))
    next += 1
    guard let change = kept.change else { return (.other(kept.update), number, kept.time) }
    let before = levels[change.key] ?? FeedLevel(emptyAt: change.price, change.side)
    let level = before.after(change)
    levels[change.key] = level
    return (.level(level, change.instrument), number, kept.time)
  }
}
