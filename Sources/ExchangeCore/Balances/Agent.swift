// The stored form of a standing instruction; Agents/ has its rules.

import MarketModel

/// The standing instruction of a position (market rules 8). `instrument` is 0 when there is none.
/// Prices are in 1e-5 per kWh, the other amounts in Wh.
struct Agent: BitwiseCopyable {
  var instrument: UInt32
  var session: UInt32
  var sells: Bool
  var buys: Bool
  var sellPrice: Int64
  /// The least level at which it sells; negative: three quarters of the cap.
  var sellAbove: Int64
  var buyPrice: Int64
  /// The highest level at which it buys; negative: a quarter of the cap.
  var buyBelow: Int64
  /// The level that the instruction trades towards; negative: half the cap.
  var target: Int64
}
