// Sections 6 to 8: cash movements, transfers, meters, standing instructions.

import ExchangeCore
import MarketModel

extension ReferenceModel {
  /// Changes an account's cash and touches all its positions in areas of that currency.
  private mutating func move(_ account: AccountId, _ currency: Currency, _ amount: Int64) {
    cash[CashKey(account, currency), default: ModelCash()].free += amount
    countDebt(CashKey(account, currency))
    for key in positions.map(\.key)
    where key.account == account && areas[key.area]?.definition.currency == currency {
      change(key) { ($0.mustRunAgent, $0.changed) = (true, true) }
      touch(key)
    }
  }

  private func validate(_ movement: CashMovement, _ command: Command) throws(Refusal) {
    try requireAccount(movement.account)
    let amount = movement.amount.units
    try require(amount > 0 && amount <= Limit.total, .badAmount, Limit.total)
    try require(
      rules < 5 || movement.source != 65_535 || command.session == .exchange, .badDefinition,
      65_535,
      .source)
    try requireReference(movement)
  }

  mutating func deposit(_ movement: CashMovement, _ command: Command) throws(Refusal) {
    try validate(movement, command)
    try requireOpen(movement.account)
    try require(outside[movement.currency] != nil || outside.count < 64, .capacityExhausted, 64)
    let total = outside[movement.currency] ?? 0
    try require(
      total <= Limit.total - movement.amount.units, .balanceLimit, Limit.total)
    try requireCirculation(movement.currency, held: Int128(movement.amount.units))
    try requireHolding(CashKey(movement.account, movement.currency))
    outside[movement.currency] = total + movement.amount.units
    keepReference(movement)
    emit(.cash(.deposited(cashMoved(movement, command))))
    move(movement.account, movement.currency, movement.amount.units)
    drain()
    acknowledge(command)
  }

  mutating func withdraw(_ movement: CashMovement, _ command: Command) throws(Refusal) {
    try validate(movement, command)
    let held = free(movement.account, movement.currency)
    try require(movement.amount.units <= held, .insufficientCash, held)
    let supply = outside[movement.currency] ?? 0
    try require(
      rules < 2 || Int128(supply) - Int128(movement.amount.units) >= -Int128(Limit.total),
      .balanceLimit, Limit.total)
    outside[movement.currency, default: 0] -= movement.amount.units
    keepReference(movement)
    emit(.cash(.withdrawn(cashMoved(movement, command))))
    move(movement.account, movement.currency, -movement.amount.units)
    drain()
    acknowledge(command)
  }

  private func cashMoved(_ movement: CashMovement, _ command: Command) -> CashMoved {
    CashMoved(
      movement: movement, session: command.session, clientSequence: command.clientSequence)
  }

  mutating func transfer(_ transfer: Transfer, _ command: Command) throws(Refusal) {
    try requireAccount(transfer.from, command.session)
    try requireUnblocked(command.session, transfer.from)
    try requireClientOrderId(transfer.clientOrderId, transfer.from)
    try requireAccount(transfer.to, as: .toAccount)
    try require(transfer.from != transfer.to, .sameAccount)
    try requireOpen(transfer.to)
    try require(
      transfer.amount > 0 && transfer.amount <= Limit.total, .badAmount, Limit.total)
    let sender = PositionKey(account: transfer.from, area: transfer.area)
    let receiver = PositionKey(account: transfer.to, area: transfer.area)
    switch transfer.asset {
    case .cash:
      let held = free(transfer.from, transfer.currency)
      try require(transfer.amount <= held, .insufficientCash, held)
      let key = CashKey(transfer.to, transfer.currency)
      try requireHolding(key)
      if cash[key] == nil { try requireRowOfOther(transfer, used: cash.count) }
    case .energy:
      try require(areas[transfer.area] != nil, .unknownArea, Int64(capacity.areas))
      let held = position(sender)?.energy ?? 0
      try require(transfer.amount <= held, .insufficientEnergy, held)
      let headroom = available(receiver, .buy)
      try require(transfer.amount <= headroom, .capExceeded, headroom)
      try requirePosition(receiver)
      if position(receiver) == nil, let area = areas[transfer.area] {
        let hasCash = cash[CashKey(transfer.to, area.definition.currency)] != nil
        let used = hasCash ? positions.count : max(positions.count, cash.count)
        try requireRowOfOther(transfer, used: used)
      }
    }
    accounts[transfer.from]?.lastClientOrderId = transfer.clientOrderId
    emit(
      .cash(
        .transferred(
          Transferred(
            transfer: transfer, session: command.session,
            clientSequence: command.clientSequence))))
    switch transfer.asset {
    case .cash:
      move(transfer.from, transfer.currency, -transfer.amount)
      move(transfer.to, transfer.currency, transfer.amount)
    case .energy:
      store(sender, -transfer.amount)
      touch(sender)
      store(receiver, transfer.amount)
      touch(receiver)
      lose(sender, .sell)
      lose(receiver, .buy)
    }
    drain()
  }
}

