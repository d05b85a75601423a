import ArgumentParser
import Foundation
import JoulebookServer
import Journaling
import MarketModel
import Presentation
import Settlement

/// `joulebook replay`.
struct Replay: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Replays a journal and prints the hashes of events and state.",
    discussion: """
      Equal journals give equal hashes on any machine. With --ledger the balances of the ledger \
      are compared with those of the replay. May run beside a server: the journal is read up to \
      its present end.

        joulebook replay my-exchange
        joulebook replay my-exchange --ledger

      Exit code 70 when a checkpoint, a batch or a balance differs; 75 when the ledger lacks \
      batches that the journal closes and no server is settling.
      """)

  @Argument(
    help: "Data folder; joulebook-data unless given.", completion: .directory, transform: folderName
  )
  var data = "joulebook-data"
  @Flag(name: .long, help: "Compare the ledger with the replay.")
  var ledger = false

  func run() throws {
    let folder = try dataFolder(data)
    let stored = ledger ? try LedgerComparison.read(folder) : nil
    let replay = try Self.replay(folder, against: stored)
    if replay.begin > .none {
      print(
        "begin       the snapshot of command \(replay.begin.rawValue): older segments were removed")
    }
    print("commands    \(replay.commands)")
    if !replay.refused.isEmpty {
      print("refused     \(JournalCommand.list(replay.refused)): skipped")
    }
    print("events      \(replay.events), \(replay.trades) trades")
    print(String(format: "chain       valid, checked in %.2f s", replay.examinationSeconds))
    print(String(format: "rate        %.0f commands/s", replay.commandsPerSecond))
    print("event hash  \(hexadecimal(replay.eventHash))")
    print("state hash  \(hexadecimal(replay.stateHash))")
    try Self.checkCheckpoints(replay)
    try stored?.compare(with: replay)
  }

  /// - Throws: Exit code 70 when the replay differs from a checkpoint in the journal.
  static func checkCheckpoints(_ replay: ReplayReport) throws {
    if let mismatch = replay.mismatch {
      throw Failure.checkFailed.exit(
        "the replay differs from the checkpoint at command \(mismatch.rawValue): another version "
          + "wrote it, or the list of refused commands (journal/refused) was lost")
    }
  }

  /// Replays the journal of `folder`.
  /// - Parameters:
  ///   - ledger: Stops at the batches of this ledger to compare them.
  ///   - observer: Receives all commands and their events.
  ///   - words: Begin of the error message.
  /// - Throws: The exit code of the error, after printing it.
  static func replay(
    _ folder: DataFolder, against ledger: LedgerComparison? = nil,
    observer: (any ReplayObserver)? = nil, words: String = ""
  ) throws -> ReplayReport {
    CrashHandler.install()
    var bar: ProgressBar?
    defer { bar?.clear() }
    do throws(StartError) {
      return try ReplayReport.run(
        folder, against: ledger.map { ($0.head, $0.genesis) }, observer: observer
      ) { done, total in
        if bar == nil { bar = ProgressBar(total: total, unit: "commands") }
        bar?.show(done)
      }
    } catch {
      throw Failure(error).exit("\(words)\(error)")
    }
  }
}

/// Head and balances of a ledger, read before a replay that is compared with them.
struct LedgerComparison {
  /// The last batch of the ledger when it was read.
  let head: LedgerHead
  /// The exchange that the ledger was made for.
  let genesis: LedgerGenesis
  private let balances: [LedgerBalance]
  private let folder: DataFolder
  private let location: LedgerLocation
  /// Longest wait for missing batches while a server is running and settles none.
  private static let idleTimeout = Duration.seconds(10)
  /// Longest wait for missing batches while a server settles some: it may be far behind a busy
  /// market, and this command only has to see progress.
  private static let progressTimeout = Duration.seconds(1)

