// What a meter measures, where, and who answers for its readings (section 7). The exchange keeps and lists it and
// does nothing with it.

import MarketModel

/// The site data of a meter.
struct MeterSite: BitwiseCopyable, Equatable {
  var place: Label
  var attestation: MeterAttestation
  var technology: MeterTechnology

  /// Whether nothing was told.
  var isEmpty: Bool { place == .empty && attestation == .device && technology == .unknown }

  /// Whether a registration says of it what is known.
  func agrees(with meter: RegisterMeter) -> Bool {
    attestation == meter.attestation && technology == meter.technology
  }

  /// Takes what a registration says.
  mutating func set(_ meter: RegisterMeter) {
    (attestation, technology) = (meter.attestation, meter.technology)
  }
}

/// Site data by meter.
struct MeterSites: ~Copyable, StateComponent {
  private let rows: Table<MeterSite>

  init(capacity: Capacity) { rows = Table(capacity: Int(capacity.meters) + 1) }

  subscript(meter: UInt32) -> MeterSite {
    @inline(__always) unsafeAddress { UnsafePointer(rows.address(of: meter)) }
    @inline(__always) nonmutating unsafeMutableAddress { rows.address(of: meter) }
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

extension Exchange {
  /// Says where a registered meter stands.
  mutating func setMeterPlace(_ new: SetMeterPlace, _ request: Request) {
    let number = new.meter.rawValue
    var refusal = validateDefinition(request, number, of: capacity.meters, .meter)
    if refusal == nil, !isRegistered(meter: number) {
      refusal = Refusal(.unknownMeter, capacity.meters)
    }
    if let refusal { return reject(refusal, request) }
    meterSites[number].place = new.place
    emit(.reference(.meterPlaceSet(new)))
    acknowledge(request)
  }
}
