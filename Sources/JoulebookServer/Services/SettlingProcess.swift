// `joulebook settle`: the settler as a process of its own, the only one that needs the ledger's
// credentials.
//
//     settlement.durable ──▶ SettlementService ──▶ ledger
//     settlement.done ◀── confirmations ◀─┘
//
// It settles what the server says is durable, and nothing beyond: a ledger must never be ahead of a
// journal that a crash has shortened. The server may start and stop at any time.

import Glibc
import Journaling
import Logging
import MarketModel
import Rings
import Settlement
import Synchronization

/// Settles the journal of a data folder for a server that does not (`settler: process`).
public final class SettlingProcess: Sendable {
  /// How it ended.
  public enum Outcome: Sendable {
    /// It was told to.
    case stopped
    /// Settlement needs an operator; the log gives the reason.
    case halted
  }

  /// How far the journal may be settled, as the server last said.
  private final class Bound: CommitProgress {
    let value = Atomic<UInt64>(0)
    var durable: SequenceNumber { SequenceNumber(value.load(ordering: .acquiring)) }
    var isInPlace: Bool { true }
  }

  /// Pause between two looks at the server's file, µs.
  private static let pauseMicroseconds: UInt32 = 10_000
  /// Looks without a server after which that is told: 2 s.
  private static let patience = 200
  /// Confirmations that can wait for the next look.
  private static let capacity = 1024

  private let folder: DataFolder
  private let configuration: Configuration
  private let log: Logger
  private let history: HistoryService?
  private let isEnding = Atomic<Bool>(false)

  /// Reads what the first start of the server fixed.
  /// - Parameter fillsHistory: Whether it fills the history of accounts too.
  /// - Throws: if the folder contains no exchange.
  public init(
    _ folder: DataFolder, fillsHistory: Bool = false, log: Logger
  ) throws(ConfigurationError) {
    (self.folder, self.log) = (folder, log)
    configuration = try folder.fixedMarket()
    let location = configuration.ledgerLocation
    history =
      fillsHistory
      ? HistoryService(
        path: folder.history,
        openLedger: { () throws(LedgerError) in try location.openForReading() }, log: log) : nil
  }

  /// The ledger that it fills.
  public var location: LedgerLocation { configuration.ledgerLocation }

  /// Makes `run` return soon. Any thread.
  public func stop() { isEnding.store(true, ordering: .releasing) }

  /// Settles until it is stopped or settlement halts. Called once.
  /// - Throws: if the files of the data folder cannot be opened, or another process settles this
  ///   folder.
  public func run() throws(ConfigurationError) -> Outcome {
    let (theirs, mine) = try open()
    let bound = Bound()
    // Until a server has said how far the journal is durable, nothing is settled.
    var looks = 0
    while !isEnding.load(ordering: .acquiring) {
      looks += 1
      if looks == Self.patience {
        log.notice(
          "waiting for a server with `settler: process` on this data folder",
          metadata: ["data": "\(folder.path)"])
      }
      if let durable = theirs.readDurable(), durable > .none {
        bound.value.store(durable.rawValue, ordering: .releasing)
        break
      }
      usleep(Self.pauseMicroseconds)
    }
    if isEnding.load(ordering: .acquiring) { return .stopped }
    let ring = ManyProducerRing<Command>(capacity: Self.capacity, waiting: .yield)
    let service = self.service(bound, ring)
    let thread = ServiceThread(service.name, priority: service.priority) { service.run() }
    let services = ServiceGroup(history.map { [$0] } ?? [])
    services.start()
    follow(service, bound, ring, theirs, mine)
    services.end()
    thread.join()
    return service.hasStopped ? .halted : .stopped
  }

  private func open() throws(ConfigurationError) -> (theirs: SettlementFile, mine: SettlementFile) {
    guard let theirs = SettlementFile(folder.settlementDurable),
      let mine = SettlementFile(folder.settlementDone)
    else {
      throw ConfigurationError(
        "\(folder.settlementDone) or \(folder.settlementDurable) cannot be opened: "
          + String(cString: strerror(errno)))
    }
    guard mine.lock() else {
      throw ConfigurationError(
        "another process settles \(folder.path) already (it locks \(mine.path))")
    }
    return (theirs, mine)
  }

  private func service(_ bound: Bound, _ ring: ManyProducerRing<Command>) -> SettlementService {
    let (location, log) = (location, log)
    let genesis = LedgerGenesis(rules: configuration.settlement)
    return SettlementService(
      SettlementService.Setting(
        journal: folder.journal,
        openLedger: { () throws(LedgerError) in
          let ledger = try location.open(genesis: genesis)
          for note in ledger.notes {
            log.warning("a note about the ledger", metadata: ["note": "\(note)"])
          }
          return ledger
        },
        market: MarketState.Setting(configuration), recovered: bound.durable, log: bound,
        intake: ring, wake: {}, retention: JournalRetention()),
      log: log)
  }

  /// Passes on what the server and the service say, until the service is over.
  private func follow(
    _ service: SettlementService, _ bound: Bound, _ ring: ManyProducerRing<Command>,
    _ theirs: SettlementFile, _ mine: SettlementFile
  ) {
    var confirmations = ring.claimConsumer()
    var note = SettlementNote()
    while true {
      let isOver = service.isOver
      if isEnding.load(ordering: .acquiring) { service.end() }
      // Read before the confirmations, so that what counts as settled is confirmed.
      note.through = service.finished
      while let command = confirmations.pop() {
        if case .control(.settlementConfirmed(let confirmed)) = command.body {
          note.confirmed = confirmed
        }
      }
      (note.due, note.logBytes) = (service.due, service.ledgerLogBytes)
      note.historyLag = history?.lag ?? HistoryService.noLag
      note.state = service.hasStopped ? .stopped : service.isWaiting ? .waiting : .settling
      mine.write(note)
      if isOver { return }
      if let durable = theirs.readDurable(), durable > bound.durable {
        bound.value.store(durable.rawValue, ordering: .releasing)
      }
      usleep(Self.pauseMicroseconds)
    }
  }
}
