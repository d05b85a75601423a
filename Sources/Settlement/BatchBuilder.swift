import MarketModel

/// Turns the journal's events into settlement batches: a pure function of what it is fed. It must be
/// fed every event of every command from the first one on, each command closed by `endCommand`.
///
/// A batch closes at the end of a command that brings it to `rules.transfers`, that comes
/// `rules.nanoseconds` of market time after its first transfer, or that is a checkpoint of the whole
/// state (a clean shutdown journals one). Nothing else closes a batch, since a replay would not see
/// it. A range without transfers makes no batch; the next batch covers it.
public struct BatchBuilder: Sendable {
  /// What the chain starts from.
  public let genesis: LedgerGenesis
  /// The last batch made.
  public private(set) var head: LedgerHead
  /// Transfers of the batch in the making.
  public private(set) var open: [LedgerTransfer] = []
  /// What an event said that no exchange says; thrown by the next `endCommand`.
  private var problem: String?

  /// A builder at the start of the journal.
  public init(genesis: LedgerGenesis) {
    self.genesis = genesis
    head = LedgerHead(after: nil, genesis: genesis)
    open.reserveCapacity(Int(genesis.rules.transfers) + 64)
  }

  /// Takes one event of the command `sequence`, sequenced at `time`.
  /// - Parameter known: What areas and instruments are paid in, as the events so far say.
  public mutating func take(
    _ event: Event, sequence: SequenceNumber, time: Timestamp, _ known: borrowing ReferenceData
  ) {
    let cause = Cause(sequence: sequence, time: time)
    switch event {
    case .trade(let trade): settle(trade, known.market(of: trade.instrument), cause)
    case .metered(let metered): settle(metered, known.currency(of: metered.area), cause)
    case .cash(let cash): settle(cash, cause)
    default: break
    }
  }

  private mutating func settle(_ event: CashEvent, _ cause: Cause) {
    switch event {
    case .transferred(let transferred): settle(transferred.transfer, cause)
    case .deposited(let moved): settle(moved.movement, isDeposit: true, cause)
    case .withdrawn(let moved): settle(moved.movement, isDeposit: false, cause)
    }
  }

  /// Ends the command `sequence`, sequenced at `time`.
  /// - Parameter closes: whether the command is a checkpoint of the whole state.
  /// - Returns: the batch that closes here, if one does.
  /// - Throws: `.contentRejected` when an event of the command cannot come from an exchange that was
  ///   replayed from its first command on; the builder is of no use then. Nothing that participants do
  ///   leads there, and settlement that halts is better than a process that ends.
  public mutating func endCommand(
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
      transfers: open)
    head = LedgerHead(after: batch.row, genesis: genesis)
    open.removeAll(keepingCapacity: true)
    return batch
  }

  /// When the open batch is due: the first command at or behind this time closes it. `nil`: nothing is
  /// open.
  public var due: Timestamp? {
    open.first.map { oldest in
      let (due, isNever) = oldest.time.nanoseconds.addingReportingOverflow(
        genesis.rules.nanoseconds)
      return isNever ? .never : Timestamp(nanoseconds: due)
    }
  }

  /// The command that an event belongs to.
  private struct Cause {
    var sequence: SequenceNumber
    var time: Timestamp
  }
}

