import ArgumentParser
import JoulebookServer
import MarketModel
import Settlement

/// `joulebook ledger`.
struct LedgerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ledger",
    abstract: "Reads the book of record, also while a server writes to it.",
    discussion: """
        joulebook ledger balances
        joulebook ledger statement 17 --from 2016-06-06 --to 2016-06-13
        joulebook ledger export > transfers.csv
        joulebook ledger verify
      """,
    subcommands: [Balances.self, Statement.self, Export.self, Verify.self])

  /// Which ledger.
  struct Place: ParsableArguments {
    @Option(name: .long, help: "Data folder.", completion: .directory, transform: folderName)
    var data = "joulebook-data"

    /// Opens the ledger to read, hands it to `body` and says in words what fails.
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

  /// Where the ledger is of the exchange in `folder`, as its server has it.
  /// - Throws: exit code 78 when what the first start fixed cannot be read.
  static func location(of folder: DataFolder) throws -> LedgerLocation {
    do throws(ConfigurationError) {
      return try folder.ledger()
    } catch {
      throw Failure.configuration.exit("\(error)")
    }
  }

  /// What a command ends with that cannot read a ledger.
  static func failure(
    _ error: LedgerError, _ location: LedgerLocation, of folder: DataFolder
  ) -> ExitCode {
    switch error {
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
    static let configuration = CommandConfiguration(abstract: "Prints every balance.")
    @OptionGroup var place: Place
    @Option(name: .long, help: "Only this account.") var account: AccountId?

    func run() throws {
      try place.read { ledger throws(LedgerError) in
        // Printed behind the transaction: whoever reads slowly keeps no log.
        let (balances, extent) = try ledger.snapshot { () throws(LedgerError) in
          (
            try ledger.balances().filter { account == nil || $0.account == account },
            try StatementText.extent(of: ledger, through: ledger.head())
          )
        }
        print(StatementText.table(balances) + extent)
      }
    }
  }

  /// `joulebook ledger statement`.
  struct Statement: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Prints an account's bill, or every entry as a table or CSV.",
      discussion: """
        Times are UTC, --to is exclusive:
          joulebook ledger statement 17 --from 2016-06-06 --to 2016-06-13T00:00:00Z
        """)

    /// How it is printed.
    enum Format: String, ExpressibleByArgument, CaseIterable { case bill, table, csv }

    @OptionGroup var place: Place
    @Argument(help: "Account number.") var account: AccountId
    @Option(name: .long, help: "From when; the beginning unless given.") var from: Timestamp?
    @Option(name: .long, help: "Until when; now unless given.") var to: Timestamp?
    @Option(name: .long, help: "bill, table or csv.") var format = Format.bill

    func validate() throws {
      if let from, let to, to < from { throw ValidationError("--to is before --from.") }
    }

    func run() throws {
      try place.read { ledger throws(LedgerError) in
        let period = (from ?? Timestamp(nanoseconds: 0))..<(to ?? .never)
        let (statement, extent) = try ledger.snapshot { () throws(LedgerError) in
          (
            try AccountStatement.make(from: ledger, account: account, period: period),
            try StatementText.extent(of: ledger, through: ledger.head())
          )
        }
        switch format {
        case .bill: print(StatementText.bill(statement) + "\n" + extent)
        case .table: print(StatementText.table(statement) + extent)
        case .csv:
          // A line that is no record would spoil the file.
          print(StatementText.csv(statement), terminator: "")
          printError(extent)
        }
      }
    }
  }

  /// `joulebook ledger export`.
  struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Prints every transfer as CSV, batch by batch.")
    @OptionGroup var place: Place

    func run() throws {
      try place.read { ledger throws(LedgerError) in
        print("transfer,batch,time,sequence,code,reference,debit,credit,unit,amount\r")
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
        transfer.unit.format(transfer.amount),
      ].joined(separator: ",")
    }
  }

  /// `joulebook ledger verify`.
  struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Recomputes hash chain, double entry and balances, and compares with a replay.",
      discussion: """
        Also beside a running server: the journal is read up to where it ends then, and batches that the
        server is still bringing are waited for. Exit code 0 when all agrees, 70 when anything differs, 75
        when the ledger lacks batches that the journal closes, and no server brings them.
        """)
    @OptionGroup var place: Place

    func run() throws {
      var problems: [String] = []
      try place.read { ledger throws(LedgerError) in
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
      let stored = try LedgerComparison.read(DataFolder(place.data))
      let replay = try Replay.replay(
        DataFolder(place.data), against: stored,
        words: "the ledger agrees with itself, but the journal cannot be compared with it: ")
      try Replay.judge(replay)
      try stored.compare(with: replay)
    }
  }
}