// MARK: - Section 7: meters

extension ReferenceModel {
  mutating func meterReading(_ reading: MeterReading, _ command: Command) throws(Refusal) {
    if rules >= 8 { return try readInterval(reading, command) }
    let definition = try validate(reading, command)
    let isFormer = meters[reading.meter]?.isUnderFormerKey(reading) == true
    let key = PositionKey(account: definition.account, area: definition.area)
    guard let area = areas[key.area]?.definition else { return }
    if isFormer {
      meters[reading.meter]?.sequenceBefore = reading.registerSequence
    } else {
      meters[reading.meter]?.lastSequence = reading.registerSequence
    }
    meters[reading.meter]?.lastEnd = reading.intervalEnd
    if rules >= 5 { takePower(reading) }
    _ = settle(
      reading, key, ModelTariff(from: 0, area), counts: true, command.session,
      command.clientSequence)
  }

  /// Settles a new interval.
  /// - Returns: What was exported and imported, Wh.
  mutating func settle(
    _ reading: MeterReading, _ key: PositionKey, _ tariff: ModelTariff, counts: Bool,
    _ session: SessionId, _ clientSequence: UInt64
  ) -> (exported: Int64, imported: Int64) {
    var counted = reading
    if !counts { counted.produced = .zero }
    let own = own(counted, key.area)
    let produced = counted.produced.wattHours - own
    let consumed = reading.consumed.wattHours - own
    let lost = takeLoss(reading.meter, tariff.loss, of: produced)
    areas[key.area]?.produced += counted.produced.wattHours
    if produced > 0 {
      store(key, produced - lost)
      if produced > lost { touch(key) }
      drain()
    }

    let isLocalFirst = rules >= 6 && areas[key.area]?.localFirst == true
    let surplus = produced > 0 ? max(0, (position(key)?.energy ?? 0) - cap(key)) : 0
    let sold = isLocalFirst ? tradeLocally(key, .sell, surplus, tariff) : LocalSum()
    let exported = surplus - sold.energy
    let revenue = exported * tariff.feedIn
    store(key, -exported)
    pay(key, revenue)
    let burned = min(position(key)?.energy ?? 0, consumed)
    store(key, -burned)
    if surplus > 0 || burned > 0 { touch(key) }
    var bought = LocalSum()
    if isLocalFirst, burned < consumed {
      lose(key, .sell)
      bought = tradeLocally(key, .buy, consumed - burned, tariff)
    }
    let imported = consumed - burned - bought.energy
    let cost = imported * tariff.retail
    pay(key, -cost)
    if revenue != 0 || cost != 0, let currency = areas[key.area]?.definition.currency {
      countDebt(CashKey(key.account, currency))
    }
    areas[key.area]?.grid += cost - revenue
    areas[key.area]?.imported += imported
    let metered = Metered(
      reading: reading, session: session, clientSequence: clientSequence,
      account: key.account, area: key.area, lost: Energy(wattHours: lost),
      exported: Energy(wattHours: exported), exportRevenue: Money(units: revenue),
      burned: Energy(wattHours: burned), imported: Energy(wattHours: imported),
      importCost: Money(units: cost), usesOwn: usesOwn(reading, key.area),
      localCost: Money(units: bought.cash), soldLocally: Energy(wattHours: sold.energy),
      localRevenue: Money(units: sold.cash), countsProduction: counts)
    emit(.metered(metered))
    if cost != 0 { touch(key) }
    drain()
    return (exported, imported)
  }

