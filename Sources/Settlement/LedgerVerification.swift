import MarketModel

/// A problem that the verification of a ledger found.
public enum LedgerProblem: Sendable, Equatable, CustomStringConvertible {
  /// A batch between the first one and the head is missing.
  case missingBatch(UInt64)
  /// The `previous` of a batch differs from the hash of the batch before it.
  case brokenChain(batch: UInt64)
  /// The command range of a batch does not follow that of the batch before it, or is empty.
  case brokenRange(batch: UInt64)
  /// The stored transfers of a batch differ in number or ids from its row.
  case wrongTransfers(batch: UInt64)
  /// The hash of the stored transfers differs from the batch's hash.
  case wrongHash(batch: UInt64, stored: BatchHash, computed: BatchHash)
  /// A part of a batch cannot be read.
  case unreadable(batch: UInt64, reason: String)
  /// The number of stored transfers differs from the number in the batch rows.
  case strayTransfers(stored: UInt64, named: UInt64)
  /// A balance differs from the sums of its account's transfers.
  case wrongBalance(
    account: AccountId, unit: LedgerUnit, stored: LedgerBalance?, computed: LedgerBalance?)
  /// Debits and credits of a unit differ.
  case unbalanced(unit: LedgerUnit, debits: Int128, credits: Int128)
  /// The energy of an area is not conserved.
  case energyNotConserved(EnergyConservation)

  /// The problem as a sentence for an operator.
  public var description: String {
    switch self {
    case .missingBatch(let id): "batch \(id) is missing"
    case .brokenChain(let id): "batch \(id) does not follow the hash of the batch before it"
    case .brokenRange(let id): "batch \(id) does not cover the commands after the batch before it"
    case .wrongTransfers(let id): "batch \(id) does not agree with the stored transfers"
    case .wrongHash(let id, let stored, let computed):
      "batch \(id): stored hash \(stored.short), but its transfers give \(computed.short)"
    case .unreadable(let id, let reason): "batch \(id): \(reason)"
    case .strayTransfers(let stored, let named):
      "\(stored) transfers are stored, but the batches contain \(named)"
    case .wrongBalance(let account, let unit, let stored, let computed):
      "\(account.ledgerName) in \(unit.name): balance \(Self.sums(stored)), but its transfers give "
        + Self.sums(computed)
    case .unbalanced(let unit, let debits, let credits):
      "\(unit.name): debits \(debits), credits \(credits)"
    case .energyNotConserved(let area):
      "area \(area.area.rawValue): minted \(area.minted) + imported \(area.imported) differs from "
        + "held \(area.held) + burned \(area.burned) + exported \(area.exported) + lost "
        + "\(area.losses)"
    }
  }

  private static func sums(_ balance: LedgerBalance?) -> String {
    balance.map { "-\($0.debits) +\($0.credits)" } ?? "none"
  }
}

/// The result of the verification of a whole ledger.
public struct LedgerVerification: Sendable {
  /// The end of the hash chain.
  public var head: LedgerHead
  /// The number of transfers read.
  public var transfers: UInt64
  /// All balances as stored.
  public var balances: [LedgerBalance]
  /// The energy totals of every area.
  public var energy: [EnergyConservation]
  /// The problems in the order in which they were found; at most `mostProblems`.
  public var problems: [LedgerProblem]

  /// The highest number of listed problems.
  public static let mostProblems = 100

  /// Whether no problem was found.
  public var isSound: Bool { problems.isEmpty }

  /// Verifies a ledger in one snapshot: recomputes the hash chain, the netting of each batch,
  /// double entry in each unit, balances and energy from the transfers. Reads one batch at a time;
  /// time is linear in the transfers, memory in the accounts.
  /// - Throws: `.unavailable`, `.corrupt` when the ledger cannot be read.
  public static func run(on ledger: any Ledger) throws(LedgerError) -> LedgerVerification {
    try ledger.snapshot { () throws(LedgerError) in
      var walk = LedgerWalk(genesis: ledger.genesis)
      let head = try ledger.head()
      for id in 1..<(head.batch + 1) { try walk.visit(id, of: ledger) }
      let stored = try ledger.transferCount()
      if stored != walk.named { walk.note(.strayTransfers(stored: stored, named: walk.named)) }
      let balances = try ledger.balances()
      let energy = EnergyConservation.ofAreas(in: balances)
      walk.compare(balances)
      for area in energy where !area.isConserved { walk.note(.energyNotConserved(area)) }
      return LedgerVerification(
        head: head, transfers: walk.named, balances: balances, energy: energy,
        problems: walk.problems)
    }
  }
}

