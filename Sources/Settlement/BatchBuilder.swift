import MarketModel

/// Builds settlement batches from the journal's events. The result depends on its input only. The
/// caller passes every event of every command, from the first command on, and ends each command
/// with `endCommand`.
///
/// A batch closes at the end of a command that brings it to `rules.transfers`, that comes
/// `rules.nanoseconds` of market time after the batch's first transfer, or that is a checkpoint of
/// the whole state (a clean shutdown journals one). No other condition closes a batch, because a
/// replay could not reproduce it. A range without transfers makes no batch; the next batch covers
/// the range.
package struct BatchBuilder: Sendable {
  /// The start of the hash chain.
  package let genesis: LedgerGenesis
  /// The last closed batch.
  package private(set) var head: LedgerHead
  /// Transfers of the open batch.
  package private(set) var open: [LedgerTransfer] = []
  /// Notes about orders since the last closed batch.
  private var openNotes: [LedgerNote] = []
  /// Readings and corrections since the last closed batch.
  private var openReadings: [LedgerReading] = []
  /// The first event that no exchange can produce; the next `endCommand` throws it.
  private var problem: String?

  /// A builder at the start of the journal.
  package init(genesis: LedgerGenesis) {
    self.genesis = genesis
    head = LedgerHead(after: nil, genesis: genesis)
    open.reserveCapacity(Int(genesis.rules.transfers) + 64)
  }

  /// Adds the transfers of one event of the command `sequence`, sequenced at `time`.
  /// - Parameter known: Reference data of all events so far, for currencies and areas.
  package mutating func take(
    _ event: Event, sequence: SequenceNumber, time: Timestamp, _ known: borrowing ReferenceData
  ) {
    let cause = Cause(sequence: sequence, time: time)
    switch event {
    case .trade(let trade): settle(trade, known.market(of: trade.instrument), cause)
    case .metered(let metered): settle(metered, known.currency(of: metered.area), cause)
    case .metering(.corrected(let corrected)):
      settle(corrected, known.currency(of: corrected.area), cause)
    case .cash(let cash): settle(cash, cause)
    case .order(.noted(let noted)):
      openNotes.append(
        LedgerNote(
          sequence: sequence, time: time, order: noted.order, clientOrderId: noted.clientOrderId,
          account: noted.account, text: noted.text))
    default: break
    }
  }

  private mutating func settle(_ event: CashEvent, _ cause: Cause) {
    switch event {
    case .transferred(let transferred): settle(transferred.transfer, cause)
    case .deposited(let moved): settle(moved.movement, isDeposit: true, cause)
    case .withdrawn(let moved): settle(moved.movement, isDeposit: false, cause)
    case .compensated(let done): settle(done.compensation, cause)
    }
  }

  /// Ends the command `sequence`, sequenced at `time`.
  /// - Parameter closes: Whether the command is a checkpoint of the whole state.
  /// - Returns: The batch that closes with this command, if any.
  /// - Throws: `.contentRejected` when an event of the command cannot come from an exchange that
  ///   was replayed from its first command on. The builder cannot be used afterwards. No
  ///   participant can cause this; halting settlement is better than ending the process.
  package mutating func endCommand(
    sequence: SequenceNumber, time: Timestamp, closes: Bool
  ) throws(LedgerError) -> SettlementBatch? {
    precondition(sequence > head.last, "commands come in ascending order")
    if let problem {
      throw .contentRejected(
        batch: head.batch + 1, reason: "command \(sequence.rawValue): \(problem)")
    }
    guard let due else { return nil }
    let isFull = open.count >= Int(genesis.rules.transfers)
    guard closes || isFull || time >= due else { return nil }
    let batch = SettlementBatch(
      shard: genesis.shard, id: head.batch + 1,
      first: SequenceNumber(head.last.rawValue + 1), last: sequence, previous: head.hash,
      transfers: open, notes: openNotes, readings: openReadings)
    head = LedgerHead(after: batch.row, genesis: genesis)
    open.removeAll(keepingCapacity: true)
    openNotes.removeAll(keepingCapacity: true)
    openReadings.removeAll(keepingCapacity: true)
    return batch
  }

  /// The time at which the open batch is due: the first command at or after it closes the batch.
  /// `nil`: there is no open batch.
  package var due: Timestamp? {
    open.first.map { oldest in
      let (due, isNever) = oldest.time.nanoseconds.addingReportingOverflow(
        genesis.rules.nanoseconds)
      return isNever ? .never : Timestamp(nanoseconds: due)
    }
  }

  /// The command that caused an event.
  private struct Cause {
    var sequence: SequenceNumber
    var time: Timestamp
  }
}