  private func validate(_ reading: MeterReading, _ command: Command)
    throws(Refusal) -> RegisterMeter
  {
    guard let meter = meters[reading.meter], let definition = meter.definition(for: reading) else {
      throw Refusal(.unknownMeter, limit: Int64(capacity.meters))
    }
    if command.session != .exchange, let session = sessions[command.session] {
      let isOwn = accounts[definition.account]?.participant == session.participant
      let mayTrade = isOwn && (rules < 4 || (rules < 5 ? meter.definition : definition).ownReadings)
      try require(
        session.roles.contains(.metering) || (session.roles.contains(.trading) && mayTrade),
        .notPermitted, Int64(Roles.metering.rawValue))
    }
    try requireOpen(definition.account)
    let last = meter.isUnderFormerKey(reading) ? meter.sequenceBefore ?? 0 : meter.lastSequence
    try require(
      reading.registerSequence > last, .readingReplayed, Int64(bitPattern: last))
    try require(reading.intervalEnd > reading.intervalStart, .badInterval)
    let isAcross = reading.intervalStart < meter.from && reading.intervalEnd > meter.from
    let staysSame =
      definition.account == meter.definition.account && definition.area == meter.definition.area
    try require(
      !isAcross || staysSame, .badInterval, Int64(bitPattern: meter.from.nanoseconds))
    try require(
      reading.intervalStart >= meter.lastEnd, .overlappingInterval,
      Int64(bitPattern: meter.lastEnd.nanoseconds))
    if rules >= 3 {
      try requireLength(reading)
      try requireEnd(reading)
    }
    try requireAmounts(reading)
    if rules >= 3 { try requirePower(reading, meter) }
    if let area = areas[definition.area]?.definition {
      try requireLimits(
        PositionKey(account: definition.account, area: definition.area),
        ModelTariff(from: 0, area), reading.produced.wattHours, reading.consumed.wattHours)
    }
    return definition
  }

  func requireAmounts(_ reading: MeterReading) throws(Refusal) {
    let (produced, consumed) = (reading.produced.wattHours, reading.consumed.wattHours)
    try require(produced >= 0 && consumed >= 0, .negativeReading)
    try require(
      produced <= Limit.reading && consumed <= Limit.reading, .readingTooLarge, Limit.reading)
  }

  /// The interval is of at most 24 hours.
  func requireLength(_ reading: MeterReading) throws(Refusal) {
    let day: UInt64 = 24 * 3_600 * 1_000_000_000
    let length = reading.intervalEnd.nanoseconds - reading.intervalStart.nanoseconds
    try require(length <= day, .intervalTooLong, Int64(day))
  }

  /// The interval ends at most 60 seconds ahead of the command's time.
  func requireEnd(_ reading: MeterReading) throws(Refusal) {
    let latest = min(UInt128(now.nanoseconds) + 60_000_000_000, UInt128(UInt64.max))
    try require(
      UInt128(reading.intervalEnd.nanoseconds) <= latest, .intervalInFuture,
      Int64(truncatingIfNeeded: latest))
  }

  /// The reading is at most what the meter's power gives in the interval, in whole Wh rounded up;
  /// since version 5 less what earlier readings took beyond it.
  func requirePower(_ reading: MeterReading, _ meter: ModelMeter) throws(Refusal) {
    for (energy, beyond) in [
      (reading.produced, meter.beyond.produced), (reading.consumed, meter.beyond.consumed),
    ] {
      let (whole, rest) = (given(reading, meter.definition) - beyond)
        .quotientAndRemainder(dividingBy: Self.hour)
      let most = rest > 0 ? whole + 1 : whole
      try require(
        Int128(energy.wattHours) <= most, .readingAboveCapacity, Int64(truncatingIfNeeded: most))
    }
  }

  static let hour: Int128 = 3_600 * 1_000_000_000

  /// What the meter's power gives in the interval, W x ns.
  func given(_ reading: MeterReading, _ meter: RegisterMeter) -> Int128 {
    let power = meter.capacity == 0 ? 100_000 : meter.capacity
    return Int128(power)
      * Int128(reading.intervalEnd.nanoseconds - reading.intervalStart.nanoseconds)
  }