/// The state of a verification from the first batch to the head.
private struct LedgerWalk {
  let genesis: LedgerGenesis
  /// The head after the last visited batch, as stored.
  private var before: LedgerHead
  private var netting = Netting()
  private(set) var problems: [LedgerProblem] = []
  /// The number of transfers in the rows of the visited batches.
  private(set) var named: UInt64 = 0

  init(genesis: LedgerGenesis) {
    self.genesis = genesis
    before = LedgerHead(after: nil, genesis: genesis)
  }

  mutating func note(_ problem: LedgerProblem) {
    if problems.count < LedgerVerification.mostProblems { problems.append(problem) }
  }

  mutating func visit(_ id: UInt64, of ledger: any Ledger) throws(LedgerError) {
    guard let row = try ledger.row(ofBatch: id) else { return note(.missingBatch(id)) }
    if row.previous != before.hash { note(.brokenChain(batch: id)) }
    if row.first.rawValue != before.last.rawValue + 1 || row.last < row.first {
      note(.brokenRange(batch: id))
    }
    do throws(LedgerError) {
      try visit(row, transfers: ledger.transfers(in: row))
    } catch {
      guard error.remedy == .halt else { throw error }
      note(.unreadable(batch: id, reason: error.description))
    }
    named += UInt64(row.count)
    before = LedgerHead(after: row, genesis: genesis)
  }

  private mutating func visit(_ row: BatchRow, transfers: [LedgerTransfer]) {
    var due = before.transfers
    let areDue = transfers.allSatisfy { transfer in
      due += 1
      return transfer.id == due && transfer.batch == row.id
    }
    guard areDue, transfers.count == Int(row.count), row.count > 0 else {
      return note(.wrongTransfers(batch: row.id))
    }
    let batch = SettlementBatch(
      shard: genesis.shard, id: row.id, first: row.first, last: row.last, previous: row.previous,
      transfers: transfers)
    if batch.hash != row.hash {
      note(.wrongHash(batch: row.id, stored: row.hash, computed: batch.hash))
    }
    for transfer in transfers { netting.add(transfer) }
  }

  /// Compares the stored balances with the sums of the transfers, and the debits with the credits
  /// of each unit.
  mutating func compare(_ balances: [LedgerBalance]) {
    let computed = netting.changes().map {
      LedgerBalance(account: $0.account, unit: $0.unit, debits: $0.debits, credits: $0.credits)
    }
    for difference in LedgerBalance.differences(stored: balances, expected: computed) {
      note(
        .wrongBalance(
          account: difference.account, unit: difference.unit, stored: difference.stored,
          computed: difference.expected))
    }
    var totals: [LedgerUnit: (debits: Int128, credits: Int128)] = [:]
    for balance in balances {
      totals[balance.unit, default: (0, 0)].debits += balance.debits
      totals[balance.unit, default: (0, 0)].credits += balance.credits
    }
    for (unit, total) in totals.sorted(by: { $0.key < $1.key })
    where total.debits != total.credits {
      note(.unbalanced(unit: unit, debits: total.debits, credits: total.credits))
    }
  }
}

/// A balance that differs from the expected one.
public struct BalanceDifference: Sendable, Equatable {
  /// The account.
  public var account: AccountId
  /// The unit of both balances.
  public var unit: LedgerUnit
  /// The stored balance; `nil` when there is none.
  public var stored: LedgerBalance?
  /// The expected balance; `nil` when there should be none.
  public var expected: LedgerBalance?
}

extension LedgerBalance {
  /// The differences of debits or credits between two sets of balances, ascending by unit, then
  /// account.
  public static func differences(
    stored: [LedgerBalance], expected: [LedgerBalance]
  ) -> [BalanceDifference] {
    var pairs: [UInt64: BalanceDifference] = [:]
    for balance in stored { pairs[balance.key, default: balance.asDifference].stored = balance }
    for balance in expected { pairs[balance.key, default: balance.asDifference].expected = balance }
    return pairs.sorted { $0.key < $1.key }.map(\.value).filter { $0.stored != $0.expected }
  }

  private var key: UInt64 { UInt64(unit.rawValue) << 32 | UInt64(account.rawValue) }
  private var asDifference: BalanceDifference { BalanceDifference(account: account, unit: unit) }
}
