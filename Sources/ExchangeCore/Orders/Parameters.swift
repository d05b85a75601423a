// Changing a parameter of an area or an instrument (section 2, "Parameters"), at once or from a
// moment on, and what that means for resting orders.

import MarketModel

extension Exchange {
  mutating func setParameter(_ new: SetParameter, _ request: Request) {
    let isAtOnce = new.from.meansAtOnce
    var refusal = validate(new, request)
    if refusal == nil, isAtOnce { refusal = validateWhole(new) }
    if let refusal { return reject(refusal, request) }
    if isAtOnce {
      apply(new)
    } else {
      let pending = pendingParameters.add(
        new, session: request.session, clientSequence: request.clientSequence)
      schedule.insert(
        .parameter, pending.row, at: new.from.nanoseconds, number: pending.number)
    }
    acknowledge(request)
  }

  /// Applies a pending change at its moment, or rejects it when it no longer fits.
  mutating func takeEffect(_ row: UInt32) {
    if pendingParameters[row].change.parameter.isGridPrice { return takeGridPrices(row) }
    schedule.remove(.parameter, row)
    let pending = pendingParameters.remove(row)
    if let refusal = validateClosed(pending.change) ?? validateWhole(pending.change) {
      return rejectLate(refusal, pending)
    }
    apply(pending.change)
  }

  /// Rejects a change at its moment. Since version 5 without the number of its message: the session
  /// may have another version by then, whose message of that number is another one.
  mutating func rejectLate(_ refusal: Refusal, _ pending: PendingParameter) {
    let number = rules < 5 ? pending.clientSequence : 0
    reject(refusal, Request(session: pending.session, clientSequence: number))
  }

  /// Withdraws announced changes of a parameter. Linear in the changes that wait for each of them.
  mutating func withdrawParameter(_ old: WithdrawParameter, _ request: Request) {
    var refusal = permission(request, .administration)
    refusal = refusal ?? validateExistence(old.subject, old.number)
    refusal = refusal ?? validate(old.parameter, of: old.subject)
    if refusal == nil, pendingParameters.row(of: old) == nil {
      refusal = Refusal(.noSuchChange, pendingParameters.count)
    }
    if let refusal { return reject(refusal, request) }
    while let row = pendingParameters.row(of: old) {
      schedule.remove(.parameter, row)
      _ = pendingParameters.remove(row)
    }
    acknowledge(request)
  }

  // MARK: Validation

  /// Checks everything but whether the definition as a whole allows the value.
  private func validate(_ new: SetParameter, _ request: Request) -> Refusal? {
    if let refusal = permission(request, .administration) { return refusal }
    if let refusal = validateExistence(new.subject, new.number) { return refusal }
    if let refusal = validateClosed(new) { return refusal }
    if let refusal = validate(new.parameter, of: new.subject) { return refusal }
    if !range(of: new.parameter).contains(new.value) {
      return Refusal(.badDefinition, new.value, new.parameter.field)
    }
    if new.from.meansAtOnce { return nil }
    if new.from.nanoseconds <= progress.now { return Refusal(.fromNotLater, progress.now) }
    return pendingParameters.isFull
      ? Refusal(.capacityExhausted, Limit.pendingParameters) : nil
  }

  private func validateExistence(_ subject: ParameterSubject, _ number: UInt32) -> Refusal? {
    switch subject {
    case .area:
      exists(AreaId(UInt16(exactly: number) ?? 0)) ? nil : Refusal(.unknownArea, capacity.areas)
    case .instrument:
      exists(InstrumentId(number)) ? nil : Refusal(.unknownInstrument, capacity.instruments)
    case .link, .pool: Refusal(.badDefinition, UInt32(subject.rawValue), .subject)
    }
  }

  private func validate(_ parameter: Parameter, of subject: ParameterSubject) -> Refusal? {
    parameter.subject == subject
      ? nil : Refusal(.badDefinition, UInt32(parameter.rawValue), .parameter)
  }

  private func validateClosed(_ new: SetParameter) -> Refusal? {
    new.subject == .instrument && products.instruments[new.number].isClosed
      ? Refusal(.instrumentClosed) : nil
  }

