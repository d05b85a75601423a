// What can be held: energy of an area, and whatever will be conserved beside it.

import MarketModel

/// What a position is held in. Numbers 1 ... 65,535 are the energy of the area with that number; those above are for
/// promises, shares, certificates and tokens.
struct Asset: Equatable {
  var number: UInt32

  @inline(__always) init(number: UInt32) { self.number = number }

  /// The energy of an area.
  @inline(__always) init(energyOf area: AreaId) { number = UInt32(area.rawValue) }

  /// The area to which it belongs.
  @inline(__always) var area: AreaId { AreaId(UInt16(truncatingIfNeeded: number)) }
}
