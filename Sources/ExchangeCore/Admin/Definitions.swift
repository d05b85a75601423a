// What an operator defines: participants, sessions, accounts, areas, instruments, meters, caps,
// tariffs (section 11, "Definitions").

import MarketModel

extension Exchange {
  /// Tells the sender that its command took effect. The exchange itself needs no answer.
  mutating func acknowledge(
    _ request: Request
  ) {
    if request.isExchange { return }
    invariant(
      request.session.rawValue <= capacity.sessions && sessions[request.session.rawValue].exists,
      "only who is known is answered")
    emit(
      .control(
        .acknowledged(
          Acknowledged(session: request.session, clientSequence: request.clientSequence))))
  }

  /// The checks that every definition begins with: permission, and a number in range.
  private func definition(_ request: Request, _ number: UInt32, of capacity: UInt32) -> Refusal? {
    if let refusal = permission(request, .administration) { return refusal }
    return number >= 1 && number <= capacity ? nil : Refusal(.outOfRange, capacity)
  }

  // MARK: Who

  mutating func create(
    _ new: CreateParticipant, _ request: Request
  ) {
    var refusal = definition(request, new.participant.rawValue, of: capacity.participants)
    if refusal == nil, exists(new.participant) { refusal = Refusal(.alreadyExists) }
    if let refusal { return reject(refusal, request) }
    invariant(new.participant.rawValue <= capacity.participants, "a participant of the table")
    participants[new.participant.rawValue] = Participant(exists: true, name: new.name)
    invariant(exists(new.participant), "what was created exists")
    emit(.reference(.participantCreated(new)))
    acknowledge(request)
  }

  mutating func register(
    _ new: RegisterSession, _ request: Request
  ) {
    var refusal = definition(request, new.session.rawValue, of: capacity.sessions)
    if refusal == nil, !exists(new.participant) {
      refusal = Refusal(.unknownParticipant, capacity.participants)
    }
    if refusal == nil, !Roles.all.isSuperset(of: new.roles) {
      refusal = Refusal(.badDefinition, UInt32(new.roles.rawValue))
    }
    if let refusal { return reject(refusal, request) }
    invariant(new.session.rawValue <= capacity.sessions, "a session of the table")
    sessions[new.session.rawValue] = Session(
      exists: true, roles: new.roles.rawValue, participant: new.participant.rawValue,
      publicKey: new.publicKey)
    invariant(known(new.session) == nil, "what was registered is known")
    invariant(
      participants[sessions[new.session.rawValue].participant].exists,
      "a session's participant exists")
    emit(.reference(.sessionRegistered(new)))
    acknowledge(request)
  }

  mutating func create(
    _ new: CreateAccount, _ request: Request
  ) {
    var refusal = definition(request, new.account.rawValue, of: capacity.accounts)
    if refusal == nil, exists(new.account) { refusal = Refusal(.alreadyExists) }
    if refusal == nil, !exists(new.participant) {
      refusal = Refusal(.unknownParticipant, capacity.participants)
    }
    if let refusal { return reject(refusal, request, account: new.account) }
    invariant(
      accounts[new.account.rawValue].firstPosition == 0
        && accounts[new.account.rawValue].firstHolding == 0, "a new account has nothing")
    invariant(new.account.rawValue <= capacity.accounts, "an account of the table")
    accounts[new.account.rawValue].participantPlusOne = new.participant.rawValue + 1
    invariant(exists(new.account), "what was created exists")
    invariant(
      accounts[new.account.rawValue].participant == new.participant.rawValue,
      "an account has its owner")
    emit(.reference(.accountCreated(new)))
    acknowledge(request)
  }