  /// The values that a parameter may have, in its unit.
  private func range(of parameter: Parameter) -> ClosedRange<Int64> {
    switch parameter {
    case .lowestPrice, .highestPrice, .feedInPrice, .retailPrice: -Limit.price...Limit.price
    case .tick: 1...Limit.price
    case .lot: 1...Limit.orderQuantity
    case .makerFee, .takerFee, .lossFactor: 0...Int64(Rate.highest.partsPerMillion)
    case .storageCost: 0...Int64.max
    case .storagePrice: 1...Int64.max
    case .ownUse: AreaUse.ownUses
    case .localFirst: 0...1
    case .readingWindow: AreaTariffs.windows
    case .mintedQuality: AreaTariffs.qualities
    case .unsettledLimit: Unsettled.limits
    }
  }

  /// Refuses a value with which the other parameters do not fit.
  private func validateWhole(_ new: SetParameter) -> Refusal? {
    switch new.subject {
    case .instrument:
      return validateTerms(changed(products.instruments[new.number], new))
    case .area:
      if new.parameter.isGridPrice { return validateGridPrice(new) }
      if new.parameter.isOfReadings || new.parameter.isOfTakenReadings { return nil }
      if new.parameter == .unsettledLimit { return nil }
      if new.parameter == .lossFactor {
        return validateTariffRoom(new.number, from: moment(of: new))
      }
      let cost = changed(areaCosts[new.number], new)
      return cost.isKnown && defaultCap(cost: cost.cost, price: cost.price) == nil
        ? Refusal(.badDefinition, cost.cost, .storageCost) : nil
    case .link, .pool: return Refusal(.badDefinition, UInt32(new.subject.rawValue), .subject)
    }
  }

  /// An instrument with the new value, which is in range.
  func changed(_ before: Instrument, _ new: SetParameter) -> Instrument {
    var terms = before
    switch new.parameter {
    case .lowestPrice: terms.lowest = new.value
    case .highestPrice: terms.highest = new.value
    case .tick: terms.tick = new.value
    case .lot: terms.lot = new.value
    case .makerFee: terms.makerFee = UInt32(new.value)
    case .takerFee: terms.takerFee = UInt32(new.value)
    default: break  // A parameter of an area.
    }
    return terms
  }

  /// The cost and price of storage of an area with the new value.
  func changed(_ cost: AreaCost, _ new: SetParameter) -> AreaCost {
    var cost = cost
    if new.parameter == .storageCost { (cost.cost, cost.isCostKnown) = (new.value, true) }
    if new.parameter == .storagePrice { cost.price = new.value }
    return cost
  }

  // MARK: Effects

  private mutating func apply(_ new: SetParameter) {
    if new.subject == .area { applyToArea(new) } else { applyToInstrument(new) }
  }

  /// Changes an area. Positions with the default cap first take their losses, in order of creation,
  /// so that nothing trades against headroom that is gone.
  private mutating func applyToArea(_ new: SetParameter) {
    if new.parameter.isGridPrice { return applyGridPrice(new) }
    let area = new.number
    if new.parameter.isOfReadings { areaUses[area] = areaUses[area].changed(new) }
    tariffs[area].set(new)
    if new.parameter == .unsettledLimit { unsettled.setLimit(new.value, area) }
    let before = products.areas[area].defaultCap
    if new.parameter == .lossFactor {
      products.areas[area].lossFactor = UInt32(new.value)
      noteTariff(area, from: moment(of: new))
    }
    let cost = changed(areaCosts[area], new)
    areaCosts[area] = cost
    if cost.isKnown, new.parameter == .storageCost || new.parameter == .storagePrice,
      let cap = defaultCap(cost: cost.cost, price: cost.price)
    {
      products.areas[area].defaultCap = cap
    }
    let cap = products.areas[area].defaultCap
    emit(
      .reference(.parameterSet(ParameterSet(change: new, defaultCap: Energy(wattHours: cap)))))
    if cap == before { return }
    for position in stride(from: 1, through: balances.positionCount, by: 1)
    where hasDefaultCap(position, area) {
      balances.positions.row(position).setCeiling(cap)
      balances.positions[position].mustReport = true
      touch(position)
    }
    for position in stride(from: 1, through: balances.positionCount, by: 1)
    where hasDefaultCap(position, area) {
      releaseLostCover(position, .sell)
      releaseLostCover(position, .buy)
    }
    drain()
  }