// The postings of each event. docs/LEDGER.md has the table of debited and credited accounts.
extension BatchBuilder {
  private mutating func settle(
    _ trade: Trade, _ market: (area: AreaId, currency: Currency)?, _ cause: Cause
  ) {
    guard let (area, currency) = market else {
      return note("instrument \(trade.instrument.rawValue) is unknown")
    }
    let (buyer, seller) = (trade.buyer.account, trade.seller.account)
    let (money, fees) = (LedgerUnit.currency(currency), AccountId.house(area, .fees))
    let id = trade.trade.rawValue
    let (buyerFee, sellerFee) = (trade.buyer.fee.units, trade.seller.fee.units)
    let flags: TransferFlags = trade.isLocal ? .local : []
    post(.cashLeg, from: buyer, to: seller, money, trade.notional.units, id, cause, flags)
    post(
      .energyLeg, from: seller, to: buyer, .energy(area), trade.quantity.wattHours, id, cause, flags
    )
    post(.buyerFee, from: buyer, to: fees, money, buyerFee, id, cause, flags)
    post(.sellerFee, from: seller, to: fees, money, sellerFee, id, cause, flags)
  }

  private mutating func settle(_ metered: Metered, _ currency: Currency?, _ cause: Cause) {
    let (account, area) = (metered.account, metered.area)
    guard let currency else {
      return note("area \(area.rawValue) is unknown")
    }
    let (energy, money) = (LedgerUnit.energy(area), LedgerUnit.currency(currency))
    let grid = AccountId.house(area, .grid)
    let production = AccountId.terminal(area, .production)
    let consumption = AccountId.terminal(area, .consumption)
    let losses = AccountId.terminal(area, .losses)
    let id = metered.reading.registerSequence
    let (imported, exported) = (metered.imported.wattHours, metered.exported.wattHours)
    // All parts of the consumption are within it in every event of an exchange.
    let (taken, isTooMuch) = metered.burned.wattHours.addingReportingOverflow(imported)
    let consumed = metered.reading.consumed.wattHours
    if isTooMuch || taken > consumed {
      return note("reading \(id) takes more than it consumes")
    }
    openReadings.append(
      LedgerReading(
        sequence: cause.sequence, time: cause.time, account: account, area: area,
        reading: metered.reading, previousSequence: 0,
        flags: metered.countsProduction ? [] : .notMinted))
    post(
      .mint, from: production, to: account, energy, metered.minted.wattHours, id, cause)
    post(.loss, from: account, to: losses, energy, metered.lost.wattHours, id, cause)
    post(.exportEnergy, from: account, to: grid, energy, exported, id, cause)
    post(.exportCash, from: grid, to: account, money, metered.exportRevenue.units, id, cause)
    post(.importEnergy, from: grid, to: account, energy, imported, id, cause)
    post(.importCash, from: account, to: grid, money, metered.importCost.units, id, cause)
    post(.burn, from: account, to: consumption, energy, consumed, id, cause)
  }

