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
  var sellAbove: Int64
  var buyPrice: Int64
  var buyBelow: Int64
  /// The level that the instruction trades towards; negative: half the cap.
  var target: Int64
}
