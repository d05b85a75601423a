// `joulebook settle`: settlement as a process of its own.

import ArgumentParser
import Foundation
import JoulebookServer
import Journaling
import Logging

/// `joulebook settle`.
struct Settle: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Brings the journal of a server to the ledger, as a process of its own.",
    discussion: """
      The server runs with `settler: process` and has no password of the ledger; this process has it. \
      It settles what is durable, and the server journals which batches are in the ledger. Both may be \
      stopped and started in any order: the journal is the backlog.

        joulebook serve --data my-exchange --set ledger=postgresql://db.example/books \
          --set settler=process
        PGPASSFILE=/etc/joulebook/pgpass joulebook settle --data my-exchange

      It ends with SIGTERM or SIGINT and exit code 0; with 70 when settlement needs an operator, 78 when \
      the folder has no exchange or another process settles it.
      """)

  @Option(
    name: .long, help: "Data folder; joulebook-data unless given.", completion: .directory,
    transform: folderName)
  var data = "joulebook-data"

  @Flag(name: .long, help: "Also fill the history of accounts, with which statements are fast.")
  var history = false

  func run() throws {
    SignalWatch.arm()
    CrashHandler.install()
    let threshold = LogThreshold(.info)
    LoggingSystem.bootstrap { AdjustableLog($0, threshold) }
    let log = Logger(label: "joulebook")
    let folder = try dataFolder(data)
    let outcome: SettlingProcess.Outcome
    do throws(ConfigurationError) {
      let process = try SettlingProcess(folder, fillsHistory: history, log: log)
      _ = SignalWatch.start(
        stop: { _ in
          ServiceManager.notify("STOPPING=1\nSTATUS=stopping")
          process.stop()
        }, reload: {})
      print("settling \(folder.path) into \(process.location)")
      fflush(nil)
      ServiceManager.notify("READY=1\nSTATUS=settling into \(process.location)")
      outcome = try process.run()
    } catch {
      throw Failure.configuration.exit("\(error)")
    }
    if outcome == .halted {
      throw Failure.checkFailed.exit(
        "settlement has stopped: the log line with ALARM names the fault, and docs/RUNBOOK.md the remedy"
      )
    }
  }
}
