// The comparisons after each start and at the end of a run, computed from the files without faults:
//
//   journal ─▶ reader ─▶ new exchange ─▶ events ─▶ each acknowledged effect occurs exactly once
//                             │            └─────▶ batches equal the ledger's, hash by hash
//                             └─▶ event hash equals that of the live exchange at that command

import ExchangeCore
import Journaling
import MarketModel
import Settlement

/// A replay of the whole journal with all comparisons.
struct Audit: ~Copyable {
  /// Command and event hash of a live exchange.
  struct Mark {
    let sequence: SequenceNumber
    let eventHash: UInt64
  }

  private(set) var last = SequenceNumber.none
  private(set) var claims: Set<Claim> = []
  private(set) var eventHash: UInt64 = 0
  private(set) var stateHash: UInt64 = 0
  private(set) var holdings: [EngineHolding] = []
  private(set) var commands = 0
  /// Numbers of readings settled, corrected, kept in quarantine and released.
  private(set) var metering = (readings: 0, corrections: 0, quarantined: 0, released: 0)
  private var rows: [BatchRow] = []

  /// Replays the journal of `disk`.
  /// - Parameters:
  ///   - marks: Event hashes of the live exchange.
  ///   - claimed: Effects that were acknowledged to clients.
  ///   - observations: Contents of answers to clients.
  /// - Throws: The first difference.
  init(
    _ disk: SimulatedDisk, _ setting: RunSetting, marks: [Mark], expects claimed: Set<Claim>,
    _ observations: Set<Observation> = []
  ) throws(Violation) {
    var unconfirmed = observations
    var exchange = Exchange(capacity: setting.capacity)
    var sink = Sink(BatchBuilder(genesis: setting.genesis))
    var nextMark = 0
    do throws(JournalError) {
      var reader = try JournalReader(directory: RunSetting.journal, disk: disk)
      let end = try Recovery.examine(RunSetting.journal, disk: disk).lastSequence
      while let command = try reader.next(through: end) {
        sink.sequence = command.sequence
        sink.time = command.time
        exchange.apply(command, into: &sink)
        sink.end(command)
        commands += 1
        if !unconfirmed.isEmpty { Self.removeTrue(exchange, command.sequence, &unconfirmed) }
        while nextMark < marks.count, marks[nextMark].sequence <= command.sequence {
          if marks[nextMark].sequence == command.sequence,
            marks[nextMark].eventHash != exchange.eventHash
          {
            throw JournalError.corrupt(
              path: "replay", offset: 0, expected: command.sequence, .wrongContents)
          }
          nextMark += 1
        }
      }
      last = end
    } catch {
      throw Violation("the audit cannot replay the journal: \(error)")
    }
    if let twice = sink.twice { throw Violation("applied twice: \(twice)") }
    if let problem = sink.problem { throw Violation("the batches cannot be built: \(problem)") }
    let lost = claimed.subtracting(sink.claims)
    if let first = lost.min() {
      throw Violation("\(lost.count) acknowledged commands are lost, among them \(first)")
    }
    for claim in sink.claims {
      switch claim {
      case .order(let account, let id), .change(let account, let id):
        unconfirmed.remove(.order(account, id))
      case .transfer, .deposit, .withdrawal, .reading: break
      }
    }
    if let untrue = unconfirmed.first {
      throw Violation(
        "\(unconfirmed.count) answers disagree with the journal, among them \(untrue)")
    }
    if let broken = exchange.invariantViolations().first { throw Violation(broken) }
    (claims, rows, metering) = (sink.claims, sink.rows, sink.metering)
    (eventHash, stateHash) = (exchange.eventHash, exchange.stateHash())
    holdings = Self.holdings(exchange)
  }

