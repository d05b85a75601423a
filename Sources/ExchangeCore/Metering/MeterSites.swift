// What a meter measures, where, and who answers for its readings (section 7). The exchange keeps and lists it and
// does nothing with it.

import MarketModel

/// The site data of a meter.
struct MeterSite: BitwiseCopyable, Equatable {
  var place: Label
  var attestation: MeterAttestation
  var technology: MeterTechnology

  init(_ meter: RegisterMeter) {
    (place, attestation, technology) = (meter.place, meter.attestation, meter.technology)
  }

  /// Whether nothing was told.
  var isEmpty: Bool { place == .empty && attestation == .device && technology == .unknown }
}

/// Site data by meter.
struct MeterSites: ~Copyable, StateComponent {
  private let rows: Table<MeterSite>

  init(capacity: Capacity) { rows = Table(capacity: Int(capacity.meters) + 1) }

  subscript(meter: UInt32) -> MeterSite {
    get { rows[meter] }
    nonmutating set { rows[meter] = newValue }
  }

  static func add(to layout: inout StateLayout) { layout.add(MeterSite.self) }

  static func write(_ exchange: borrowing Exchange, to sink: any StateSink) {
    exchange.meterSites.rows.write(to: sink)
  }

  static func read(_ exchange: inout Exchange, from source: any StateSource) {
    exchange.meterSites.rows.read(from: source)
  }

  static func fold(_ exchange: borrowing Exchange, into hash: inout WordHash) {
    for number in stride(from: 1, through: exchange.capacity.meters, by: 1)
    where !exchange.meterSites[number].isEmpty {
      let site = exchange.meterSites[number]
      hash.fold(UInt64(number))
      hash.fold(site.place.low)
      hash.fold(site.place.high)
      hash.fold(UInt64(site.attestation.rawValue) << 8 | UInt64(site.technology.rawValue))
    }
  }
}
