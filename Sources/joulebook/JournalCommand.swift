import ArgumentParser
import JoulebookServer
import Journaling
import MarketModel
import Presentation
import Wire

/// `joulebook journal`.
struct JournalCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "journal",
    abstract: "Reads, verifies, compares and prunes the journal of a data folder.",
    discussion: """
      verify, inspect, reading, export and diff may run while a server writes the journal: they stop at its \
      last complete block. prune needs a stopped server.

        joulebook journal verify my-exchange
        joulebook journal inspect my-exchange --from 100 --count 20
        joulebook journal reading my-exchange --meter 17 --at 2026-06-01T10:00:00Z
        joulebook journal export my-exchange > commands.csv
        joulebook journal diff my-exchange its-backup
        joulebook journal prune my-exchange --keep 50000000
      """,
    subcommands: [
      Inspect.self, Reading.self, Verify.self, Export.self, Difference.self, JournalPrune.self,
    ])

  /// Runs `body`.
  /// - Throws: The exit code of a journal error, after printing it.
  static func reading(_ body: () throws(JournalError) -> Void) throws {
    do throws(JournalError) {
      try body()
    } catch {
      throw Failure(error).exit("\(error)")
    }
  }

  /// The number of refused commands and their sequence numbers.
  static func list(_ refused: [RefusedCommand]) -> String {
    refused.isEmpty
      ? "none"
      : "\(refused.count): " + refused.map { "\($0.sequence.rawValue)" }.joined(separator: ", ")
  }

  /// `joulebook journal inspect`.
  struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Prints commands as text, one per line.",
      discussion: """
        A refused command (see docs/RUNBOOK.md) is marked with REFUSED.

          joulebook journal inspect my-exchange --from 100 --count 20
        """)
    @Argument(
      help: "Data folder; joulebook-data unless given.", completion: .directory,
      transform: folderName) var data =
      "joulebook-data"
    @Option(name: .long, help: "Sequence number of the first command.") var from: UInt64 = 1
    @Option(name: .long, help: "Most commands to print.") var count: UInt64 = 100

    func validate() throws {
      if from == 0 { throw ValidationError("--from: the first command has number 1.") }
    }

    func run() throws {
      let folder = try dataFolder(data).journal
      try JournalCommand.reading { () throws(JournalError) in
        let found = try Recovery.survey(folder)
        let end = found.lastSequence
        var reader = try JournalReader(
          directory: folder, from: SequenceNumber(from), asWritten: true)
        var left = count
        while left > 0, let command = try reader.next(through: end) {
          let isRefused = found.refused[command.sequence] != nil
          print(CommandText.line(command) + (isRefused ? " REFUSED" : ""))
          left -= 1
        }
      }
    }
  }

  /// `joulebook journal verify`.
  struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Checks the checksums, order and hash chain of all blocks, and the snapshots.",
      discussion: """
        Exit code 65 when the journal is damaged; the message names the place.

          joulebook journal verify my-exchange
        """)
    @Argument(
      help: "Data folder; joulebook-data unless given.", completion: .directory,
      transform: folderName) var data =
      "joulebook-data"

    func run() throws {
      let folder = try dataFolder(data).journal
      try JournalCommand.reading { () throws(JournalError) in
        var bar: ProgressBar?
        defer { bar?.clear() }
        let found = try Recovery.survey(folder) { done, segments in
          if bar == nil { bar = ProgressBar(total: UInt64(segments), unit: "segments") }
          bar?.show(UInt64(done))
        }
        bar?.clear()
        bar = nil
        let snapshots = try Snapshots.list(folder)
        for snapshot in snapshots { try SnapshotReader(snapshot.path).verify() }
        print("commands   \(found.lastSequence.rawValue) in \(found.blocks) blocks")
        if let newest = snapshots.first {
          print("snapshots  \(snapshots.count), the newest of command \(newest.sequence.rawValue)")
        }
        if !found.refused.entries.isEmpty {
          print("refused    \(JournalCommand.list(found.refused.entries))")
        }
        print(
          "end        \(found.isSealed ? "sealed" : "not sealed: the server is running or was killed")"
        )
        if let torn = found.tornTail {
          print(
            "torn tail  \(torn.bytes) bytes at \(torn.offset) of \(torn.path): never acknowledged")
        }
      }
    }
  }
}
