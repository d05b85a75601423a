// The standing instruction of a position, as it is kept; what it does is in Agents/.

import MarketModel

/// A standing instruction (market rules 8). Without one, `instrument` is 0.
struct Agent: BitwiseCopyable {
  var instrument: UInt32
  var session: UInt32
  var sells: Bool
  var buys: Bool
  var sellPrice: Int64
  var sellAbove: Int64
  var buyPrice: Int64
  var buyBelow: Int64
  /// Negative: half the cap.
  var target: Int64
}
