// `joulebook ledger index`, and the use of what it makes.

import AccountHistory
import ArgumentParser
import Foundation
import JoulebookServer
import MarketModel
import Settlement

extension LedgerCommand.SourceOptions {
  /// The ledger with the history of accounts in the data folder; the ledger alone when there is
  /// none, or it cannot be used, which a line on standard error says.
  func indexed(_ ledger: any Ledger) throws(LedgerError) -> any Ledger {
    let path = DataFolder(data).history
    guard FileManager.default.fileExists(atPath: path) else { return ledger }
    do throws(LedgerError) {
      if let indexed = try IndexedLedger(ledger, AccountHistory(readingFrom: path)) {
        return indexed
      }
      printError(
        "\(path) is the history of another ledger and was not used; `ledger index` fills it anew")
    } catch {
      printError("the history of accounts was not used: \(error)")
    }
    return ledger
  }
}

extension LedgerCommand {
  /// `joulebook ledger index`.
  struct Index: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract:
        "Fills the history of accounts, with which statements need not read the whole ledger.",
      discussion: """
        The history is the file history.sqlite in the data folder. It follows the ledger in chunks of \
        25,000 transfers; a statement reads what came after from the ledger. It may be removed at any \
        time. May run beside a server; two runs wait for each other.

          joulebook ledger index --data my-exchange
          joulebook ledger index --data my-exchange --follow
        """)
    @OptionGroup var source: SourceOptions
    @Flag(name: .long, help: "Go on: look for new batches every second until the process is ended.")
    var follow = false

    func run() throws {
      let path = DataFolder(source.data).history
      repeat {
        try source.read { ledger throws(LedgerError) in
          let history = try AccountHistory(path: path)
          let start = ContinuousClock.now
          var lines = 0
          while true {
            let added = try history.fill(from: ledger)
            if added == 0 { break }
            lines += added
          }
          if lines == 0, follow { return }
          let (extent, head) = (try history.extent(), try ledger.head())
          let seconds = Double((ContinuousClock.now - start) / .nanoseconds(1)) / 1e9
          print(
            "\(lines) lines in \(String(format: "%.2f", seconds)) s; through batch \(extent.batch) of "
              + "\(head.batch), \(head.transfers - extent.transfer) transfers behind")
          fflush(nil)
        }
        if follow { sleep(1) }
      } while follow
    }
  }
}
