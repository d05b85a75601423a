// Section 2, "Parameters", and section 4, "The schedule".

import ExchangeCore
import MarketModel

/// A change of a parameter that takes effect later.
struct PendingChange {
  let change: SetParameter
  let command: Command
}

// MARK: - The schedule

extension ReferenceModel {
  /// What is due: an order expires, or a change takes effect.
  private enum Due {
    case expiry(OrderId)
    case parameter
  }

  /// Applies what is due before the command: by time, expiries first, then in the order of entry.
  mutating func applyDue(at time: Timestamp) {
    var needsDrain = false
    var last = Timestamp(nanoseconds: 0)
    while let (due, moment) = firstDue(at: time) {
      var isExpiry = false
      if case .expiry = due { isExpiry = true }
      if needsDrain, !isExpiry || (rules >= 4 && moment > last) {
        drain()
        needsDrain = false
        continue
      }
      switch due {
      case .expiry(let id): cancelWhole(id, .expired)
      case .parameter: takeEffect(moment)
      }
      needsDrain = true
      last = moment
    }
    if needsDrain { drain() }
  }

  private func firstDue(at time: Timestamp) -> (Due, Timestamp)? {
    let order = orders.values.filter { $0.expireTime <= time }.min { a, b in
      a.expireTime == b.expireTime ? a.arrival < b.arrival : a.expireTime < b.expireTime
    }
    let change = pendingParameters.map(\.change.from).filter { $0 <= time }.min()
    if let order, order.expireTime <= change ?? .never {
      return (.expiry(order.id), order.expireTime)
    }
    return change.map { (.parameter, $0) }
  }

  private mutating func takeEffect(_ moment: Timestamp) {
    guard let index = pendingParameters.firstIndex(where: { $0.change.from == moment }) else {
      return
    }
    if pendingParameters[index].change.parameter.isOfGrid {
      return takeGridPrices(like: pendingParameters[index].change)
    }
    let pending = pendingParameters.remove(at: index)
    do throws(Refusal) {
      try requireNotClosed(pending.change)
      try requireWhole(pending.change)
      change(pending.change)
    } catch {
      emit(
        .rejected(
          Rejected(
            code: error.code, limit: error.limit, session: pending.command.session,
            clientSequence: rules < 5 ? pending.command.clientSequence : 0, field: error.field)))
    }
  }
}

// MARK: - Prices of the grid

extension ReferenceModel {
  /// The prices of one area and one moment take effect together, or none of them does.
  private mutating func takeGridPrices(like first: SetParameter) {
    func isMeant(_ pending: PendingChange) -> Bool {
      let change = pending.change
      return change.parameter.isOfGrid && change.number == first.number
        && change.from == first.from
    }
    let together = pendingParameters.filter(isMeant)
    pendingParameters.removeAll(where: isMeant)
    do throws(Refusal) {
      var definition = areas[AreaId(UInt16(first.number))]?.definition
      for pending in together { definition?.setGridPrice(pending.change) }
      if let definition {
        try requireGrid(definition.feedInPrice.ticks, definition.retailPrice.ticks)
      }
      try requireTariffRoom(AreaId(UInt16(first.number)), from: moment(of: first))
      for pending in together { change(pending.change) }
    } catch {
      for pending in together {
        emit(
          .rejected(
            Rejected(
              code: error.code, limit: error.limit, session: pending.command.session,
              clientSequence: rules < 5 ? pending.command.clientSequence : 0, field: error.field)))
      }
    }
  }

  private mutating func setGridPrice(_ id: AreaId, _ new: SetParameter) {
    areas[id]?.definition.setGridPrice(new)
    noteTariff(id, from: moment(of: new))
    let cap = Energy(wattHours: areas[id]?.defaultCap ?? 0)
    emit(.reference(.parameterSet(ParameterSet(change: new, defaultCap: cap))))
  }
}

extension Parameter {
  fileprivate var isOfGrid: Bool { self == .feedInPrice || self == .retailPrice }
}

extension CreateArea {
  fileprivate mutating func setGridPrice(_ new: SetParameter) {
    if new.parameter == .feedInPrice { feedInPrice = Price(ticks: new.value) }
    if new.parameter == .retailPrice { retailPrice = Price(ticks: new.value) }
  }
}

// MARK: - Parameters

extension ReferenceModel {
  mutating func setParameter(_ new: SetParameter, _ command: Command) throws(Refusal) {
    try requireSubject(new.subject, new.number)
    try requireNotClosed(new)
    try requireParameter(new.parameter, of: new.subject)
    try requireRange(new)
    if new.from.nanoseconds == 0 || new.from == .never {
      try requireWhole(new)
      change(new)
    } else {
      try require(
        new.from > now, .fromNotLater, Int64(bitPattern: now.nanoseconds))
      try require(pendingParameters.count < 1_024, .capacityExhausted, 1_024)
      pendingParameters.append(PendingChange(change: new, command: command))
    }
    acknowledge(command)
  }

