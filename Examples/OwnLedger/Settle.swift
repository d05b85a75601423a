// `own-ledger`: settles the journal of an exchange that is not running into a ledger of one's own.
// A second run continues behind what the ledger has.

import ArgumentParser
import ExchangeCore
import JoulebookServer
import Journaling
import MarketModel
import Settlement

@main
struct OwnLedger: ParsableCommand {
  @Option(help: "Data folder of an exchange.") var data: String
  @Option(help: "The ledger's file.") var ledger: String

  func run() throws {
    let folder = DataFolder(data)
    // A replay gives the same events only with the capacity and the batch rules of the first start.
    let market = try folder.fixedMarket()
    let ledger = try HledgerLedger(
      path: ledger, genesis: LedgerGenesis(rules: market.settlement))
    for note in ledger.notes { print("note      \(note)") }
    var exchange = Exchange(capacity: market.capacity)
    var reference = ReferenceData()
    var settler = try Settler(ledger)
    var reader = try JournalReader(directory: folder.journal)
    while let command = try reader.next() {
      for event in exchange.execute(command) {
        reference.note(event, at: command.time)
        settler.take(event, sequence: command.sequence, time: command.time, reference)
      }
      // A server journals the confirmation that this returns, and waits where this stops.
      _ = settler.endCommand(command)
      if settler.condition != .following { throw ValidationError("\(settler.condition)") }
    }
    if case .ahead = settler.reconcile() { throw ValidationError("\(settler.condition)") }
    let (head, start) = (settler.ledgerHead, settler.headAtStart)
    print("batches   \(head.batch), of them \(head.batch - start.batch) new")
    print("transfers \(head.transfers), through command \(head.last.rawValue)")
    let problems = try LedgerVerification.run(on: ledger).problems
    for problem in problems { print("PROBLEM   \(problem)") }
    let holdings = exchange.allBalances().flatMap(EngineHolding.both)
    let differences = LedgerBalance.differences(ledger: try ledger.balances(), engine: holdings)
    // With a batch still open the engine is ahead of the ledger.
    let open = settler.due == nil ? "" : ", because a batch is open"
    print("balances  \(differences.count) differ from the engine\(open)")
    guard problems.isEmpty, !open.isEmpty || differences.isEmpty else { throw ExitCode.failure }
  }
}
