import ArgumentParser
import JoulebookServer
import MarketModel
import People

/// `joulebook people`.
struct PeopleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "people",
    abstract: "Keeps names and addresses of persons, by account.",
    discussion: """
      The exchange knows accounts and labels of 16 ASCII characters. Names and addresses stand in \
      people.sqlite of the data folder, to which only its owner has access, and which no server \
      opens. Nothing of it goes to the journal or the ledger, so it can be erased.

        joulebook people set 10 --name "Müller, Anna" --street "Am Bach 3" --city Bern
        joulebook people show 10
        joulebook people import customers.csv
        joulebook people list --csv > customers.csv
        joulebook people erase 10
      """,
    subcommands: [Set.self, Show.self, List.self, Import.self, Erase.self])

  /// The option that names the data folder.
  struct Source: ParsableArguments {
    @Option(
      name: .long, help: "Data folder; joulebook-data unless given.", completion: .directory,
      transform: folderName)
    var data = "joulebook-data"

    /// Opens the file of persons and passes it to `body`.
    /// - Returns: `nil` for reading when there is no file.
    /// - Throws: The exit code of an error, after printing it.
    func open<Value>(
      isRead: Bool, _ body: (PeopleFile) throws(PeopleError) -> Value
    ) throws -> Value? {
      do throws(PeopleError) {
        guard let file = try PeopleFile(folder: data, isRead: isRead) else { return nil }
        return try body(file)
      } catch {
        throw PeopleCommand.exit(error)
      }
    }
  }

  /// The exit code for an error, after printing it.
  static func exit(_ error: PeopleError) -> ExitCode {
    let failure: Failure =
      switch error.kind {
      case .value: .usage
      case .missing: .noInput
      case .file: .io
      case .busy: .temporary
      }
    return failure.exit("\(error)")
  }

  /// Parses the number of a participant's account.
  static func account(_ text: String) throws -> AccountId {
    guard let number = UInt32(text), number > 0, !AccountId(number).isHouse else {
      throw ValidationError("write the number of an account, such as 10")
    }
    return AccountId(number)
  }

  /// `joulebook people set`.
  struct Set: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Notes the name and address of an account's person.",
      discussion: """
        Fields that are not given stay; an empty text clears one.

          joulebook people set 10 --name "Müller, Anna" --email anna@example.org
          joulebook people set 10 --phone ""
        """)
    @OptionGroup var source: Source
    @Argument(help: "Account number.", transform: PeopleCommand.account) var account: AccountId
    @Option(name: .long, help: "Full name, in any letters.") var name: String?
    @Option(name: .long, help: "Street and house number.") var street: String?
    @Option(name: .long, help: "Postal code.") var postcode: String?
    @Option(name: .long, help: "City.") var city: String?
    @Option(name: .long, help: "Address of electronic mail.") var email: String?
    @Option(name: .long, help: "Telephone number.") var phone: String?

    private var values: [Person.Field: String] {
      let given: [Person.Field: String?] = [
        .name: name, .street: street, .postcode: postcode, .city: city, .email: email,
        .phone: phone,
      ]
      return given.compactMapValues { $0 }
    }

    func validate() throws {
      if values.isEmpty {
        throw ValidationError("give what to note, such as --name \"Müller, Anna\"")
      }
    }

    func run() throws {
      if values.values.allSatisfy(\.isEmpty) {
        // There is nothing to clear, and nobody to note.
        let known = try source.open(isRead: true) { file throws(PeopleError) in
          try file.person(of: account)
        }
        guard known ?? nil != nil else { throw PeopleCommand.nobody(account) }
      }
      _ = try source.open(isRead: false) { file throws(PeopleError) in
        try file.set([(account, values)])
      }
      print("done")
    }
  }

  /// `joulebook people show`.
  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Prints what is noted about an account's person.",
      discussion: """
          joulebook people show 10
        """)
    @OptionGroup var source: Source
    @Argument(help: "Account number.", transform: PeopleCommand.account) var account: AccountId

    func run() throws {
      let found = try source.open(isRead: true) { file throws(PeopleError) in
        try file.person(of: account)
      }
      guard let person = found ?? nil else { throw PeopleCommand.nobody(account) }
      for field in Person.Field.allCases {
        guard let value = person.values[field] else { continue }
        let padding = String(repeating: " ", count: 10 - field.rawValue.count)
        print(field.rawValue + padding + value.printable)
      }
    }
  }

  /// The exit code for an account about which nothing is noted, after printing it.
  static func nobody(_ account: AccountId) -> ExitCode {
    Failure.noInput.exit("nothing is noted about account \(account.rawValue)")
  }

  /// `joulebook people list`.
  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Prints all persons, by account.",
      discussion: """
          joulebook people list
          joulebook people list --csv > customers.csv
        """)
    @OptionGroup var source: Source
    @Flag(name: .long, help: "As CSV, which `joulebook people import` reads.") var csv = false

    func run() throws {
      let people =
        try source.open(isRead: true) { file throws(PeopleError) in try file.all() } ?? []
      if csv { return print(PeopleTable.text(people), terminator: "") }
      for person in people {
        let values = Person.Field.allCases.compactMap { person.values[$0] }
        print("\(person.account.rawValue)  \(values.joined(separator: ", ").printable)")
      }
    }
  }

  /// `joulebook people import`.
  struct Import: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "import",
      abstract: "Notes the persons of a CSV file: all of them, or none when it has a fault.",
      discussion: """
        The first line has the columns' names, in any order: account, name, street, postcode, city, \
        email, phone. Columns that the file does not have stay as they are. Text is in UTF-8, and \
        cells are separated by commas or semicolons.

          account,name,street,city
          10,"Müller, Anna",Am Bach 3,Bern

          joulebook people import customers.csv
        """)
    @OptionGroup var source: Source
    @Argument(help: "CSV file.", completion: .file()) var file: String

    func run() throws {
      let text: String
      do throws(ConfigurationError) {
        text = try DataFolder.text(of: file)
      } catch {
        throw Failure.noInput.exit("\(error)")
      }
      let rows: [PeopleTable.Row]
      do throws(PeopleError) {
        rows = try PeopleTable.read(text, name: file)
      } catch {
        throw Failure.badData.exit("\(error)")
      }
      let added = try source.open(isRead: false) { file throws(PeopleError) in try file.set(rows) }
      print("\(rows.count) persons, \(added ?? 0) of them new")
    }
  }

  /// `joulebook people erase`.
  struct Erase: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Erases what is noted about an account's person.",
      discussion: """
        The bytes in the file are overwritten. Backups of the file keep what they have. The account, \
        its label and its trades stay: they name nobody.

          joulebook people erase 10
        """)
    @OptionGroup var source: Source
    @Argument(help: "Account number.", transform: PeopleCommand.account) var account: AccountId

    func run() throws {
      // Nothing is made where nothing was noted.
      let known = try source.open(isRead: true) { file throws(PeopleError) in
        try file.person(of: account)
      }
      guard known ?? nil != nil else { throw PeopleCommand.nobody(account) }
      _ = try source.open(isRead: false) { file throws(PeopleError) in try file.erase(account) }
      print("done")
    }
  }
}
