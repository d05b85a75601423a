// Which level of which book, in the order in which a depth is shown: bids before asks, the best first.

/// A level of an instrument's published depth.
public struct LevelKey: Hashable, Comparable, Sendable {
  /// Whose book.
  public var instrument: InstrumentId
  /// Bids or asks.
  public var side: Side
  /// The level.
  public var price: Price

  /// All fields.
  public init(instrument: InstrumentId, side: Side, price: Price) {
    (self.instrument, self.side, self.price) = (instrument, side, price)
  }

  /// Instruments by number; in each bids before asks, and on each side the best price first.
  public static func < (one: LevelKey, other: LevelKey) -> Bool {
    if one.instrument != other.instrument {
      return one.instrument.rawValue < other.instrument.rawValue
    }
    if one.side != other.side { return one.side == .buy }
    return one.side == .buy ? one.price > other.price : one.price < other.price
  }
}