  /// A later version of a reading: what the version before booked is taken back, then the new one is
  /// booked. Of the grid only what goes back and forth is booked, and of the losses the difference,
  /// since the meter carries their rest.
  private mutating func settle(_ new: Corrected, _ currency: Currency?, _ cause: Cause) {
    let (account, area) = (new.account, new.area)
    guard let currency else {
      return note("area \(area.rawValue) is unknown")
    }
    let (energy, money) = (LedgerUnit.energy(area), LedgerUnit.currency(currency))
    let grid = AccountId.house(area, .grid)
    let production = AccountId.terminal(area, .production)
    let consumption = AccountId.terminal(area, .consumption)
    let losses = AccountId.terminal(area, .losses)
    let id = new.reading.registerSequence
    let (minted, consumed) = (new.minted.wattHours, new.reading.consumed.wattHours)
    let (before, isBelow) = minted.subtractingReportingOverflow(new.producedDifference.wattHours)
    let (used, isBelowToo) = consumed.subtractingReportingOverflow(
      new.consumedDifference.wattHours)
    let parts = [new.exportsBack, new.exported, new.importsBack, new.imported]
    if isBelow || isBelowToo || before < 0 || used < 0 || parts.contains(where: { $0 < .zero }) {
      return note("version \(id) takes back what no version booked")
    }
    guard let exportsBack = new.exportsBack.cost(at: new.feedInPrice),
      let exported = new.exported.cost(at: new.feedInPrice),
      let importsBack = new.importsBack.cost(at: new.retailPrice),
      let imported = new.imported.cost(at: new.retailPrice)
    else { return note("version \(id) costs more than an amount of money holds") }
    openReadings.append(
      LedgerReading(
        sequence: cause.sequence, time: cause.time, account: account, area: area,
        reading: new.reading, previousSequence: new.previousSequence,
        flags: new.countsProduction ? .correction : [.correction, .notMinted]))
    let lost = new.lostDifference.wattHours
    let (mints, burns) = (before != minted, used != consumed)
    func back(
      _ code: TransferCode, from: AccountId, to: AccountId, _ unit: LedgerUnit, _ amount: Int64
    ) { post(code, from: from, to: to, unit, amount, id, cause, .reversal) }
    func book(
      _ code: TransferCode, from: AccountId, to: AccountId, _ unit: LedgerUnit, _ amount: Int64
    ) { post(code, from: from, to: to, unit, amount, id, cause, .correction) }
    back(.burn, from: consumption, to: account, energy, burns ? used : 0)
    back(.importCash, from: grid, to: account, money, importsBack.units)
    back(.importEnergy, from: account, to: grid, energy, new.importsBack.wattHours)
    back(.exportCash, from: account, to: grid, money, exportsBack.units)
    back(.exportEnergy, from: grid, to: account, energy, new.exportsBack.wattHours)
    back(.loss, from: losses, to: account, energy, max(0, -lost))
    back(.mint, from: account, to: production, energy, mints ? before : 0)
    book(.mint, from: production, to: account, energy, mints ? minted : 0)
    book(.loss, from: account, to: losses, energy, max(0, lost))
    book(.exportEnergy, from: account, to: grid, energy, new.exported.wattHours)
    book(.exportCash, from: grid, to: account, money, exported.units)
    book(.importEnergy, from: grid, to: account, energy, new.imported.wattHours)
    book(.importCash, from: account, to: grid, money, imported.units)
    book(.burn, from: account, to: consumption, energy, burns ? consumed : 0)
  }

  private mutating func settle(_ transfer: Transfer, _ cause: Cause) {
    let id = transfer.clientOrderId.rawValue
    let (from, to, amount) = (transfer.from, transfer.to, transfer.amount)
    switch transfer.asset {
    case .cash:
      post(.cashTransfer, from: from, to: to, .currency(transfer.currency), amount, id, cause)
    case .energy:
      post(.energyTransfer, from: from, to: to, .energy(transfer.area), amount, id, cause)
    }
  }

  private mutating func settle(_ moved: CashMovement, isDeposit: Bool, _ cause: Cause) {
    let (outside, unit) = (AccountId.outside(moved.currency), LedgerUnit.currency(moved.currency))
    let amount = moved.amount.units
    if isDeposit {
      post(.deposit, from: outside, to: moved.account, unit, amount, moved.reference, cause)
    } else {
      post(.withdrawal, from: moved.account, to: outside, unit, amount, moved.reference, cause)
    }
  }

  /// Posts what the accounts of a compensation give to those that get it, in their order.
  private mutating func settle(_ compensation: Compensate, _ cause: Cause) {
    let unit = compensation.ledgerUnit
    var legs = (0..<Compensate.mostLegs).map { compensation.leg($0) }
    for giver in legs.indices {
      for taker in legs.indices {
        if legs[giver].amount >= 0 { break }
        if legs[taker].amount <= 0 { continue }
        // All amounts are within +-2^61.
        let amount = min(-legs[giver].amount, legs[taker].amount)
        legs[giver].amount += amount
        legs[taker].amount -= amount
        post(
          .compensation, from: legs[giver].account, to: legs[taker].account, unit, amount,
          compensation.reference, cause)
      }
    }
  }

