// Writes a long history of a busy market as a data folder, for measuring replay and recovery:
//
//     history --folder D --commands 100000000      appends commands to the journal in D
//     joulebook replay D                           prints commands per second, with all checks
//     joulebook snapshot D; history ... ; joulebook serve --data D      a start from snapshot and tail
//
// The flow: 50 % orders near the middle price, 45 % cancels, 5 % orders that trade; 1,000 accounts, 1,000
// instruments and about 200,000 open orders. It excludes sockets; blocks have the largest size.

import ArgumentParser
import ExchangeCore
import Glibc
import Journaling
import MarketModel

/// The `history` command.
@main
struct History: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Writes a long history of a market.")

  @Option(help: "Data folder; created if it does not exist.")
  var folder: String

  @Option(help: "Number of commands to append.")
  var commands = 10_000_000

  @Option(help: "Number of commands that the folder contains already; the flow continues after them.")
  var after = 0

  func run() throws {
    mkdir(folder, 0o750)
    mkdir(folder + "/journal", 0o750)
    let fixed = "capacity:\n  orders: \(Capacity.standard.orders)\n"
    if let file = fopen(folder + "/market.yaml", "w") {
      fputs(fixed, file)
      fclose(file)
    }
    let lock = try DirectoryLock(folder + "/journal")
    var journal = try JournalAppender(lock, Recovery.recover(lock))
    var market = BusyMarket()
    var written = 0
    while written < after + commands {
      let command = market.next()
      written += 1
      if written <= after { continue }
      if !journal.stage(command) {
        _ = try journal.commit()
        guard journal.stage(command) else { throw ExitCode(EX_SOFTWARE) }
      }
    }
    try journal.seal()
    print("\(journal.durable.rawValue) commands, \(market.openOrders) orders open")
  }
}
