import ArgumentParser
import Foundation
import JoulebookServer
import MarketFile

/// `joulebook market`.
struct MarketCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "market",
    abstract: "Checks, compares and writes market files.",
    discussion: """
      A market file (YAML) lists areas, instruments, participants, sessions with their public keys, \
      accounts with caps, opening deposits and standing instructions, limits, and meters. A server makes what \
      is missing when it starts, and refuses to start where the market differs from the file:

        joulebook serve --data my-exchange --market village.yaml

      Examples/village.yaml explains every field; docs/RUNBOOK.md says what happens to each.

        joulebook market check village.yaml
        joulebook market diff village.yaml --data my-exchange
        joulebook market export --data my-exchange > village.yaml
      """,
    subcommands: [Check.self, Diff.self, Export.self])

  /// Reads a market file.
  /// - Throws: Exit code 78 after printing all its faults, 66 when it is missing.
  static func read(_ file: String) throws -> MarketDescription {
    guard FileManager.default.fileExists(atPath: file) else {
      throw Failure.noInput.exit("\(file) does not exist; name a market file")
    }
    do throws(ConfigurationError) {
      return try MarketDescription(file: file)
    } catch {
      throw Failure.configuration.exit("\(error)")
    }
  }

  /// Reads the market in a data folder.
  /// - Throws: The exit code of the error, after printing it.
  static func stored(_ data: String) throws -> StoredMarket {
    let folder = try dataFolder(data)
    do throws(StartError) {
      return try StoredMarket(folder)
    } catch {
      throw Failure(error).exit("\(error)")
    }
  }

  /// `joulebook market check`.
  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Checks a market file without a server.",
      discussion: """
        Reads the file, with the public keys that it names, and makes its market in memory. Prints \
        every fault with its line. What a file leaves out because the market has it already is a \
        fault here: `joulebook market diff` compares with a data folder.

          joulebook market check village.yaml
        """)
    @Argument(help: "Market file (YAML).", completion: .file()) var file: String

    func run() throws {
      let market = try MarketCommand.read(file)
      let faults = MarketTrial.faults(market)
      guard faults.isEmpty else {
        throw Failure.configuration.exit(faults.joined(separator: "\n"))
      }
      print("\(file): \(market.items.count) definitions, no fault")
    }
  }

  /// `joulebook market diff`.
  struct Diff: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Compares a market file with the market in a data folder.",
      discussion: """
        Reads the folder's journal up to its present end; a server may run beside it. Prints what a \
        start with the file makes (+), what differs (!), and what is not in the file (-). Deposits \
        are compared by account and place in the list, not by amount.

          joulebook market diff village.yaml --data my-exchange

        Exit code 70 when something differs or is missing.
        """)
    @Argument(help: "Market file (YAML).", completion: .file()) var file: String
    @Option(
      name: .long, help: "Data folder; joulebook-data unless given.", completion: .directory,
      transform: folderName)
    var data = "joulebook-data"

    func run() throws {
      let market = try MarketCommand.read(file)
      let stored = try MarketCommand.stored(data)
      let plan = stored.plan(market)
      var last: MarketItem?
      for step in plan.steps where step.item != last {
        print("+ \(market.place(of: step.item)): \(step.item)")
        last = step.item
      }
      for difference in plan.differences { print("! \(difference)") }
      for item in plan.unlisted { print("- \(item) is not in the file") }
      for note in plan.notes { print("  \(note)") }
      for remark in stored.description.remarks { print("  \(remark)") }
      if plan.isDone {
        print("\(data) has everything that \(file) defines")
      } else {
        throw ExitCode(Failure.checkFailed.rawValue)
      }
    }
  }

  /// `joulebook market export`.
  struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Writes the market in a data folder as a market file.",
      discussion: """
        Reads the folder's journal up to its present end; a server may run beside it. Deposits, \
        revoked sessions and meters without an account are left out, and so are limits of \
        participants' administrators, instructions that do not fit their instrument any more, and \
        participant 1 and session 1, which every first start makes. Everything is as it is now: \
        announced changes, and blocks in force, are comments at the head.

          joulebook market export --data my-exchange > village.yaml
        """)
    @Option(
      name: .long, help: "Data folder; joulebook-data unless given.", completion: .directory,
      transform: folderName)
    var data = "joulebook-data"

    func run() throws {
      print(try MarketCommand.stored(data).description.yaml, terminator: "")
    }
  }
}