  /// Keeps the first description of an impossible event.
  private mutating func note(_ words: String) { problem = problem ?? words }

  /// Appends a transfer. An amount of 0 gives none, a negative amount one in the opposite
  /// direction.
  private mutating func post(
    _ code: TransferCode, from: AccountId, to: AccountId, _ unit: LedgerUnit, _ amount: Int64,
    _ reference: UInt64, _ cause: Cause, _ flags: TransferFlags = []
  ) {
    // A transfer of an account to itself has no effect.
    if amount == 0 || from == to { return }
    if amount == .min { return note("an amount of transfer code \(code) has no magnitude") }
    let isReversed = amount < 0
    open.append(
      LedgerTransfer(
        id: head.transfers + UInt64(open.count) + 1, batch: head.batch + 1,
        debit: isReversed ? to : from, credit: isReversed ? from : to, unit: unit,
        amount: abs(amount), code: code, flags: isReversed ? flags.union(.reversed) : flags,
        tradeSequence: cause.sequence, time: cause.time, reference: reference))
  }
}

// MARK: - Its image

extension BatchBuilder {
  /// Rises when the meaning of rows changes without a change of their fields.
  private static let imageVersion: UInt64 = 1
  private static let hashBytes = 32
  /// An upper bound of the transfers of an open batch: the rules' bound plus those of one command,
  /// which trades with at most 2^24 orders and makes four transfers for each.
  private static let longest = 1 << 27
  /// An upper bound of area and instrument numbers, which limits the memory that a damaged image
  /// can request.
  private static let mostMarkets = 1 << 26

  private static let layout: StateLayout = {
    var layout = StateLayout(version: imageVersion)
    layout.add(LedgerTransfer.self)
    layout.add(Currency.self)
    layout.add(AreaId.self)
    layout.add(LedgerNote.self)
    layout.add(LedgerReading.self)
    return layout
  }()

  /// The fingerprint of the layout without readings.
  private static let withoutReadings: UInt64 = 0x3CFC_5B14_3166_03BB
  /// The fingerprint of the layout without notes.
  private static let withoutNotes: UInt64 = 0x9E50_7D62_C158_8BA6

  /// Writes the builder's state. Call it between two commands.
  /// - Parameter known: The reference data, as for `take`.
  package func write(to sink: any StateSink, _ known: borrowing ReferenceData) {
    sink.put(Self.layout.fingerprint)
    sink.put(genesis.hash.bytes)
    sink.put(head.batch)
    sink.put(head.last.rawValue)
    sink.put(head.hash.bytes)
    sink.put(head.transfers)
    sink.put(open)
    sink.put(known.currencies)
    sink.put(known.areasOfInstruments)
    sink.put(openNotes)
    sink.put(openReadings)
  }

  /// Reads a builder that `write` wrote. The source rejects an incomplete image and one of another
  /// genesis.
  package init(genesis: LedgerGenesis, reading source: any StateSource) {
    self.init(genesis: genesis)
    let former = source.expect(Self.layout, or: [Self.withoutNotes, Self.withoutReadings])
    if source.get(UInt8.self, most: Self.hashBytes) != genesis.hash.bytes, source.isWhole {
      source.reject("its batches follow other rules")
    }
    head.batch = source.get(UInt64.self)
    head.last = SequenceNumber(source.get(UInt64.self))
    head.hash = BatchHash(bytes: source.get(UInt8.self, most: Self.hashBytes)) ?? genesis.hash
    head.transfers = source.get(UInt64.self)
    open = source.get(LedgerTransfer.self, most: Self.longest)
    // Redundant with the reference data. Older programs read this part of a snapshot without them.
    _ = source.get(Currency.self, most: Self.mostMarkets)
    _ = source.get(AreaId.self, most: Self.mostMarkets)
    // Which one of the former layouts it is.
    if former != 0 { openNotes = source.get(LedgerNote.self, most: Self.longest) }
    if former == nil { openReadings = source.get(LedgerReading.self, most: Self.longest) }
  }
}
