import MarketModel

/// What trades belong to and are paid in: found by direct index, learnt from the events that
/// created areas and instruments.
struct Catalog: Sendable {
  private var currencies: [Currency] = []
  private var areas: [AreaId] = []

  /// Learns what an event says of areas and instruments.
  mutating func note(_ event: ReferenceEvent) {
    switch event {
    case .areaCreated(let area): add(area.definition)
    case .instrumentCreated(let instrument): add(instrument)
    default: break
    }
  }

  /// Learns an area's currency.
  mutating func add(_ area: CreateArea) {
    let index = Int(area.area.rawValue)
    while currencies.count <= index { currencies.append(Currency(0)) }
    currencies[index] = area.currency
  }

  /// Learns an instrument's area.
  mutating func add(_ instrument: CreateInstrument) {
    let index = Int(instrument.instrument.rawValue)
    while areas.count <= index { areas.append(.null) }
    areas[index] = instrument.area
  }

  /// What `area` is paid in.
  /// - Returns: `nil` when its creation was not taken. Any number is a currency, 0 too: the exchange takes
  ///   it, so a ledger must.
  func currency(of area: AreaId) -> Currency? {
    let index = Int(area.rawValue)
    return index < currencies.count ? currencies[index] : nil
  }

  /// The area of `instrument`, and what it is paid in.
  /// - Returns: `nil` when the creation of either was not taken.
  func market(of instrument: InstrumentId) -> (area: AreaId, currency: Currency)? {
    let index = Int(instrument.rawValue)
    guard index < areas.count, areas[index] != .null, let paid = currency(of: areas[index]) else {
      return nil
    }
    return (areas[index], paid)
  }
}

// MARK: - Its image

extension Catalog {
  private static let most = 1 << 26

  func write(to sink: any StateSink) {
    sink.put(currencies)
    sink.put(areas)
  }

  mutating func read(from source: any StateSource) {
    currencies = source.get(Currency.self, most: Self.most)
    areas = source.get(AreaId.self, most: Self.most)
  }
}