  mutating func takePower(_ reading: MeterReading) {
    guard var meter = meters[reading.meter] else { return }
    let given = given(reading, meter.definition)
    let (produced, consumed) = (reading.produced.wattHours, reading.consumed.wattHours)
    meter.beyond.produced = max(0, meter.beyond.produced + Int128(produced) * Self.hour - given)
    meter.beyond.consumed = max(0, meter.beyond.consumed + Int128(consumed) * Self.hour - given)
    meters[reading.meter] = meter
  }

  /// Refuses a reading that could bring a total of the area out of the limits of section 1.
  func requireLimits(
    _ key: PositionKey, _ tariff: ModelTariff, _ produced: Int64, _ consumed: Int64
  ) throws(Refusal) {
    guard let area = areas[key.area] else { return }
    let limit = Int128(Limit.total)
    let held = Int128(position(key)?.energy ?? 0)
    try require(
      Int128(area.produced) + Int128(produced) <= limit
        && Int128(area.imported) + Int128(consumed) <= limit, .balanceLimit, Limit.total)
    try requireGrid(
      area,
      [
        Int128(tariff.feedIn) * (Int128(produced) + held),
        -Int128(tariff.retail) * Int128(consumed),
      ])
  }

  /// Refuses when what the grid pays and is paid could leave its bounds.
  func requireGrid(_ area: ModelArea, _ payments: [Int128]) throws(Refusal) {
    let limit = Int128(Limit.total)
    let earned = payments.reduce(0) { $0 + max($1, 0) }
    let charged = payments.reduce(0) { $0 + max(-$1, 0) }
    try require(
      payments.allSatisfy { abs($0) <= limit } && Int128(area.grid) - earned >= -limit
        && Int128(area.grid) + charged <= limit,
      .balanceLimit, Limit.total)
    try requireCirculation(area.definition.currency, held: earned, owed: charged)
  }
}

// MARK: - Section 6: circulation of a currency

extension ReferenceModel {
  mutating func countDebt(_ key: CashKey) { debts[key] = max(0, -(cash[key]?.free ?? 0)) }

  /// From version 2 on, refuses when holding or owing the additional amounts would leave the
  /// bounds.
  func requireCirculation(
    _ currency: Currency, held more: Int128, owed also: Int128 = 0
  ) throws(Refusal) {
    if rules < 2 { return }
    let (held, owed) = circulation(currency)
    try require(
      held + more <= Int128(Limit.cash) && owed + also <= Int128(Limit.cash), .balanceLimit,
      Limit.cash)
  }

  /// The positive cash of accounts and fee accounts, and the sum of debts.
  private func circulation(_ currency: Currency) -> (held: Int128, owed: Int128) {
    let owed = debts.reduce(Int128(0)) { sum, debt in
      debt.key.currency == currency ? sum + Int128(debt.value) : sum
    }
    var held = owed
    for (key, row) in cash where key.currency == currency {
      held += Int128(row.free) + Int128(row.reserved)
    }
    for area in areas.values where area.definition.currency == currency {
      held += Int128(area.fees)
    }
    return (held, owed)
  }

  mutating func setRules(_ new: SetRules, _ command: Command) throws(Refusal) {
    if rules < 2 { for key in cash.keys { countDebt(key) } }
    try require(
      new.version <= RulesVersion.newest, .outOfRange, Int64(RulesVersion.newest), .version)
    try require(new.version != rules, .alreadyExists)
    try require(new.version > rules, .badDefinition, Int64(rules), .version)
    for currency in Set(cash.keys.map(\.currency)) {
      let (held, owed) = circulation(currency)
      let supply = Int128(outside[currency] ?? 0)
      try require(
        held <= Int128(Limit.cash) && owed <= Int128(Limit.cash) && supply >= -Int128(Limit.total),
        .balanceLimit, Limit.cash)
    }
    if rules < 3, new.version >= 3 { assignOpeners() }
    if rules < 8, new.version >= 8 {
      for (id, area) in areas { areas[id]?.tariffs = [ModelTariff(from: 0, area.definition)] }
      for (id, meter) in meters { meters[id]?.settled = meter.lastEnd.nanoseconds }
    }
    rules = new.version
    emit(.control(.rulesSet(new)))
    acknowledge(command)
  }
}

