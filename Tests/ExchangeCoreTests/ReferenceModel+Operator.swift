// Definitions and other commands of the operator.

import ExchangeCore
import MarketModel

extension ReferenceModel {
  func requireNumber(
    _ number: UInt32, _ capacity: UInt32, _ field: RejectField
  ) throws(Refusal) {
    try require((1...capacity).contains(number), .outOfRange, Int64(capacity), field)
  }

  func requireValue(
    _ value: Int64, in range: ClosedRange<Int64>, _ field: RejectField
  ) throws(Refusal) {
    try require(range.contains(value), .badDefinition, value, field)
  }

  func requireParticipant(_ participant: ParticipantId) throws(Refusal) {
    try require(
      participants[participant] != nil, .unknownParticipant, Int64(capacity.participants))
  }

  func requireArea(_ area: AreaId) throws(Refusal) {
    try require(areas[area] != nil, .unknownArea, Int64(capacity.areas))
  }

  mutating func createParticipant(_ definition: CreateParticipant, _ command: Command)
    throws(Refusal)
  {
    try requireNumber(definition.participant.rawValue, capacity.participants, .participant)
    try require(participants[definition.participant] == nil, .alreadyExists)
    participants[definition.participant] = definition
    emit(.reference(.participantCreated(definition)))
    acknowledge(command)
  }

  mutating func createAccount(_ definition: CreateAccount, _ command: Command) throws(Refusal) {
    try requireNumber(definition.account.rawValue, capacity.accounts, .account)
    try require(accounts[definition.account] == nil, .alreadyExists)
    try requireParticipant(definition.participant)
    try requireGrant(definition, command)
    accounts[definition.account] = ModelAccount(
      participant: definition.participant, label: definition.label)
    emit(.reference(.accountCreated(definition)))
    acknowledge(command)
  }

  mutating func setCap(_ definition: SetCap, _ command: Command) throws(Refusal) {
    try requireAccount(definition.account)
    try requireArea(definition.area)
    try requireValue(definition.cap.wattHours, in: .min...Limit.cap, .energyCap)
    let key = PositionKey(account: definition.account, area: definition.area)
    try requirePosition(key)
    change(key) {
      $0.ownCap = definition.cap.wattHours
      $0.changed = true
    }
    emit(.reference(.capSet(definition)))
    touch(key)
    drain()
    acknowledge(command)
  }

  mutating func createArea(_ definition: CreateArea, _ command: Command) throws(Refusal) {
    try requireNumber(UInt32(definition.area.rawValue), capacity.areas, .area)
    try require(areas[definition.area] == nil, .alreadyExists)
    try requireValue(definition.storageCost.units, in: 0...(.max), .storageCost)
    try requireValue(definition.storagePrice.units, in: 1...(.max), .storagePrice)
    try requireGrid(definition.feedInPrice.ticks, definition.retailPrice.ticks)
    try requireValue(
      Int64(definition.lossFactor.partsPerMillion), in: 0...Int64(Rate.highest.partsPerMillion),
      .lossFactor)
    let cap = defaultCap(definition)
    try require(cap <= Limit.cap, .badDefinition, definition.storageCost.units, .storageCost)
    areas[definition.area] = ModelArea(definition: definition, defaultCap: cap)
    if rules >= 6 { areas[definition.area]?.localFirst = true }
    noteTariff(definition.area, from: 0)
    if rules >= 4 {
      areas[definition.area]?.storageCost = definition.storageCost.units
      areas[definition.area]?.storagePrice = definition.storagePrice.units
    }
    emit(
      .reference(
        .areaCreated(
          AreaState(
            definition: definition, defaultCap: Energy(wattHours: cap),
            readings: AreaReadings(isLocalFirst: rules >= 6)))))
    acknowledge(command)
  }

  /// Bmax = 2 Cu / (1.5 P) kWh = floor(4000 Cu / (3 P)) Wh; above the highest cap when it is too
  /// large.
  private func defaultCap(_ area: CreateArea) -> Int64 {
    defaultCap(area.storageCost.units, area.storagePrice.units)
  }

  func defaultCap(_ cost: Int64, _ price: Int64) -> Int64 {
    Int64(min(Int128(cost) * 4000 / (Int128(price) * 3), Int128(Int64.max)))
  }

  func requireGrid(_ feedIn: Int64, _ retail: Int64) throws(Refusal) {
    let lowest = rules < 4 ? 0 : -Limit.price
    try requireValue(feedIn, in: lowest...Limit.price, .feedInPrice)
    try requireValue(retail, in: lowest...Limit.price, .retailPrice)
    try require(rules < 4 || feedIn <= retail, .badDefinition, feedIn, .feedInPrice)
  }

