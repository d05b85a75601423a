import ArgumentParser
import MarketFile
import MarketModel
import Settlement

extension LedgerCommand {
  /// `joulebook ledger trades`.
  struct Trades: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Prints the trades of a period as CSV, a line for each side.",
      discussion: """
        Without --account both sides of all trades; with one or several, their sides. Times are in \
        UTC. The period includes --from and excludes --to. Energy is in kWh, cash in units of its \
        currency; a fee below zero was received. Local are trades that a meter reading made without an order. The ledger knows accounts, not participants: \
        `joulebook admin list trades --participant 2` asks a running server.

          joulebook ledger trades --from 2026-11-01 --to 2026-11-02
          joulebook ledger trades --account 17 --account 18 --data my-exchange
        """)
    @OptionGroup var source: SourceOptions
    @Option(name: .long, help: "Only sides of this account; may be given several times.")
    var account: [AccountId] = []
    @Option(
      name: .long, help: "Begin of the period; the first trade unless given.",
      transform: Typed.time)
    var from: Timestamp?
    @Option(
      name: .long, help: "End of the period; the last trade unless given.", transform: Typed.time)
    var to: Timestamp?

    /// Sides of a page, each of which is read in a transaction of its own: a reader of the output
    /// may be slow.
    private static var sidesOfPage: Int { 4_096 }

    func validate() throws {
      if let from, let to, to < from { throw ValidationError("--to is before --from.") }
    }

    func run() throws {
      let accounts = Set(account)
      try source.read { ledger throws(LedgerError) in
        // Trades that are settled while pages are read are in none of them.
        let head = try ledger.head()
        let extent = try StatementText.extent(of: ledger, through: head)
        var query = TradesQuery(
          (from ?? Timestamp(nanoseconds: 0))..<(to ?? .never), count: Self.sidesOfPage,
          through: head.last)
        print(ListTable.tradeColumns.joined(separator: ",") + "\r")
        repeat {
          let page = try ledger.trades(query)
          for (_, side) in page.sides where accounts.isEmpty || accounts.contains(side.account) {
            print(ListTable.cells(side).map(\.csv).joined(separator: ",") + "\r")
          }
          query.cursor = page.next
        } while query.cursor != 0
        // Standard output contains only CSV records.
        printError(extent)
      }
    }
  }
}
