import AccountHistory
import ArgumentParser
import JoulebookServer
import MarketFile
import MarketModel
import Settlement

/// `joulebook ledger`.
struct LedgerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ledger",
    abstract: "Reads and verifies the ledger, also while a server writes to it.",
    discussion: """
        joulebook ledger balances
        joulebook ledger statement 17 --from 2016-06-06 --to 2016-06-13
        joulebook ledger trades --account 17 --from 2026-11-01 --to 2026-11-02
        joulebook ledger export > transfers.csv
        joulebook ledger verify
      """,
    subcommands: [
      Balances.self, Statement.self, Trades.self, Export.self, Notes.self, Index.self, Verify.self,
    ])

  /// Options that name a ledger.
  struct SourceOptions: ParsableArguments {
    @Option(
      name: .long, help: "Data folder; joulebook-data unless given.", completion: .directory,
      transform: folderName)
    var data = "joulebook-data"

    /// Opens the ledger read-only, passes it to `body` and closes it.
    /// - Throws: The exit code of a ledger error, after printing it.
    func read(_ body: (any Ledger) throws(LedgerError) -> Void) throws {
      let folder = try dataFolder(data)
      let location = try LedgerCommand.location(of: folder)
      do throws(LedgerError) {
        let ledger = try location.openForReading()
        try body(ledger)
        try ledger.close()
      } catch {
        throw LedgerCommand.failure(error, location, of: folder)
      }
    }
  }

  /// The location of the ledger, which the first start wrote to market.yaml in `folder`.
  /// - Throws: Exit code 78 when market.yaml cannot be read.
  static func location(of folder: DataFolder) throws -> LedgerLocation {
    do throws(ConfigurationError) {
      return try folder.ledger()
    } catch {
      throw Failure.configuration.exit("\(error)")
    }
  }

  /// Why a folder is none of an exchange; `nil` when it is one.
  private static func missing(_ folder: DataFolder) -> String? {
    do throws(ConfigurationError) {
      _ = try folder.fixedMarket()
      return nil
    } catch {
      return "\(error)"
    }
  }

  /// The exit code for a ledger error, after printing it: 69 when the ledger cannot be reached, 65
  /// when its content is wrong, 78 when the folder has no exchange at all.
  static func failure(
    _ error: LedgerError, _ location: LedgerLocation, of folder: DataFolder
  ) -> ExitCode {
    // A mistyped folder has no ledger because it has nothing.
    if case .unavailable = error, let fault = missing(folder) {
      return Failure.configuration.exit(fault)
    }
    return switch error {
    case .unavailable, .ambiguous:
      Failure.unavailable.exit(
        "\(error). The data folder is \(folder.path) (--data), its ledger \(location)")
    case .inUse, .incompatible, .corrupt, .contentRejected, .chainMismatch, .outOfOrder:
      Failure.badData.exit("\(error)")
    }
  }
}