  /// Removes the observations that are true after this command.
  private static func removeTrue(
    _ exchange: borrowing Exchange, _ sequence: SequenceNumber,
    _ unconfirmed: inout Set<Observation>
  ) {
    unconfirmed.remove(.status(sequence, eventHash: exchange.eventHash))
    for number in 1...UInt32(Village.traders.count) {
      let account = AccountId(number)
      // An account without a position in the area can have cash: its meter may be registered later.
      if let balance = exchange.balanceOrCash(of: account, in: Village.area) {
        unconfirmed.remove(Observation(balance))
      }
    }
  }

  /// Compares the ledger with the batches of the journal.
  /// - Parameter isFinal: Whether the ledger must contain all batches.
  /// - Returns: The ledger's last batch.
  /// - Throws: The first difference.
  func check(_ ledger: any Ledger, isFinal: Bool) throws(Violation) -> LedgerHead {
    do throws(LedgerError) {
      let head = try ledger.head()
      guard head.batch <= UInt64(rows.count) else {
        throw .chainMismatch(
          batch: head.batch, reason: "the journal has only \(rows.count) batches")
      }
      for row in rows.prefix(Int(head.batch)) where try ledger.row(ofBatch: row.id) != row {
        throw .chainMismatch(batch: row.id, reason: "the journal's batch differs")
      }
      let verification = try LedgerVerification.run(on: ledger)
      if let problem = verification.problems.first {
        throw .corrupt("\(problem)")
      }
      guard isFinal else { return head }
      guard head.batch == UInt64(rows.count) else {
        throw .outOfOrder(batch: UInt64(rows.count), expected: head.batch)
      }
      let differences = LedgerBalance.differences(
        ledger: verification.balances, engine: holdings)
      if let difference = differences.first {
        throw .corrupt("ledger and exchange differ: \(difference)")
      }
      return head
    } catch {
      throw Violation("the ledger is not a prefix of the journal's batches: \(error)")
    }
  }

  private static func holdings(_ exchange: borrowing Exchange) -> [EngineHolding] {
    var holdings = exchange.cash().map {
      EngineHolding(
        account: $0.account, unit: .currency($0.currency),
        amount: Int128($0.free.units) + Int128($0.reserved.units))
    }
    for balance in exchange.allBalances() {
      holdings.append(
        EngineHolding(
          account: balance.account, unit: .energy(balance.area),
          amount: balance.energy.wattHours))
    }
    guard let totals = exchange.totals(of: Village.area) else { return holdings }
    for (role, money) in [(HouseRole.fees, totals.fees), (.grid, totals.grid)] {
      holdings.append(
        EngineHolding(
          account: .house(Village.area, role), unit: .currency(.eur), amount: money.units))
    }
    return holdings
  }

  /// Collects effects and batches from the events of the replay.
  private struct Sink: EventSink, ~Copyable {
    var sequence = SequenceNumber.none
    var time = Timestamp(nanoseconds: 0)
    var claims: Set<Claim> = []
    var twice: Claim?
    var rows: [BatchRow] = []
    var metering = (readings: 0, corrections: 0, quarantined: 0, released: 0)
    var problem: LedgerError?
    private var builder: BatchBuilder
    private var known = ReferenceData()

    init(_ builder: BatchBuilder) { self.builder = builder }

    mutating func emit(_ event: Event) {
      if let claim = Claim(event), !claims.insert(claim).inserted { twice = twice ?? claim }
      count(event)
      known.note(event, at: time)
      builder.take(event, sequence: sequence, time: time, known)
    }

    private mutating func count(_ event: Event) {
      switch event {
      case .metered: metering.readings += 1
      case .metering(.corrected): metering.corrections += 1
      case .metering(.quarantined): metering.quarantined += 1
      case .metering(.readingDecided(let done)) where done.decision.releases:
        metering.released += 1
      default: break
      }
    }

    mutating func end(_ command: Command) {
      do throws(LedgerError) {
        let batch = try builder.endCommand(
          sequence: command.sequence, time: command.time, closes: command.body.closesBatch)
        if let batch { rows.append(batch.row) }
      } catch {
        problem = problem ?? error
      }
    }
  }
}
