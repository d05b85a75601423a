// What is defined beside the reference data that gateways keep, for descriptions of a market. These
// queries change nothing and are not journaled. They allocate, and are linear in the number of
// positions where nothing else is said.

import MarketModel

extension Exchange {
  /// The accounts' own caps, in the order in which their positions came.
  package func ownCaps() -> [SetCap] {
    stride(from: 1, through: balances.positionCount, by: 1).compactMap { number in
      let position = balances.positions[number]
      guard position.account != 0, position.hasOwnCap else { return nil }
      return SetCap(
        account: AccountId(position.account), area: AreaId(position.area),
        cap: Energy(wattHours: position.ceiling))
    }
  }

  /// The standing instructions, in the order in which their positions came.
  package func instructions() -> [SetAgent] {
    stride(from: 1, through: balances.positionCount, by: 1).compactMap { number in
      let position = balances.positions[number]
      return position.account != 0 && position.hasAgent ? instruction(number) : nil
    }
  }

  /// The limits that are set: of participants, sessions, accounts, each by number. Linear in the
  /// capacities.
  package func limitsInForce() -> [ListedLimit] {
    all(.limits).compactMap { if case .limit(let limit) = $0 { limit } else { nil } }
  }

  /// The blocks: of participants, sessions, accounts, each by number. Linear in the capacities.
  package func blocksInForce() -> [ListedBlock] {
    all(.blocks).compactMap { if case .block(let block) = $0 { block } else { nil } }
  }

  private func all(_ kind: ListKind) -> [ListPage.Row] {
    var (query, rows) = (ListQuery(kind), [ListPage.Row]())
    repeat {
      let page = page(query)
      rows += page.rows
      query.cursor = page.next
    } while query.cursor != 0
    return rows
  }

  /// The standing instruction of a position, which has one. Constant time.
  func instruction(_ position: UInt32) -> SetAgent {
    let agent = balances.agents[position]
    return SetAgent(
      account: AccountId(balances.positions[position].account),
      instrument: InstrumentId(agent.instrument), sells: agent.sells, buys: agent.buys,
      sellPrice: Price(ticks: agent.sellPrice), sellAbove: Energy(wattHours: agent.sellAbove),
      buyPrice: Price(ticks: agent.buyPrice), buyBelow: Energy(wattHours: agent.buyBelow),
      target: Energy(wattHours: agent.target))
  }

  /// What readings do in an area. Constant time.
  /// - Returns: `nil` when there is no such area.
  package func readings(of area: AreaId) -> AreaReadings? {
    exists(area) ? describedReadings(UInt32(area.rawValue)) : nil
  }

  /// The rated power of a meter, W, its site, and whether sessions with the trading role may send its
  /// readings, as it was registered last and as it is now. Constant time.
  /// - Returns: `nil` when no such meter was ever registered.
  package func terms(of meter: MeterId) -> (
    last: ReferenceData.MeterTerms, now: ReferenceData.MeterTerms
  )? {
    guard (1...capacity.meters).contains(meter.rawValue), isRegistered(meter: meter.rawValue)
    else { return nil }
    let site = meterSites[meter.rawValue]
    let last = ReferenceData.MeterTerms(
      capacity: meters[meter.rawValue].capacity,
      ownReadings: meterChanges[meter.rawValue].ownReadings, attestation: site.attestation,
      technology: site.technology, place: site.place)
    var now = last
    if let present = present(meter) { now.ownReadings = present.ownReadings }
    return (last, now)
  }

  /// What holds of a meter for intervals that begin at the time of the last command. Its key is not
  /// told. Constant time.
  /// - Returns: `nil` when there is no such meter, or it has no account then.
  package func present(_ meter: MeterId) -> RegisterMeter? {
    guard (1...capacity.meters).contains(meter.rawValue) else { return nil }
    let number = meter.rawValue
    let (change, now) = (meterChanges[number], Timestamp(nanoseconds: progress.now))
    // A new meter may begin later; it is exported as it will be.
    let isBefore = change.before != 0 && change.from > progress.now
    let position = isBefore ? change.before : meters[number].position
    if position == 0 { return nil }
    return RegisterMeter(
      meter: meter, account: AccountId(balances.positions[position].account),
      area: AreaId(balances.positions[position].area), publicKey: PublicKey(0, 0, 0, 0),
      capacity: meters[number].capacity,
      ownReadings: isBefore ? mayTradersRead(meter: number, at: now) : change.ownReadings,
      attestation: meterSites[number].attestation, technology: meterSites[number].technology)
  }

  /// Where a meter stands; empty: not told. Constant time.
  package func place(of meter: MeterId) -> Label {
    (1...capacity.meters).contains(meter.rawValue) ? meterSites[meter.rawValue].place : .empty
  }

  /// Whether the exchange would accept the standing instruction from its participant: since it was
  /// given, its instrument may have got another tick or band, or have been closed. Constant time.
  package func stillFits(_ agent: SetAgent) -> Bool {
    let instrument = products.instruments.row(agent.instrument.rawValue)
    if instrument.isClosed { return false }
    let isSellOff = agent.sells && validatePrice(agent.sellPrice.ticks, instrument) != nil
    let isBuyOff = agent.buys && validatePrice(agent.buyPrice.ticks, instrument) != nil
    return !isSellOff && !isBuyOff
  }

  /// The announced changes: of parameters, then of meters by number. Linear in the capacity.
  package func announcedChanges() -> [ListPage.Row] { all(.changes) }

  /// The label of an account, and whether it is closed. Constant time.
  /// - Returns: `nil` when there is no such account.
  package func terms(of account: AccountId) -> (label: Label, isClosed: Bool)? {
    guard exists(account) else { return nil }
    let term = accountTerms[account.rawValue]
    return (term.label, term.isClosed)
  }

  /// Between which orders the self-trades of a session are prevented. Constant time.
  package func selfTrade(of session: SessionId) -> SelfTradeScope {
    validateSession(session) == nil ? reference.sessions[session.rawValue].selfTrade : .account
  }

  /// Whether a deposit or withdrawal with this source and reference took effect. Constant time.
  package func hasPosted(_ movement: CashMovement) -> Bool {
    cashReferences.contains(movement)
  }
}
