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
    abstract: "Makes a snapshot of a stopped exchange, so that its next start need not read all.",
    discussion: """
      A running server makes its own: see snapshot.commands and snapshot.minutes of its configuration.

        joulebook snapshot my-exchange
        joulebook snapshot my-exchange --at 90000000
      """)

  @Argument(help: "Data folder.", completion: .directory, transform: folderName)
  var data = "joulebook-data"
  @Option(name: .long, help: "The last command in it; the journal's last unless told.")
  var at: UInt64?

  func run() throws {
    CrashHandler.install()
    let folder = try dataFolder(data)
    var bar: ProgressBar?
    do throws(StartError) {
      let made = try folder.makeSnapshot(
        at: at.map { SequenceNumber($0) }, log: Self.log
      ) { done, end in
        if bar == nil { bar = ProgressBar(total: end.rawValue) }
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
    abstract: "Removes segments that snapshots make superfluous. The server must not be running.",
    discussion: """
      A segment goes when every command in it is in each snapshot that stays, those are read whole once
      more, every settlement batch in the oldest of them is confirmed, and none of the last --keep
      commands is in it: reports of older commands cannot be asked for again. Nothing else is removed.

        joulebook journal prune my-exchange --keep 50000000 --dry-run
      """)

  @Argument(help: "Data folder.", completion: .directory, transform: folderName) var data =
    "joulebook-data"
  @Option(name: .long, help: "Commands whose segments stay in any case.") var keep: UInt64
  @Option(name: .long, help: "Snapshots that stay.") var snapshots = 2
  @Flag(name: .long, help: "Only says what would be removed.") var dryRun = false

  func validate() throws {
    if snapshots < 1 { throw ValidationError("At least one snapshot stays.") }
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