  mutating func setTariff(_ definition: SetTariff, _ command: Command) throws(Refusal) {
    try requireArea(definition.area)
    try requireGrid(definition.feedInPrice.ticks, definition.retailPrice.ticks)
    try requireTariffRoom(definition.area, from: now.nanoseconds)
    areas[definition.area]?.definition.feedInPrice = definition.feedInPrice
    areas[definition.area]?.definition.retailPrice = definition.retailPrice
    noteTariff(definition.area, from: now.nanoseconds)
    emit(.reference(.tariffSet(definition)))
    acknowledge(command)
  }

  mutating func createInstrument(_ definition: CreateInstrument, _ command: Command) throws(Refusal)
  {
    try requireNumber(definition.instrument.rawValue, capacity.instruments, .instrument)
    try require(instruments[definition.instrument] == nil, .alreadyExists)
    try requireArea(definition.area)
    try requireTerms(definition)
    instruments[definition.instrument] = ModelInstrument(definition: definition)
    emit(.reference(.instrumentCreated(definition)))
    acknowledge(command)
  }

  /// Tick, lot, band and fees are in range and fit each other.
  func requireTerms(_ definition: CreateInstrument) throws(Refusal) {
    let tick = definition.tick.ticks
    let (low, high) = (definition.lowestPrice.ticks, definition.highestPrice.ticks)
    try requireValue(tick, in: 1...Limit.price, .tickSize)
    try requireValue(definition.lot.wattHours, in: 1...Limit.orderQuantity, .lot)
    let edges: [(Int64, RejectField)] = [(low, .lowestPrice), (high, .highestPrice)]
    for (edge, field) in edges {
      try requireValue(edge, in: -Limit.price...Limit.price, field)
      try require(edge % tick == 0, .badDefinition, edge, field)
      try require(
        !edge.multipliedReportingOverflow(by: definition.lot.wattHours).overflow,
        .badDefinition, edge, field)
    }
    try require(low <= high, .badDefinition, high, .highestPrice)
    let width = (high - low) / tick
    try require(width < Limit.bandTicks, .badDefinition, width, .highestPrice)
    let highest = Int64(Rate.highest.partsPerMillion)
    try requireValue(Int64(definition.makerFee.partsPerMillion), in: 0...highest, .makerFee)
    try requireValue(Int64(definition.takerFee.partsPerMillion), in: 0...highest, .takerFee)
  }

  /// Halts, reopens or closes an instrument.
  mutating func setInstrumentState(_ definition: SetInstrumentState, _ command: Command)
    throws(Refusal)
  {
    let id = definition.instrument
    let present = try requireInstrument(id).state
    if definition.state != present {
      try require(present != .closed, .instrumentClosed)
      instruments[id]?.state = definition.state
      emit(.reference(.instrumentStateChanged(definition)))
      for order in bookOrder(id) {
        switch definition.state {
        case .open: if let key = orders[order]?.position { touch(key) }
        case .halted: halt(order)
        case .closed: cancelWhole(order, .closed)
        }
      }
      drain()
    }
    acknowledge(command)
  }

  private mutating func halt(_ id: OrderId) {
    guard var order = orders[id] else { return }
    if order.covered > 0 { (order.place, order.displayedSlice) = (nextPlace(), order.display) }
    order.covered = 0
    orders[id] = order
    emit(.restated(state(order)))
    show(order)
    touch(order.position)
  }

  mutating func beginSession(_ session: BeginSession, _ command: Command) throws(Refusal) {
    try require(sessions[session.session] != nil, .unknownSession)
    notes[session.session] = nil
    emit(.session(.sessionBegan(session)))
  }

  mutating func refuseWork(_ refusal: RefuseWork, _ command: Command) throws(Refusal) {
    throw Refusal(.workLimit, refusal.left)
  }

  /// Cancel on disconnect: cancels the session's orders except those of standing instructions.
  mutating func endSession(_ session: EndSession, _ command: Command) throws(Refusal) {
    try require(sessions[session.session] != nil, .unknownSession)
    notes[session.session] = nil
    let participant = sessions[session.session]?.participant
    var count: UInt32 = 0
    for key in positions.map(\.key) where accounts[key.account]?.participant == participant {
      for side in [Side.sell, .buy] {
        let chosen = orders.values.filter {
          $0.position == key && $0.side == side && $0.session == session.session
            && $0.clientOrderId != .engine && !$0.request.outlivesSession
        }.sorted { a, b in
          a.price == b.price ? a.arrival < b.arrival : side.isBetter(a.price, than: b.price)
        }
        for order in chosen {
          cancelWhole(order.id, .disconnect)
          count += 1
        }
      }
    }
    emit(.session(.sessionEnded(SessionEnded(request: session, count: count))))
    drain()
  }

  mutating func settlementConfirmed(_ settled: SettlementConfirmed, _ command: Command)
    throws(Refusal)
  {
    guard settled.batch > lastBatch else { return }
    lastBatch = settled.batch
    settle(through: settled.lastSequence.rawValue)
    emit(.control(.settlementConfirmed(settled)))
  }
}