  mutating func register(
    _ new: RegisterMeter, _ request: Request
  ) {
    let number = new.meter.rawValue
    var refusal = definition(request, number, of: capacity.meters)
    if refusal == nil, meters[number].account != 0 { refusal = Refusal(.alreadyExists) }
    refusal = refusal ?? named(new.account, new.area) ?? room(new.account, new.area)
    if let refusal { return reject(refusal, request, account: new.account) }
    invariant(number <= capacity.meters, "a meter of the table")
    invariant(exists(new.account) && exists(new.area), "a meter of somebody, somewhere")
    meters[number] = Meter(
      account: new.account.rawValue, position: findOrMake(new.account, new.area),
      lastSequence: 0, lastEnd: 0, publicKey: new.publicKey)
    invariant(
      positions[meters[number].position].account == meters[number].account,
      "a meter's position is its account's")
    invariant(
      positions[meters[number].position].area == new.area.rawValue, "a meter measures in its area")
    emit(.reference(.meterRegistered(new)))
    acknowledge(request)
  }

  private func named(_ account: AccountId, _ area: AreaId) -> Refusal? {
    guard exists(account) else { return Refusal(.unknownAccount, capacity.accounts) }
    return exists(area) ? nil : Refusal(.unknownArea, capacity.areas)
  }

  /// Whether the account, which exists, has a position in the area or room for one.
  private func room(_ account: AccountId, _ area: AreaId) -> Refusal? {
    find(account, area) == 0 ? roomForPosition() : nil
  }

  // MARK: Areas

  mutating func create(
    _ new: CreateArea, _ request: Request
  ) {
    let number = UInt32(new.area.rawValue)
    var refusal = definition(request, number, of: capacity.areas)
    if refusal == nil, exists(new.area) { refusal = Refusal(.alreadyExists) }
    refusal = refusal ?? validate(new)
    if let refusal { return reject(refusal, request) }
    invariant(number <= capacity.areas, "an area of the table")
    let cap = defaultCap(new) ?? 0
    invariant(cap >= 0 && cap <= Limit.cap, "a default cap that was checked")
    invariant(areas[number].fees == 0 && areas[number].grid == 0, "a new area has taken nothing")
    areas[number] = Area(
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
    for price in [feedIn.ticks, retail.ticks] where price < 0 || price > Limit.price {
      return Refusal(.badDefinition, price)
    }
    return nil
  }

  mutating func set(
    _ tariff: SetTariff, _ request: Request
  ) {
    var refusal = permission(request, .administration)
    if refusal == nil, !exists(tariff.area) { refusal = Refusal(.unknownArea, capacity.areas) }
    refusal = refusal ?? validate(feedIn: tariff.feedInPrice, retail: tariff.retailPrice)
    if let refusal { return reject(refusal, request) }
    invariant(exists(tariff.area), "the tariff of an area that is there")
    areas[UInt32(tariff.area.rawValue)].feedInPrice = tariff.feedInPrice.ticks
    areas[UInt32(tariff.area.rawValue)].retailPrice = tariff.retailPrice.ticks
    invariant(
      tariff.feedInPrice.ticks >= 0 && tariff.retailPrice.ticks >= 0, "nobody pays the grid to take"
    )
    emit(.reference(.tariffSet(tariff)))
    acknowledge(request)
  }

  mutating func set(
    _ cap: SetCap, _ request: Request
  ) {
    var refusal = permission(request, .administration) ?? named(cap.account, cap.area)
    if refusal == nil, cap.cap.wattHours > Limit.cap {
      refusal = Refusal(.badDefinition, cap.cap.wattHours)
    }
    refusal = refusal ?? room(cap.account, cap.area)
    if let refusal { return reject(refusal, request, account: cap.account) }
    let position = findOrMake(cap.account, cap.area)
    positions[position].hasOwnCap = cap.cap >= .zero
    positions[position].cap =
      cap.cap >= .zero ? cap.cap.wattHours : areas[UInt32(cap.area.rawValue)].defaultCap
    invariant(
      positions[position].cap >= 0 && positions[position].cap <= Limit.cap,
      "a cap that was checked")
    invariant(
      positions[position].account == cap.account.rawValue
        && positions[position].area == cap.area.rawValue, "the cap of this account in this area")
    positions[position].mustReport = true
    emit(.reference(.capSet(cap)))
    touch(position)
    drain()
    acknowledge(request)
  }
}