  mutating func withdrawParameter(
    _ old: WithdrawParameter, _ command: Command
  ) throws(Refusal) {
    try requireSubject(old.subject, old.number)
    try requireParameter(old.parameter, of: old.subject)
    let before = pendingParameters.count
    pendingParameters.removeAll { pending in
      let change = pending.change
      let isOfMoment = old.from.nanoseconds == 0 || old.from == .never || old.from == change.from
      return change.subject == old.subject && change.number == old.number
        && change.parameter == old.parameter && isOfMoment
    }
    try require(pendingParameters.count < before, .noSuchChange, Int64(before))
    acknowledge(command)
  }

  private func requireSubject(_ subject: ParameterSubject, _ number: UInt32) throws(Refusal) {
    switch subject {
    case .area: try requireArea(AreaId(UInt16(exactly: number) ?? 0))
    case .instrument: _ = try requireInstrument(InstrumentId(number))
    case .link, .pool: try requireValue(Int64(subject.rawValue), in: 0...1, .subject)
    }
  }

  private func requireParameter(
    _ parameter: Parameter, of subject: ParameterSubject
  ) throws(Refusal) {
    let isOfInstrument = parameter.rawValue <= Parameter.takerFee.rawValue
    try require(
      isOfInstrument == (subject == .instrument), .badDefinition, Int64(parameter.rawValue),
      .parameter)
  }

  private func requireNotClosed(_ new: SetParameter) throws(Refusal) {
    if new.subject == .instrument {
      try require(
        instruments[InstrumentId(new.number)]?.state != .closed, .instrumentClosed)
    }
  }

  private func requireRange(_ new: SetParameter) throws(Refusal) {
    let highestRate = Int64(Rate.highest.partsPerMillion)
    let (lowest, highest, field): (Int64, Int64, RejectField) =
      switch new.parameter {
      case .lowestPrice: (-Limit.price, Limit.price, .lowestPrice)
      case .highestPrice: (-Limit.price, Limit.price, .highestPrice)
      case .tick: (1, Limit.price, .tickSize)
      case .lot: (1, Limit.orderQuantity, .lot)
      case .makerFee: (0, highestRate, .makerFee)
      case .takerFee: (0, highestRate, .takerFee)
      case .feedInPrice: (-Limit.price, Limit.price, .feedInPrice)
      case .retailPrice: (-Limit.price, Limit.price, .retailPrice)
      case .lossFactor: (0, highestRate, .lossFactor)
      case .storageCost: (0, .max, .storageCost)
      case .storagePrice: (1, .max, .storagePrice)
      case .ownUse: (0, 3_600, .ownUse)
      case .localFirst: (0, 1, .localFirst)
      case .readingWindow: (3_600, 34_560_000, .readingWindow)
      case .mintedQuality: (0, 2, .mintedQuality)
      case .unsettledLimit: (0, (1 << 62) - 1, .unsettledLimit)
      }
    try requireValue(new.value, in: lowest...highest, field)
  }

  private func requireWhole(_ new: SetParameter) throws(Refusal) {
    switch new.subject {
    case .instrument:
      if let instrument = instruments[InstrumentId(new.number)] {
        try requireTerms(changed(instrument.definition, new))
      }
    default:
      guard let area = areas[AreaId(UInt16(new.number))] else { return }
      if new.parameter.isOfGrid {
        var definition = area.definition
        definition.setGridPrice(new)
        try requireGrid(definition.feedInPrice.ticks, definition.retailPrice.ticks)
        return try requireTariffRoom(AreaId(UInt16(new.number)), from: moment(of: new))
      }
      if new.parameter == .lossFactor {
        return try requireTariffRoom(AreaId(UInt16(new.number)), from: moment(of: new))
      }
      if new.parameter.rawValue >= Parameter.ownUse.rawValue { return }
      guard let cap = newCap(area, new) else { return }
      let cost = new.parameter == .storageCost ? new.value : area.storageCost ?? 0
      try require(cap <= Limit.cap, .badDefinition, cost, .storageCost)
    }
  }

  private func changed(_ definition: CreateInstrument, _ new: SetParameter) -> CreateInstrument {
    var changed = definition
    switch new.parameter {
    case .lowestPrice: changed.lowestPrice = Price(ticks: new.value)
    case .highestPrice: changed.highestPrice = Price(ticks: new.value)
    case .tick: changed.tick = Price(ticks: new.value)
    case .lot: changed.lot = Energy(wattHours: new.value)
    case .makerFee: changed.makerFee = Rate(partsPerMillion: UInt32(new.value))
    case .takerFee: changed.takerFee = Rate(partsPerMillion: UInt32(new.value))
    default: break
    }
    return changed
  }