// MARK: - Section 8: standing instructions

extension ReferenceModel {
  mutating func setAgent(_ agent: SetAgent, _ command: Command) throws(Refusal) {
    try requireAccount(agent.account, command.session)
    if agent.sells || agent.buys { try requireUnblocked(command.session, agent.account) }
    let instrument = try requireInstrument(agent.instrument)
    try require(instrument.state != .closed, .instrumentClosed)
    if agent.sells { try requirePrice(agent.sellPrice, instrument.definition) }
    if agent.buys { try requirePrice(agent.buyPrice, instrument.definition) }
    let least = Energy(wattHours: rules >= 6 ? -1 : 0)
    if agent.sells { try require(agent.sellAbove >= least, .badAmount, Limit.total) }
    if agent.buys { try require(agent.buyBelow >= least, .badAmount, Limit.total) }
    let key = PositionKey(account: agent.account, area: instrument.definition.area)
    try requirePosition(key)
    change(key) {
      $0.agent =
        agent.sells || agent.buys ? ModelAgent(instruction: agent, session: command.session) : nil
    }
    emit(
      .order(
        .agentSet(
          SetAgentDone(
            agent: agent, session: command.session, clientSequence: command.clientSequence))))
  }

  /// Enters the order that the standing instruction asks for, or raises the newest of them.
  /// - Returns: Whether there was an order.
  mutating func runAgent(_ key: PositionKey) -> Bool {
    guard let position = position(key), let agent = position.agent,
      let instrument = instruments[agent.instruction.instrument], instrument.state == .open,
      let wish = wish(agent.instruction, position, instrument.definition)
    else { return false }
    do throws(Refusal) { try requireUnblocked(agent.session, key.account) } catch { return false }
    let own = orders.values.filter {
      $0.account == key.account && $0.instrument == wish.instrument
    }.sorted { $0.arrival < $1.arrival }
    if !own.isEmpty, rules < 6 { return false }
    if own.contains(where: { $0.side != wish.side || $0.clientOrderId != .engine }) { return false }
    let missing = wish.quantity.wattHours - own.reduce(0) { $0 + $1.leaves }
    if missing <= 0 { return false }
    do throws(Refusal) {
      if own.count >= 4, let newest = own.last {
        let change = ReplaceOrder(
          account: key.account, order: newest.id, clientOrderId: .engine, price: wish.price,
          quantity: Energy(wattHours: newest.quantity + missing))
        let (old, new) = try validate(change, agent.session, byAgent: true)
        noteEntered(new, instead: old)
        replace(old, new)
      } else {
        var request = wish
        request.quantity = Energy(wattHours: missing)
        let order = try validate(request, session: agent.session, byAgent: true)
        noteEntered(order, instead: nil)
        enter(order, request)
      }
      return true
    } catch {
      emit(
        .rejected(
          Rejected(
            code: error.code, limit: error.limit, session: agent.session, clientSequence: 0,
            account: key.account, field: error.field)))
      return false
    }
  }

  /// The order that the instruction would enter if there were none.
  private func wish(
    _ agent: SetAgent, _ position: ModelPosition, _ definition: CreateInstrument
  ) -> NewOrder? {
    let (energy, cap) = (position.energy, cap(position.key))
    let target = agent.target < .zero ? cap / 2 : agent.target.wattHours
    let sellAbove = agent.sellAbove < .zero ? 3 * cap / 4 : agent.sellAbove.wattHours
    let buyBelow = agent.buyBelow < .zero ? cap / 4 : agent.buyBelow.wattHours
    let sells = agent.sells && energy >= sellAbove && energy > target
    let buys = agent.buys && energy <= buyBelow && energy < target
    if !sells && !buys { return nil }
    let wanted = min(abs(energy - target), Limit.orderQuantity)
    let quantity = wanted - wanted % definition.lot.wattHours
    if quantity == 0 { return nil }
    return NewOrder(
      account: agent.account, instrument: agent.instrument, side: sells ? .sell : .buy,
      clientOrderId: .engine, price: sells ? agent.sellPrice : agent.buyPrice,
      quantity: Energy(wattHours: quantity))
  }
}
