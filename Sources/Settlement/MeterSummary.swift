// What the readings of an account say beside the transfers that they caused: which transfers belong to
// which interval, which intervals are missing, and what corrections changed.

import MarketModel

/// Finds the reading that caused a transfer of an account.
struct MeteredCauses {
  private var readings: [SequenceNumber: LedgerReading] = [:]
  /// Trades that readings made without an order.
  private var localTrades: Set<UInt64> = []

  /// The causes of the transfers in `history`, from the readings of the same account.
  init(_ readings: [LedgerReading], of history: [LedgerTransfer]) {
    for reading in readings { self.readings[reading.sequence] = reading }
    for transfer in history where transfer.flags.contains(.local) {
      localTrades.insert(transfer.reference)
    }
  }

  /// The reading that caused `transfer`; `nil` for whatever is not metered, such as a trade of an order
  /// that the reading's energy covered.
  func reading(of transfer: LedgerTransfer) -> LedgerReading? {
    let isLocal = transfer.code.isTrade && localTrades.contains(transfer.reference)
    return transfer.code.isMetered || isLocal ? readings[transfer.tradeSequence] : nil
  }
}

extension TransferCode {
  /// Whether a reading causes such a transfer.
  var isMetered: Bool {
    switch self {
    case .mint, .loss, .burn, .exportEnergy, .exportCash, .importEnergy, .importCash: true
    case .cashLeg, .energyLeg, .buyerFee, .sellerFee, .cashTransfer, .energyTransfer, .deposit,
      .withdrawal, .compensation:
      false
    }
  }
}

/// The intervals of a meter in a period, as the ledger knows them.
public struct MeterSummary: Sendable, Equatable {
  /// Intervals that no reading covers, between two that were read.
  public struct Gap: Sendable, Equatable {
    /// Their begin and end, within the period.
    public var span: Range<Timestamp>
    /// How many intervals of the length of the one before are missing, rounded up.
    public var count: UInt64
  }

  /// The meter.
  public var meter: MeterId
  /// The number of intervals of the period that were read, each once.
  public var intervals: Int
  /// How many of them have an estimate as their newest version.
  public var estimated: Int
  /// How many of them have a substituted value as their newest version.
  public var substituted: Int
  /// How many of them have production that does not count, because of its quality.
  public var notMinted: Int
  /// What is missing, ascending.
  public var gaps: [Gap]

  /// The number of missing intervals.
  public var missing: UInt64 { gaps.reduce(0) { $0 + $1.count } }

  /// The meters in `readings`, which are in the order of their commands, with intervals in `period` or
  /// gaps there.
  static func all(_ readings: [LedgerReading], in period: Range<Timestamp>) -> [MeterSummary] {
    var newest: [MeterId: [Timestamp: LedgerReading]] = [:]
    for reading in readings { newest[reading.meter, default: [:]][reading.start] = reading }
    return newest.keys.sorted { $0.rawValue < $1.rawValue }.compactMap { meter in
      let intervals = (newest[meter] ?? [:]).values.sorted { $0.start < $1.start }
      let summary = MeterSummary(meter, intervals, in: period)
      return summary.intervals == 0 && summary.gaps.isEmpty ? nil : summary
    }
  }

  private init(_ meter: MeterId, _ all: [LedgerReading], in period: Range<Timestamp>) {
    self.meter = meter
    let own = all.filter { period.contains($0.start) }
    intervals = own.count
    estimated = own.count { $0.quality == .estimated }
    substituted = own.count { $0.quality == .substituted }
    notMinted = own.count { $0.flags.contains(.notMinted) && $0.produced > .zero }
    gaps = zip(all, all.dropFirst()).compactMap { before, after in
      let (start, end) = (
        max(before.end, period.lowerBound), min(after.start, period.upperBound)
      )
      let usual = before.end.nanoseconds - before.start.nanoseconds
      guard start < end, usual > 0 else { return nil }
      let length = end.nanoseconds - start.nanoseconds
      return Gap(span: start..<end, count: length / usual + (length % usual == 0 ? 0 : 1))
    }
  }
}

/// A correction in a statement: what it took back and what it booked instead.
public struct StatementCorrection: Sendable, Equatable {
  /// Amounts of one side of a correction, as the account received them; negative: gave.
  public struct Amounts: Sendable, Equatable {
    /// Production, Wh.
    public var produced: Int128 = 0
    /// Consumption, Wh; negative where it is consumed.
    public var consumed: Int128 = 0
    /// Cash, 1e-8.
    public var units: Int128 = 0
  }

  /// The version that corrected.
  public var reading: LedgerReading
  /// The currency of both amounts of cash; `nil` when none moved.
  public var currency: Currency?
  /// What was taken back of the version before.
  public var takenBack = Amounts()
  /// What was booked instead.
  public var booked = Amounts()

  /// The corrections among `entries`.
  static func all(_ entries: [StatementEntry]) -> [StatementCorrection] {
    var found: [StatementCorrection] = []
    let flags: TransferFlags = [.reversal, .correction]
    for entry in entries where !entry.transfer.flags.isDisjoint(with: flags) {
      guard let reading = entry.reading else { continue }
      if found.last?.reading.sequence != reading.sequence {
        found.append(StatementCorrection(reading: reading))
      }
      found[found.count - 1].add(entry)
    }
    return found
  }

  private mutating func add(_ entry: StatementEntry) {
    currency = entry.transfer.unit.currency ?? currency
    if entry.transfer.flags.contains(.reversal) {
      takenBack.add(entry)
    } else {
      booked.add(entry)
    }
  }
}

extension StatementCorrection.Amounts {
  fileprivate mutating func add(_ entry: StatementEntry) {
    switch entry.transfer.code {
    case .mint: produced += Int128(entry.amount)
    case .burn: consumed += Int128(entry.amount)
    case .exportCash, .importCash: units += Int128(entry.amount)
    default: break
    }
  }
}
