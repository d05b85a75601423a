import ArgumentParser
import Foundation
import JoulebookServer
import Journaling
import MarketModel
import Settlement

/// `joulebook replay`.
struct Replay: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Applies a journal again and prints its hashes.",
    discussion: """
      The same commands give the same hashes, on any machine. With --ledger the balances of the ledger
      are compared with the replay's. A server may be running: it is read up to where it ends then.

        joulebook replay my-exchange
        joulebook replay my-exchange --ledger

      Exit code 70 when a checkpoint, a batch or a balance differs; 75 when the ledger lacks batches that
      the journal closes, and no server brings them.
      """)

  @Argument(help: "Data folder.", completion: .directory, transform: folderName)
  var data = "joulebook-data"
  @Flag(name: .long, help: "Compares the ledger too.")
  var ledger = false

  func run() throws {
    let folder = try dataFolder(data)
    let stored = ledger ? try LedgerComparison.read(folder) : nil
    let replay = try Self.replay(folder, against: stored)
    if replay.begin > .none {
      print("begin       the snapshot of command \(replay.begin.rawValue): older segments are gone")
    }
    print("commands    \(replay.commands)")
    if !replay.refused.isEmpty {
      print("refused     \(JournalCommand.list(replay.refused)): gone on without")
    }
    print("events      \(replay.events), \(replay.trades) trades")
    print(String(format: "chain       holds, checked in %.2f s", replay.examinationSeconds))
    print(String(format: "rate        %.0f commands/s", replay.commandsPerSecond))
    print("event hash  \(hexadecimal(replay.eventHash))")
    print("state hash  \(hexadecimal(replay.stateHash))")
    try Self.judge(replay)
    try stored?.compare(with: replay)
  }

  /// Ends with code 70 when the replay leaves the journaled history.
  static func judge(_ replay: ReplayReport) throws {
    if let mismatch = replay.mismatch {
      throw Failure.checkFailed.exit(
        "the replay differs from the checkpoint at command \(mismatch.rawValue): another version wrote it, "
          + "or the list of refused commands (journal/refused) was lost")
    }
  }

  /// Replays, and says in words what fails.
  /// - Parameter words: Before what fails.
  static func replay(
    _ folder: DataFolder, against ledger: LedgerComparison? = nil, words: String = ""
  ) throws -> ReplayReport {
    CrashHandler.install()
    do throws(StartError) {
      return try ReplayReport.run(folder, against: ledger.map { ($0.head, $0.genesis) })
    } catch {
      throw Failure(error).exit("\(words)\(error)")
    }
  }
}

/// A ledger's balances, to be held against a replay.
struct LedgerComparison {
  /// Where the ledger stood.
  let head: LedgerHead
  /// What it was made for.
  let genesis: LedgerGenesis
  private let balances: [LedgerBalance]
  private let folder: DataFolder
  private let location: LedgerLocation
  /// How long a server that settles may bring nothing before what the ledger lacks counts as lacking.
  private static let patience = Duration.seconds(10)
  /// How long one that brings batches is waited for: it may be far behind a busy market.
  private static let sight = Duration.seconds(1)

  /// Reads head and balances of the ledger of the exchange in `folder`.
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

  /// Prints whether all agrees; ends with code 70 when not, 75 when the ledger is only behind.
  func compare(with replay: ReplayReport) throws {
    guard replay.begin <= head.last else {
      throw Failure.noInput.exit(
        "the ledger ends with command \(head.last.rawValue), before the oldest snapshot: its "
          + "balances there cannot be computed without the segments that were removed")
    }
    if let verdict = replay.batches?.verdict {
      throw Failure.checkFailed.exit("the ledger is not what the journal says: \(verdict)")
    }
    if head.batch == 0 { print("ledger      empty") } else { try compareBalances(with: replay) }
    guard let batches = replay.batches, let missing = batches.missing else { return }
    let (brought, last, isSettling) = try wait(for: missing.upperBound)
    if let brought {
      guard brought.hash == batches.journal.hash else {
        throw Failure.checkFailed.exit(
          "the ledger is not what the journal says: batch \(brought.id) has the hash "
            + "\(brought.hash.short), the journal makes \(batches.journal.hash.short)")
      }
      print("            batches through \(brought.id) came meanwhile, as the journal makes them")
      return
    }
    if isSettling, last > head.batch {
      print(
        "            the server brings the rest: batches through \(last) came meanwhile, the journal closes "
          + "\(missing.upperBound)")
      return
    }
    throw Failure.temporary.exit(
      "the ledger lacks batches \(missing.lowerBound) to \(missing.upperBound), which the journal closes "
        + "(through command \(batches.journal.last.rawValue)): "
        + (isSettling
          ? "the server that settles here has brought none for 10 s; its log says why"
          : "a server that starts here brings them to it, or says why not"))
  }

  /// Waits for a batch, not for long when a server is seen to bring any.
  /// - Returns: the batch, `nil` when it does not come; the ledger's last, and whether a server settles here.
  private func wait(for batch: UInt64) throws -> (row: BatchRow?, last: UInt64, isSettling: Bool) {
    do throws(LedgerError) {
      let ledger = try location.openForReading()
      let since = ContinuousClock.now
      while true {
        // Asked before the ledger: what a server brought that ends meanwhile is seen.
        let isSettling = try location.isWritten
        if let row = try ledger.row(ofBatch: batch) { return (row, row.id, isSettling) }
        let last = try ledger.head().batch
        let patience = last > head.batch ? Self.sight : Self.patience
        guard isSettling, .now - since < patience else { return (nil, last, isSettling) }
        usleep(50_000)
      }
    } catch {
      throw LedgerCommand.failure(error, location, of: folder)
    }
  }

  private func compareBalances(with replay: ReplayReport) throws {
    let differences = LedgerBalance.differences(ledger: balances, engine: replay.holdings)
    for difference in differences {
      let unit = difference.unit
      print(
        "DIFFERENT   \(difference.account.ledgerName), \(unit.name): ledger "
          + "\(unit.format(difference.ledger)), engine \(unit.format(difference.engine))")
    }
    if !differences.isEmpty { throw ExitCode(Failure.checkFailed.rawValue) }
    print("ledger      equals the engine behind command \(head.last.rawValue)")
  }
}