  /// The default cap with the new value; `nil` where cost or price are unknown.
  private func newCap(_ area: ModelArea, _ new: SetParameter) -> Int64? {
    let cost = new.parameter == .storageCost ? new.value : area.storageCost
    let price = new.parameter == .storagePrice ? new.value : area.storagePrice
    guard let cost, let price else { return nil }
    return defaultCap(cost, price)
  }

  private mutating func change(_ new: SetParameter) {
    if new.subject == .area {
      changeArea(AreaId(UInt16(new.number)), new)
    } else {
      changeInstrument(InstrumentId(new.number), new)
    }
  }

  private mutating func changeArea(_ id: AreaId, _ new: SetParameter) {
    guard let area = areas[id] else { return }
    if new.parameter.isOfGrid { return setGridPrice(id, new) }
    switch new.parameter {
    case .storageCost: areas[id]?.storageCost = new.value
    case .storagePrice: areas[id]?.storagePrice = new.value
    case .ownUse: areas[id]?.ownUse = new.value
    case .localFirst: areas[id]?.localFirst = new.value == 1
    case .readingWindow: areas[id]?.readingWindow = UInt64(new.value)
    case .mintedQuality: areas[id]?.mintedQuality = new.value
    case .unsettledLimit: setUnsettledLimit(id, new.value)
    default:
      areas[id]?.definition.lossFactor = Rate(partsPerMillion: UInt32(new.value))
      noteTariff(id, from: moment(of: new))
    }
    let isOfCap = new.parameter == .storageCost || new.parameter == .storagePrice
    let cap = isOfCap ? newCap(area, new) ?? area.defaultCap : area.defaultCap
    areas[id]?.defaultCap = cap
    emit(
      .reference(.parameterSet(ParameterSet(change: new, defaultCap: Energy(wattHours: cap)))))
    if cap == area.defaultCap { return }
    let keys = positions.filter { $0.key.area == id && $0.ownCap < 0 }.map(\.key)
    for key in keys {
      change(key) { $0.changed = true }
      touch(key)
    }
    for key in keys {
      lose(key, .sell)
      lose(key, .buy)
    }
    drain()
  }

  private mutating func changeInstrument(_ id: InstrumentId, _ new: SetParameter) {
    guard let before = instruments[id]?.definition else { return }
    let terms = changed(before, new)
    emit(.reference(.parameterSet(ParameterSet(change: new, defaultCap: .zero))))
    if new.parameter == .makerFee || new.parameter == .takerFee {
      instruments[id]?.definition = terms
      return
    }
    for order in bookOrder(id) { fit(order, to: terms) }
    instruments[id]?.definition = terms
    if new.parameter == .lot {
      for key in queue {
        lose(key, .sell)
        lose(key, .buy)
      }
    } else if rules >= 3 {
      for order in bookOrder(id).reversed() {
        if let order = orders[order] { openers[order.level] = order.account }
      }
    }
    drain()
  }

  /// Cancels a resting order that does not fit; gives the others the new lot.
  private mutating func fit(_ id: OrderId, to terms: CreateInstrument) {
    guard var order = orders[id] else { return }
    let lot = terms.lot.wattHours
    let fits =
      order.price % terms.tick.ticks == 0 && order.price >= terms.lowestPrice.ticks
      && order.price <= terms.highestPrice.ticks && order.quantity % lot == 0
      && order.leaves % lot == 0 && order.display % lot == 0
    if !fits || (order.lot != lot && !canReserve(order, lot: lot)) {
      return cancelWhole(id, .definition)
    }
    touch(order.position)
    if order.lot == lot { return }
    release(order, order.leaves)
    order.lot = lot
    reserve(order, order.leaves)
    order.displayedSlice = order.display
    orders[id] = order
    show(order)
  }

  /// Whether the free cash suffices for the reservation with another lot.
  private func canReserve(_ order: ModelOrder, lot: Int64) -> Bool {
    let rate = max(order.makerFee.partsPerMillion, order.takerFee.partsPerMillion)
    let payable = order.side == .buy ? order.price : -order.price
    let fee =
      (Int128(order.price.magnitude) * Int128(lot) * Int128(rate) + 999_999) / 1_000_000
    let perLot =
      order.side == .sell && payable <= 0 ? 0 : Int128(max(payable, 0)) * Int128(lot) + fee
    let sum = perLot * Int128(order.leaves / lot)
    if perLot > Int128(Int64.max) || sum > Int128(Int64.max) { return false }
    let held = Int128(reservationPerLot(order)) * Int128(order.leaves / order.lot)
    return sum - held <= Int128(max(free(order.position), 0))
  }
}
