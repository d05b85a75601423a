// Keys of published price levels, in the order of a depth display: bids before asks, the best price
// first.

/// The key of a level in an instrument's published depth.
public struct LevelKey: Hashable, Comparable, Sendable {
  /// The instrument of the book.
  public var instrument: InstrumentId
  /// Bids or asks.
  public var side: Side
  /// The price of the level.
  public var price: Price

  /// The key of the level at `price`.
  public init(instrument: InstrumentId, side: Side, price: Price) {
    (self.instrument, self.side, self.price) = (instrument, side, price)
  }

  /// Orders by instrument number, then bids before asks, then the best price first.
  public static func < (one: LevelKey, other: LevelKey) -> Bool {
    if one.instrument != other.instrument {
      return one.instrument.rawValue < other.instrument.rawValue
    }
    if one.side != other.side { return one.side == .buy }
    return one.side == .buy ? one.price > other.price : one.price < other.price
  }
}
