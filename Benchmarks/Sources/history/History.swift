// Writes a long history of a busy market as a data folder, for measuring replay and recovery:
//
//     history --folder D --commands 100000000      commands 1 ... N, appended to what is there
//     joulebook replay D                           commands a second, with every check
//     joulebook snapshot D; history ... ; joulebook serve --data D      a start from snapshot and tail
//
// The flow: 50 % orders near the middle, 45 % cancels of one's own, 5 % orders that trade; 1,000 accounts,
// 1,000 instruments, some 200,000 orders open. It excludes sockets; blocks are as large as they can be.

import ArgumentParser
import ExchangeCore
import Glibc
import Journaling
import MarketModel

/// Writes a history.
@main
struct History: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Writes a long history of a market.")

  @Option(help: "The data folder; made when it is not there.")
  var folder: String

  @Option(help: "Commands to append.")
  var commands = 10_000_000

  @Option(help: "Goes on with the flow from here; the commands that the folder has already.")
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
