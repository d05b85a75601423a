// The prices of the surrounding grid as parameters (section 2, "Parameters"). Those of one area and one
// moment take effect together, so that both can rise above the former retail price.

import MarketModel

extension Parameter {
  /// Whether it is a price of the surrounding grid.
  var isGridPrice: Bool { self == .feedInPrice || self == .retailPrice }
}

extension Exchange {
  /// Refuses a price of the grid with which the area's other one does not fit.
  func validateGridPrice(_ new: SetParameter) -> Refusal? {
    let area = products.areas[new.number]
    let value = Price(ticks: new.value)
    let refusal =
      new.parameter == .feedInPrice
      ? validate(feedIn: value, retail: Price(ticks: area.retailPrice))
      : validate(feedIn: Price(ticks: area.feedInPrice), retail: value)
    return refusal ?? validateTariffRoom(new.number, from: moment(of: new))
  }

  /// Applies or rejects the prices of an area that wait for the moment of the pending change `row`,
  /// all of them, in the order in which they were sent. Quadratic in their number, which is seldom
  /// above two.
  mutating func takeGridPrices(_ row: UInt32) {
    let first = pendingParameters[row].change
    let refusal = validateGridPrices(with: first)
    while let row = pendingParameters.earliestGridPrice(with: first) {
      schedule.remove(.parameter, row)
      let pending = pendingParameters.remove(row)
      if let refusal {
        rejectLate(refusal, pending)
      } else {
        applyGridPrice(pending.change)
      }
    }
  }

  /// Refuses the prices of the grid as they would be after all changes of the same moment.
  private func validateGridPrices(with change: SetParameter) -> Refusal? {
    let area = products.areas[change.number]
    let feedIn = pendingParameters.latestPrice(.feedInPrice, with: change) ?? area.feedInPrice
    let retail = pendingParameters.latestPrice(.retailPrice, with: change) ?? area.retailPrice
    return validate(feedIn: Price(ticks: feedIn), retail: Price(ticks: retail))
      ?? validateTariffRoom(change.number, from: moment(of: change))
  }

  /// Since when a change that takes effect now holds, ns since 1970.
  func moment(of new: SetParameter) -> UInt64 {
    new.from.meansAtOnce ? progress.now : new.from.nanoseconds
  }

  /// Sets a price of the grid; nothing else follows from it.
  mutating func applyGridPrice(_ new: SetParameter) {
    if new.parameter == .feedInPrice {
      products.areas[new.number].feedInPrice = new.value
    } else {
      products.areas[new.number].retailPrice = new.value
    }
    noteTariff(new.number, from: moment(of: new))
    let cap = Energy(wattHours: products.areas[new.number].defaultCap)
    emit(.reference(.parameterSet(ParameterSet(change: new, defaultCap: cap))))
  }
}

extension PendingParameters {
  /// The row of the price of the grid that was sent first of those for the area and the moment of
  /// `change`; `nil` when none waits. Linear in the rows in use.
  fileprivate func earliestGridPrice(with change: SetParameter) -> UInt32? {
    rows(of: change) { $0.isGridPrice }.first
  }

  /// The value of the parameter that was sent last for the area and the moment of `change`; `nil`
  /// when none waits. Linear in the rows in use.
  fileprivate func latestPrice(_ parameter: Parameter, with change: SetParameter) -> Int64? {
    rows(of: change) { $0 == parameter }.last.map { self[$0].change.value }
  }
}