extension LedgerCommand {
  /// `joulebook ledger balances`.
  struct Balances: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Prints the balances of all accounts.",
      discussion: """
        Energy is in kWh, cash in units of its currency. With --owing, the accounts of participants \
        whose cash is below zero, with the names that `joulebook people` has.

          joulebook ledger balances --data my-exchange --account 17
          joulebook ledger balances --owing
        """)
    @OptionGroup var source: SourceOptions
    @Option(name: .long, help: "Only the balances of this account.") var account: AccountId?
    @Flag(name: .long, help: "Only who owes, how much, with names.") var owing = false

    func run() throws {
      let people = owing ? try LedgerCommand.people(in: source.data) : [:]
      try source.read { ledger throws(LedgerError) in
        // Printed after the transaction ends: a slow reader of the output must not keep the
        // database's write-ahead log from being truncated.
        let (balances, extent) = try ledger.snapshot { () throws(LedgerError) in
          (
            try ledger.balances().filter { account == nil || $0.account == account },
            try StatementText.extent(of: ledger, through: ledger.head())
          )
        }
        let table =
          owing
          ? StatementText.debts(balances) { (people[$0]?.values[.name] ?? "").printable }
          : StatementText.table(balances)
        print(table + extent)
      }
    }
  }

  /// `joulebook ledger statement`.
  struct Statement: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Prints the bill of an account, or all its entries as a table or CSV.",
      discussion: """
        Times are in UTC unless they have an offset. The period includes --from and excludes --to. A \
        bill goes by what was metered in the period, however late it came, with corrections and missing \
        intervals; table and CSV have what was booked in it. A bill begins with the name \
        and address that `joulebook people` has for the account; with --tariff it shows the network's \
        part of the imports, and adds the tariff's charges.

          joulebook ledger statement 17 --from 2016-06-06 --to 2016-06-13T00:00:00Z
          joulebook ledger statement 17 --from 2026-10-01T00:00+02:00 --to 2026-11-01T00:00+01:00 \
            --tariff village-tariff.yaml
        """)

    /// The form of the output.
    enum Format: String, ExpressibleByArgument, CaseIterable { case bill, table, csv }

    @OptionGroup var source: SourceOptions
    @Argument(help: "Account number.") var account: AccountId
    @Option(
      name: .long, help: "Begin of the period; the first entry unless given.",
      transform: Typed.time)
    var from: Timestamp?
    @Option(
      name: .long, help: "End of the period; the last entry unless given.", transform: Typed.time)
    var to: Timestamp?
    @Option(name: .long, help: "bill, table or csv.") var format = Format.bill
    @Option(
      name: .long, help: "Tariff file (YAML) of the bill; needs --from and --to.",
      completion: .file())
    var tariff: String?

    func validate() throws {
      if let from, let to, to < from { throw ValidationError("--to is before --from.") }
      if tariff != nil, format != .bill || from == nil || to == nil {
        throw ValidationError("--tariff is for a bill with --from and --to.")
      }
    }

    func run() throws {
      let tariff = try tariff.map { try TariffCommand.read($0) }
      let people = format == .bill ? try LedgerCommand.people(in: source.data) : [:]
      var missing = false
      try source.read { ledger throws(LedgerError) in
        let period = (from ?? Timestamp(nanoseconds: 0))..<(to ?? .never)
        let ledger = try source.indexed(ledger)
        let (statement, extent) = try ledger.snapshot { () throws(LedgerError) in
          (
            try AccountStatement.make(
              from: ledger, account: account, period: period,
              terms: tariff?.terms(in: period)),
            try StatementText.extent(of: ledger, through: ledger.head())
          )
        }
        if statement.entries.isEmpty, statement.bills.isEmpty, !isKnown() {
          missing = true
          return
        }
        switch format {
        case .bill:
          let heading = LedgerCommand.heading(people[account])
          print(heading + StatementText.bill(statement) + "\n" + extent)
        case .table: print(StatementText.table(statement) + extent)
        case .csv:
          // The extent goes to standard error, because standard output contains only CSV records.
          print(StatementText.csv(statement), terminator: "")
          printError(extent)
        }
      }
      if missing {
        throw Failure.noInput.exit(
          "there is no account \(account.rawValue); `joulebook ledger balances` lists those with "
            + "entries")
      }
    }

    /// Whether the account exists or has ever existed; asked only of one without entries, because it
    /// reads the journal. `true` where that cannot be read, as for a copy of the ledger alone.
    private func isKnown() -> Bool {
      if account.isHouse { return true }
      do throws(StartError) {
        let market = try StoredMarket(DataFolder(source.data))
        return market.description.items.contains(.account(account))
      } catch {
        return true
      }
    }
  }

  /// `joulebook ledger export`.
  struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Prints all transfers as CSV, batch by batch.",
      discussion: """
          joulebook ledger export --data my-exchange > transfers.csv
        """)
    @OptionGroup var source: SourceOptions

    func run() throws {
      try source.read { ledger throws(LedgerError) in
        print(
          "transfer,batch,time,sequence,code,reference,debit,credit,unit,amount,local,version\r")
        let head = try ledger.head()
        for id in 1..<(head.batch + 1) {
          guard let row = try ledger.row(ofBatch: id) else { continue }
          for transfer in try ledger.transfers(in: row) { print(Self.line(transfer) + "\r") }
        }
        printError(try StatementText.extent(of: ledger, through: head))
      }
    }

    private static func line(_ transfer: LedgerTransfer) -> String {
      [
        "\(transfer.id)", "\(transfer.batch)", transfer.time.iso8601,
        "\(transfer.tradeSequence.rawValue)", "\(transfer.code)", "\(transfer.reference)",
        transfer.debit.ledgerName, transfer.credit.ledgerName, transfer.unit.name,
        transfer.unit.format(transfer.amount), transfer.flags.contains(.local) ? "yes" : "no",
        transfer.flags.version,
      ].joined(separator: ",")
    }
  }

  /// `joulebook ledger notes`.
  struct Notes: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Prints as CSV what clients said about an order, or about an account's orders.",
      discussion: """
        A note comes with an order or a replace; trades of the order are in the account's statement.

          joulebook ledger notes --account 17
          joulebook ledger notes --order 4294967297
        """)
    @OptionGroup var source: SourceOptions
    @Option(name: .long, help: "Account number.") var account: AccountId?
    @Option(name: .long, help: "The exchange's number of the order.") var order: UInt64?

    func validate() throws {
      if (account == nil) == (order == nil) {
        throw ValidationError("Give either --account or --order.")
      }
    }

    func run() throws {
      let subject: NoteSubject =
        if let order { .order(OrderId(order)) } else { .account(account ?? .null) }
      try source.read { ledger throws(LedgerError) in
        print("time,sequence,account,order,clientOrderId,note\r")
        for note in try ledger.notes(about: subject) { print(Self.line(note) + "\r") }
      }
    }

    private static func line(_ note: LedgerNote) -> String {
      [
        note.time.iso8601, "\(note.sequence.rawValue)", "\(note.account.rawValue)",
        "\(note.order.rawValue)", "\(note.clientOrderId.rawValue)",
        "\"" + note.text.text.printable.replacing("\"", with: "\"\"") + "\"",
      ].joined(separator: ",")
    }
  }

  /// `joulebook ledger verify`.
  struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Verifies the ledger by itself and against a replay of the journal.",
      discussion: """
        Recomputes the hash chain, the double entry and the balances, replays the journal and \
        compares. May run beside a server: the journal is read up to its present end, and batches \
        that the server is still settling are waited for. Exit code 0 when all agrees; 70 when \
        anything differs; 75 when the ledger lacks batches that the journal closes and no server \
        is settling.

          joulebook ledger verify --data my-exchange
        """)
    @OptionGroup var source: SourceOptions

    func run() throws {
      var problems: [String] = []
      try source.read { ledger throws(LedgerError) in
        let found = try LedgerVerification.run(on: ledger)
        print("batches    \(found.head.batch), hash \(found.head.hash.short)")
        print("transfers  \(found.transfers), in \(found.balances.count) balances")
        for area in found.energy {
          print("area \(area.area.rawValue)     energy \(area.isConserved ? "conserved" : "LOST")")
        }
        print("extent     \(try StatementText.extent(of: ledger, through: found.head))")
        problems = found.problems.map(\.description)
      }
      for problem in problems { print("PROBLEM    \(problem)") }
      if !problems.isEmpty { throw ExitCode(Failure.checkFailed.rawValue) }
      let stored = try LedgerComparison.read(DataFolder(source.data))
      let replay = try Replay.replay(
        DataFolder(source.data), against: stored,
        words: "the ledger is consistent, but the journal cannot be compared with it: ")
      try Replay.checkCheckpoints(replay)
      try stored.compare(with: replay)
    }
  }
}