  /// Reads head and balances of the ledger of `folder` in one transaction.
  static func read(_ folder: DataFolder) throws -> LedgerComparison {
    let location = try LedgerCommand.location(of: folder)
    do throws(LedgerError) {
      let ledger = try location.openForReading()
      return try ledger.snapshot { () throws(LedgerError) in
        LedgerComparison(
          head: try ledger.head(), genesis: ledger.genesis, balances: try ledger.balances(),
          folder: folder, location: location)
      }
    } catch {
      throw LedgerCommand.failure(error, location, of: folder)
    }
  }

  /// Prints whether ledger and replay agree.
  /// - Throws: Exit code 70 when they differ, 75 when the ledger only lacks batches.
  func compare(with replay: ReplayReport) throws {
    guard replay.begin <= head.last else {
      throw Failure.noInput.exit(
        "the ledger ends with command \(head.last.rawValue), before the oldest snapshot: its "
          + "balances there cannot be computed without the segments that were removed")
    }
    if let verdict = replay.batches?.verdict {
      throw Failure.checkFailed.exit("the ledger differs from the journal: \(verdict)")
    }
    if head.batch == 0 { print("ledger      empty") } else { try compareBalances(with: replay) }
    guard let batches = replay.batches, let missing = batches.missing else { return }
    let (settled, last, isSettling) = try wait(for: missing.upperBound)
    if let settled {
      guard settled.hash == batches.journal.hash else {
        throw Failure.checkFailed.exit(
          "the ledger differs from the journal: batch \(settled.id) has the hash "
            + "\(settled.hash.short), in the replay it has \(batches.journal.hash.short)")
      }
      print(
        "            batches through \(settled.id) were settled during the replay and agree with it"
      )
      return
    }
    if isSettling, last > head.batch {
      print(
        "            the server is settling: batches through \(last) of \(missing.upperBound) are "
          + "in the ledger")
      return
    }
    throw Failure.temporary.exit(
      "the ledger lacks batches \(missing.lowerBound) to \(missing.upperBound), which the journal "
        + "closes (through command \(batches.journal.last.rawValue)): "
        + (isSettling
          ? "the running server has settled none for 10 s; its log names the cause"
          : "the next start of the server settles them, or reports why it cannot"))
  }

  /// Waits until a batch is in the ledger, at most `progressTimeout` or `idleTimeout`.
  /// - Returns: The batch, `nil` when it is still missing; the number of the ledger's last batch;
  ///   whether a server has the ledger open for writing.
  private func wait(for batch: UInt64) throws -> (row: BatchRow?, last: UInt64, isSettling: Bool) {
    do throws(LedgerError) {
      let ledger = try location.openForReading()
      let since = ContinuousClock.now
      while true {
        // Read before the batches, so that those of a server that ends in between are still seen.
        let isSettling = try location.isWritten
        if let row = try ledger.row(ofBatch: batch) { return (row, row.id, isSettling) }
        let last = try ledger.head().batch
        let timeout = last > head.batch ? Self.progressTimeout : Self.idleTimeout
        guard isSettling, .now - since < timeout else { return (nil, last, isSettling) }
        usleep(50_000)
      }
    } catch {
      throw LedgerCommand.failure(error, location, of: folder)
    }
  }

  /// Balances in which the ledger differs from a replay that stopped at its last command.
  func differences(from replay: ReplayReport) -> [HoldingDifference] {
    LedgerBalance.differences(ledger: balances, engine: replay.holdings)
  }

  private func compareBalances(with replay: ReplayReport) throws {
    let differences = differences(from: replay)
    for difference in differences {
      let unit = difference.unit
      print(
        "DIFFERENT   \(difference.account.ledgerName), \(unit.name): ledger "
          + "\(unit.format(difference.ledger)), engine \(unit.format(difference.engine))")
    }
    if !differences.isEmpty { throw ExitCode(Failure.checkFailed.rawValue) }
    print("ledger      equals the engine after command \(head.last.rawValue)")
  }
}
