import ArgumentParser
import JoulebookServer
import Journaling
import Logging
import MarketModel
import Presentation

/// `joulebook snapshot`.
struct SnapshotCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "snapshot",
    abstract: "Makes a snapshot of a stopped exchange, which shortens its next start.",
    discussion: """
      A running server makes snapshots by itself: see snapshot.commands and snapshot.minutes of \
      its configuration.

        joulebook snapshot my-exchange
        joulebook snapshot my-exchange --at 90000000
      """)

  @Argument(
    help: "Data folder; joulebook-data unless given.", completion: .directory, transform: folderName
  )
  var data = "joulebook-data"
  @Option(name: .long, help: "Last command in the snapshot; the last of the journal unless given.")
  var at: UInt64?

  func run() throws {
    CrashHandler.install()
    let folder = try dataFolder(data)
    var bar: ProgressBar?
    do throws(StartError) {
      let made = try folder.makeSnapshot(
        at: at.map { SequenceNumber($0) }, log: Self.log
      ) { done, end in
        if bar == nil { bar = ProgressBar(total: end.rawValue, unit: "commands") }
        bar?.show(done.rawValue)
      }
      bar?.clear()
      print("snapshot   command \(made.sequence.rawValue)\(made.isNew ? "" : ", made before")")
    } catch {
      bar?.clear()
      throw Failure(error).exit("\(error)")
    }
  }

  private static var log: Logger {
    Logger(label: "joulebook") { StreamLogHandler.standardError(label: $0) }
  }
}

/// `joulebook journal prune`.
struct JournalPrune: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prune",
    abstract: "Removes segments that snapshots replace. The server must not be running.",
    discussion: """
      A segment is removed when all of its commands are in every remaining snapshot, those \
      snapshots are verified, the ledger has all batches of the oldest of them, and the segment \
      has none of the last --keep commands. Clients cannot request retransmission of reports on \
      removed commands. Older snapshots are removed too.

        joulebook journal prune my-exchange --keep 50000000 --dry-run
      """)

  @Argument(
    help: "Data folder; joulebook-data unless given.", completion: .directory, transform: folderName
  ) var data =
    "joulebook-data"
  @Option(name: .long, help: "Number of last commands whose segments stay.") var keep: UInt64
  @Option(name: .long, help: "Number of newest snapshots that stay, 1 or more.") var snapshots = 2
  @Flag(name: .long, help: "Only print what would be removed.") var dryRun = false

  func validate() throws {
    if snapshots < 1 { throw ValidationError("--snapshots must be at least 1") }
  }

  func run() throws {
    let folder = try dataFolder(data)
    do throws(StartError) {
      let pruned = try folder.prune(keep: snapshots, commands: keep, isDry: dryRun)
      for path in pruned.segments + pruned.snapshots { print(path) }
      let verb = dryRun ? "would be removed" : "removed"
      print("\(pruned.segments.count) segments, \(pruned.snapshots.count) snapshots \(verb)")
    } catch {
      throw Failure(error).exit("\(error)")
    }
  }
}
