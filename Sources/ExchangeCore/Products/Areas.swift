// Market areas, their tariffs, and the sums that prove conservation (sections 3 and 7).

import MarketModel

/// An area, its tariff, its house cash, and the sums that prove conservation.
struct Area: BitwiseCopyable {
  var exists: Bool
  var currency: UInt16
  var lossFactor: UInt32
  var code: Label
  var defaultCap: Int64
  var feedInPrice: Int64
  var retailPrice: Int64
  /// Cash of the house account for fees, 1e-8.
  var fees: Int64
  /// Cash of the grid's house account, 1e-8: paid for imports, less received for exports.
  var grid: Int64
  /// Sums since the start, Wh.
  var produced: Int64
  var lost: Int64
  var burned: Int64
  var imported: Int64
  var exported: Int64
}

extension Exchange {
  @inline(__always) func exists(_ area: AreaId) -> Bool {
    area.rawValue >= 1 && UInt32(area.rawValue) <= capacity.areas
      && products.areas[UInt32(area.rawValue)].exists
  }

  mutating func createArea(_ new: CreateArea, _ request: Request) {
    let number = UInt32(new.area.rawValue)
    var refusal = validateDefinition(request, number, of: capacity.areas)
    if refusal == nil, exists(new.area) { refusal = Refusal(.alreadyExists) }
    refusal = refusal ?? validate(new)
    if let refusal { return reject(refusal, request) }
    invariant(number <= capacity.areas, "an area of the table")
    let cap = defaultCap(new) ?? 0
    invariant(cap >= 0 && cap <= Limit.cap, "a default cap that was checked")
    invariant(
      products.areas[number].fees == 0 && products.areas[number].grid == 0,
      "a new area has taken nothing")
    products.areas[number] = Area(
      exists: true, currency: new.currency.rawValue, lossFactor: new.lossFactor.partsPerMillion,
      code: new.code, defaultCap: cap, feedInPrice: new.feedInPrice.ticks,
      retailPrice: new.retailPrice.ticks, fees: 0, grid: 0, produced: 0, lost: 0, burned: 0,
      imported: 0, exported: 0)
    invariant(exists(new.area), "what was created exists")
    emit(.reference(.areaCreated(AreaState(definition: new, defaultCap: Energy(wattHours: cap)))))
    acknowledge(request)
  }

  private func validate(_ new: CreateArea) -> Refusal? {
    if new.storageCost < .zero { return Refusal(.badDefinition, new.storageCost.units) }
    if new.storagePrice <= .zero { return Refusal(.badDefinition, new.storagePrice.units) }
    if let refusal = validate(feedIn: new.feedInPrice, retail: new.retailPrice) { return refusal }
    if new.lossFactor.partsPerMillion > Rate.highest.partsPerMillion {
      return Refusal(.badDefinition, new.lossFactor.partsPerMillion)
    }
    return defaultCap(new) == nil ? Refusal(.badDefinition, new.storageCost.units) : nil
  }

  /// 2 Cu / (1.5 P) kWh in whole Wh: floor(4000 Cu / (3 P)) (section 3).
  private func defaultCap(_ new: CreateArea) -> Int64? {
    invariant(new.storagePrice > .zero && new.storageCost >= .zero, "prices that were checked")
    let cost = Int128(new.storageCost.units) * 4_000
    let cap = cost / (Int128(new.storagePrice.units) * 3)
    invariant(cap >= 0, "a cap is not negative")
    return cap <= Int128(Limit.cap) ? Int64(cap) : nil
  }

  private func validate(feedIn: Price, retail: Price) -> Refusal? {
    validateGrid(feedIn) ?? validateGrid(retail)
  }

  private func validateGrid(_ price: Price) -> Refusal? {
    (0...Limit.price).contains(price.ticks) ? nil : Refusal(.badDefinition, price.ticks)
  }

  mutating func setTariff(_ tariff: SetTariff, _ request: Request) {
    var refusal = permission(request, .administration)
    if refusal == nil, !exists(tariff.area) { refusal = Refusal(.unknownArea, capacity.areas) }
    refusal = refusal ?? validate(feedIn: tariff.feedInPrice, retail: tariff.retailPrice)
    if let refusal { return reject(refusal, request) }
    invariant(exists(tariff.area), "the tariff of an area that is there")
    products.areas[UInt32(tariff.area.rawValue)].feedInPrice = tariff.feedInPrice.ticks
    products.areas[UInt32(tariff.area.rawValue)].retailPrice = tariff.retailPrice.ticks
    invariant(
      tariff.feedInPrice.ticks >= 0 && tariff.retailPrice.ticks >= 0, "nobody pays the grid to take"
    )
    emit(.reference(.tariffSet(tariff)))
    acknowledge(request)
  }
}