  private func hasDefaultCap(_ position: UInt32, _ area: UInt32) -> Bool {
    let row = balances.positions[position]
    return row.account != 0 && row.asset == area && !row.hasOwnCap
  }

  private mutating func applyToInstrument(_ new: SetParameter) {
    let terms = changed(products.instruments[new.number], new)
    emit(.reference(.parameterSet(ParameterSet(change: new, defaultCap: .zero))))
    switch new.parameter {
    case .makerFee, .takerFee:
      keepFees(of: new.number)
      products.instruments[new.number] = terms
    case .lot:
      fitOrders(new.number, to: terms)
      products.instruments[new.number] = terms
      removeExcessCoverOfTouched()
      drain()
    case .lowestPrice, .highestPrice, .tick:
      fitOrders(new.number, to: terms)
      rebuildBook(new.number, terms)
      drain()
    default: break  // A parameter of an area.
    }
  }

  // MARK: Resting orders

  /// Cancels every resting order that does not fit the changed definition and touches the others, in
  /// book order. The instrument still has its former definition.
  private mutating func fitOrders(_ instrument: UInt32, to terms: Instrument) {
    for side in [Side.buy, .sell] {
      walkBook(instrument, side) { exchange, order in
        let isOtherLot = terms.lot != order.instrument.lot
        if !exchange.fits(order, terms) || (isOtherLot && !exchange.reserveAnew(order, terms)) {
          return exchange.cancelInFull(order, .definition)
        }
        exchange.touch(order.position)
        if isOtherLot {
          order.owned.forgetExcess()
          if order.marks.isSpecial { exchange.didChangeLot(special: order) }
        }
      }
    }
  }

  /// Whether price and quantities of a resting order fit the changed definition.
  private func fits(_ order: OpenOrder, _ terms: Instrument) -> Bool {
    let (price, lot) = (order.price, terms.lot)
    if price % terms.tick != 0 || price < terms.lowest || price > terms.highest { return false }
    if order.quantity % lot != 0 || order.leaves % lot != 0 { return false }
    return !order.marks.isIceberg || orders.icebergs[order.slot].display % lot == 0
  }

  /// Reserves the order's cash for the lots of the changed definition, at the order's own fee rates.
  /// - Returns: Whether the owner's free cash suffices; otherwise nothing has changed.
  private func reserveAnew(_ order: OpenOrder, _ terms: Instrument) -> Bool {
    let rate = feeRates(order).highest
    guard let perLot = reservePerLot(terms.lot, rate, order.side, order.price) else { return false }
    let (sum, isTooMuch) = perLot.multipliedReportingOverflow(by: order.leaves / terms.lot)
    if isTooMuch { return false }
    let lots = order.instrument.value.lots(order.leaves)
    let more = sum - order.reservePerLot * lots
    if more > max(order.holding.free, 0) { return false }
    release(order, lots: lots)
    order.reservePerLot = perLot
    reserve(order, lots: order.leaves / terms.lot)
    invariant(
      more <= 0 || order.holding.free >= 0, "a reservation takes free cash only")
    return true
  }
}

extension Parameter {
  /// The field of the definition that it changes.
  fileprivate var field: RejectField {
    switch self {
    case .lowestPrice: .lowestPrice
    case .highestPrice: .highestPrice
    case .tick: .tickSize
    case .lot: .lot
    case .makerFee: .makerFee
    case .takerFee: .takerFee
    case .storageCost: .storageCost
    case .storagePrice: .storagePrice
    case .lossFactor: .lossFactor
    case .feedInPrice: .feedInPrice
    case .retailPrice: .retailPrice
    case .ownUse: .ownUse
    case .localFirst: .localFirst
    case .readingWindow: .readingWindow
    case .mintedQuality: .mintedQuality
    case .unsettledLimit: .unsettledLimit
    }
  }
}
