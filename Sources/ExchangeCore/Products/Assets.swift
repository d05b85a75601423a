// Assets: the energy of an area, and in future other quantities that are conserved.

import MarketModel

/// The asset of a position. Numbers 1 ... 65,535 are the energy of the area with that number;
/// higher ones are free for futures, shares, certificates and tokens.
struct Asset: Equatable {
  var number: UInt32

  @inline(__always) init(number: UInt32) { self.number = number }

  /// The energy of an area.
  @inline(__always) init(energyOf area: AreaId) { number = UInt32(area.rawValue) }

  /// The area to which the asset belongs.
  @inline(__always) var area: AreaId { AreaId(UInt16(truncatingIfNeeded: number)) }
}