// Who is debited and who is credited: the table is in docs/LEDGER.md.
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
    post(.cashLeg, from: buyer, to: seller, money, trade.notional.units, id, cause)
    post(.energyLeg, from: seller, to: buyer, .energy(area), trade.quantity.wattHours, id, cause)
    post(.buyerFee, from: buyer, to: fees, money, trade.buyer.fee.units, id, cause)
    post(.sellerFee, from: seller, to: fees, money, trade.seller.fee.units, id, cause)
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
    // What a reading says was consumed is what was burned and imported: of 64 bits.
    let (consumed, isTooMuch) = metered.burned.wattHours.addingReportingOverflow(imported)
    if isTooMuch { return note("reading \(id) consumes more than 64 bits hold") }
    post(
      .mint, from: production, to: account, energy, metered.reading.produced.wattHours, id, cause)
    post(.loss, from: account, to: losses, energy, metered.lost.wattHours, id, cause)
    post(.exportEnergy, from: account, to: grid, energy, exported, id, cause)
    post(.exportCash, from: grid, to: account, money, metered.exportRevenue.units, id, cause)
    post(.importEnergy, from: grid, to: account, energy, imported, id, cause)
    post(.importCash, from: account, to: grid, money, metered.importCost.units, id, cause)
    post(.burn, from: account, to: consumption, energy, consumed, id, cause)
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

  /// Keeps the first thing that no exchange says.
  private mutating func note(_ words: String) { problem = problem ?? words }

  /// Appends a transfer; none for a zero amount, one in the other direction for a negative one.
  private mutating func post(
    _ code: TransferCode, from: AccountId, to: AccountId, _ unit: LedgerUnit, _ amount: Int64,
    _ reference: UInt64, _ cause: Cause
  ) {
    // An account that moves something to itself changes nothing.
    if amount == 0 || from == to { return }
    if amount == .min { return note("an amount of transfer code \(code) has no magnitude") }
    let isReversed = amount < 0
    open.append(
      LedgerTransfer(
        id: head.transfers + UInt64(open.count) + 1, batch: head.batch + 1,
        debit: isReversed ? to : from, credit: isReversed ? from : to, unit: unit,
        amount: abs(amount), code: code, flags: isReversed ? .reversed : [],
        tradeSequence: cause.sequence, time: cause.time, reference: reference))
  }
}

// MARK: - Its image

extension BatchBuilder {
  /// Counts changes of what rows mean that their fields do not show.
  private static let imageVersion: UInt64 = 1
  private static let hashBytes = 32
  /// No batch in the making is longer: what one command moves comes on top of the rules' bound.
  /// A command trades with at most 2^24 orders, four transfers each, and the rules' bound is a million.
  private static let longest = 1 << 27
  /// No area or instrument has a higher number: a bound for what is read.
  private static let mostMarkets = 1 << 26

  private static let layout: StateLayout = {
    var layout = StateLayout(version: imageVersion)
    layout.add(LedgerTransfer.self)
    layout.add(Currency.self)
    layout.add(AreaId.self)
    return layout
  }()

  /// Writes all of it, between two commands.
  /// - Parameter known: As for `take`.
  public func write(to sink: any StateSink, _ known: borrowing ReferenceData) {
    sink.put(Self.layout.fingerprint)
    sink.put(genesis.hash.bytes)
    sink.put(head.batch)
    sink.put(head.last.rawValue)
    sink.put(head.hash.bytes)
    sink.put(head.transfers)
    sink.put(open)
    sink.put(known.currencies)
    sink.put(known.areasOfInstruments)
  }

  /// Reads what `write` wrote; the source says whether it was whole, and of the same genesis.
  public init(genesis: LedgerGenesis, reading source: any StateSource) {
    self.init(genesis: genesis)
    source.expect(Self.layout)
    if source.get(UInt8.self, most: Self.hashBytes) != genesis.hash.bytes, source.isWhole {
      source.reject("its batches are cut by other rules")
    }
    head.batch = source.get(UInt64.self)
    head.last = SequenceNumber(source.get(UInt64.self))
    head.hash = BatchHash(bytes: source.get(UInt8.self, most: Self.hashBytes)) ?? genesis.hash
    head.transfers = source.get(UInt64.self)
    open = source.get(LedgerTransfer.self, most: Self.longest)
    // The reference data say it too; here it stands since this part of a snapshot was once read without them.
    _ = source.get(Currency.self, most: Self.mostMarkets)
    _ = source.get(AreaId.self, most: Self.mostMarkets)
  }
}
