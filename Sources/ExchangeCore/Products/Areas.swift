// Market areas with their grid tariffs and energy totals (sections 3 and 7).

import MarketModel

/// A market area: its definition and tariff, the cash of its house accounts, and the energy totals
/// that prove conservation. Prices are in 1e-5 per kWh, the cap in Wh, the loss in parts per
/// million.
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
  /// Energy totals since the start, Wh.
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
    var refusal = validateDefinition(request, number, of: capacity.areas, .area)
    if refusal == nil, exists(new.area) { refusal = Refusal(.alreadyExists) }
    refusal = refusal ?? validate(new)
    if let refusal { return reject(refusal, request) }
    invariant(number <= capacity.areas, "the area is within the table")
    let cap = defaultCap(new) ?? 0
    invariant(cap >= 0 && cap <= Limit.cap, "the default cap is within its bounds")
    invariant(
      products.areas[number].fees == 0 && products.areas[number].grid == 0,
      "a new area has no cash")
    products.areas[number] = Area(
      exists: true, currency: new.currency.rawValue, lossFactor: new.lossFactor.partsPerMillion,
      code: new.code, defaultCap: cap, feedInPrice: new.feedInPrice.ticks,
      retailPrice: new.retailPrice.ticks, fees: 0, grid: 0, produced: 0, lost: 0, burned: 0,
      imported: 0, exported: 0)
    // Older images lack them, and nothing depends on them before version 4.
    if rules >= 4 {
      areaCosts[number] = AreaCost(
        cost: new.storageCost.units, price: new.storagePrice.units, isCostKnown: true)
    }
    if rules >= 6 { areaUses[number] = AreaUse(isLocalFirst: true) }
    noteTariff(number, from: 0)
    invariant(exists(new.area), "the created area exists")
    emit(
      .reference(
        .areaCreated(
          AreaState(
            definition: new, defaultCap: Energy(wattHours: cap),
            readings: describedReadings(number)))))
    acknowledge(request)
  }

  private func validate(_ new: CreateArea) -> Refusal? {
    if new.storageCost < .zero {
      return Refusal(.badDefinition, new.storageCost.units, .storageCost)
    }
    if new.storagePrice <= .zero {
      return Refusal(.badDefinition, new.storagePrice.units, .storagePrice)
    }
    if let refusal = validate(feedIn: new.feedInPrice, retail: new.retailPrice) { return refusal }
    if new.lossFactor.partsPerMillion > Rate.highest.partsPerMillion {
      return Refusal(.badDefinition, new.lossFactor.partsPerMillion, .lossFactor)
    }
    return defaultCap(new) == nil
      ? Refusal(.badDefinition, new.storageCost.units, .storageCost) : nil
  }

  private func defaultCap(_ new: CreateArea) -> Int64? {
    defaultCap(cost: new.storageCost.units, price: new.storagePrice.units)
  }

  /// The default cap, Wh: 2 Cu / (1.5 P) kWh, which is floor(4000 Cu / (3 P)) Wh (section 3).
  /// - Returns: `nil` when it exceeds `Limit.cap`.
  func defaultCap(cost: Int64, price: Int64) -> Int64? {
    invariant(price > 0 && cost >= 0, "the price is positive and the cost at least 0")
    let cap = Int128(cost) * 4_000 / (Int128(price) * 3)
    invariant(cap >= 0, "the cap is at least 0")
    return cap <= Int128(Limit.cap) ? Int64(cap) : nil
  }

  /// Refuses grid prices out of range. Since version 4 they may be negative, and feed-in above retail
  /// is refused, since it would pay for importing what is exported.
  func validate(feedIn: Price, retail: Price) -> Refusal? {
    let lowest = rules >= 4 ? -Limit.price : 0
    let allowed = lowest...Limit.price
    if !allowed.contains(feedIn.ticks) {
      return Refusal(.badDefinition, feedIn.ticks, .feedInPrice)
    }
    if !allowed.contains(retail.ticks) {
      return Refusal(.badDefinition, retail.ticks, .retailPrice)
    }
    return rules >= 4 && feedIn > retail
      ? Refusal(.badDefinition, feedIn.ticks, .feedInPrice) : nil
  }

  mutating func setTariff(_ tariff: SetTariff, _ request: Request) {
    var refusal = permission(request, .administration)
    if refusal == nil, !exists(tariff.area) { refusal = Refusal(.unknownArea, capacity.areas) }
    refusal = refusal ?? validate(feedIn: tariff.feedInPrice, retail: tariff.retailPrice)
    refusal = refusal ?? validateTariffRoom(UInt32(tariff.area.rawValue), from: progress.now)
    if let refusal { return reject(refusal, request) }
    invariant(exists(tariff.area), "the area of the tariff exists")
    products.areas[UInt32(tariff.area.rawValue)].feedInPrice = tariff.feedInPrice.ticks
    products.areas[UInt32(tariff.area.rawValue)].retailPrice = tariff.retailPrice.ticks
    noteTariff(UInt32(tariff.area.rawValue), from: progress.now)
    emit(.reference(.tariffSet(tariff)))
    acknowledge(request)
  }
}
