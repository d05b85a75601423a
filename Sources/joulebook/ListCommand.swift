import ArgumentParser
import JoulebookClient
import MarketFile
import MarketModel

/// What the command line can list.
enum Listed: String, CaseIterable, ExpressibleByArgument {
  case orders, accounts, instructions, meters, limits, blocks, trades
  case participants, sessions, areas, instruments, balances, changes
  case quarantine, gaps, readings

  /// The lists of the protocol of which it consists.
  var kinds: [ListKind] {
    switch self {
    case .orders: [.orders]
    case .accounts: [.accounts]
    case .instructions: [.instructions]
    case .meters: [.meters]
    case .limits: [.limits]
    case .blocks: [.blocks]
    case .trades: [.trades]
    case .participants: [.participants]
    case .sessions: [.sessions]
    case .areas: [.areas]
    case .instruments: [.instruments]
    case .balances: [.accounts, .house]
    case .changes: [.changes]
    case .quarantine: [.quarantine]
    case .gaps: [.gaps]
    case .readings: [.readings]
    }
  }
}

/// The form of a list.
struct ListForm: ParsableArguments {
  @Argument(
    help: """
      orders, accounts, instructions, meters, limits, blocks, trades, areas or instruments; \
      quarantine, or of one meter its gaps or readings; of operators also participants, sessions, changes that are announced, and balances: accounts and \
      house accounts; of a participant's administrator also its own sessions.
      """)
  var list: Listed
  @Option(name: .long, help: "Only rows of this account.") var account: AccountId?
  @Option(name: .long, help: "Only rows of this participant.") var participant: UInt32?
  @Option(
    name: .long, help: "Only this meter, or its readings; gaps and readings need it.",
    transform: Quantities.defined)
  var meter: UInt32?
  @Option(
    name: .long,
    help: "Of trades, gaps and readings: begin of the period; the first one unless given.",
    transform: Typed.time)
  var from: Timestamp?
  @Option(
    name: .long,
    help: "Of trades, gaps and readings: end of the period, which it excludes; now unless given.",
    transform: Typed.time)
  var to: Timestamp?
  @Flag(name: .long, help: "Comma-separated values, with a head line.") var csv = false
  @Flag(name: .long, help: "A JSON array with an object for each row.") var json = false

  func validate() throws {
    if csv, json { throw ValidationError("give --csv or --json, not both") }
    if account != nil || participant != nil, list.kinds.contains(where: { !$0.isOfAccounts }) {
      throw ValidationError(
        "--account and --participant select orders, accounts, instructions, meters, limits, blocks, "
          + "trades and readings, not " + list.rawValue)
    }
    if from != nil || to != nil, ![.trades, .gaps, .readings].contains(list) {
      throw ValidationError(
        "--from and --to select trades, gaps and readings, not " + list.rawValue)
    }
    if meter != nil, list.kinds.contains(where: { !$0.isOfReadings && $0 != .meters }) {
      throw ValidationError(
        "--meter selects meters, quarantine, gaps and readings, not " + list.rawValue)
    }
    if meter == nil, list == .gaps || list == .readings {
      throw ValidationError("name the meter whose \(list.rawValue) are listed: --meter 100")
    }
    if let from, let to, to < from { throw ValidationError("--to is before --from.") }
  }

  /// Reads the list and prints it.
  /// - Parameter scope: Whose rows, unless a participant is named.
  func run(_ server: OperatorConnection, _ scope: ListScope) throws {
    var table = ListTable(list)
    var through = SequenceNumber.none
    let period = (from ?? Timestamp(nanoseconds: 0))..<(to ?? .never)
    try server.converse { client throws(ClientError) in
      for kind in list.kinds {
        through = try client.readList(
          kind, scope: participant == nil ? scope : .participant,
          participant: ParticipantId(participant ?? 0), account: account ?? .null,
          meter: MeterId(meter ?? 0), period: period
        ) { table.add($0) }
      }
      if list == .areas { try OperatorConnection.explainAreaRules(client) }
    }
    table.end()
    print(csv ? table.csv : json ? table.json : table.text, terminator: "")
    // Not on standard output, which has rows only.
    if list == .trades { printError("settled through command \(through.rawValue)") }
  }
}

/// `joulebook list`.
struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Lists the open orders, accounts and meters of a participant.",
    discussion: """
      Lists what belongs to the participant of the session; areas and instruments are everybody's. \
      Energy is in kWh, cash in units of its currency, times are in UTC. Trades come from the ledger \
      and have a row for each side of yours; those of the last minute may not be settled yet, and \
      standard error says through which command all are there. Local are those that a meter reading made without an \
      order.

        joulebook list orders --account 10 --session 2 --key ana.key
        joulebook list accounts --session 2 --key ana.key --csv
        joulebook list trades --from 2026-11-01 --to 2026-11-02 --session 2 --key ana.key
        joulebook list readings --meter 100 --from 2026-11-01 --session 2 --key ana.key
        joulebook list quarantine --all --session 5 --key metering.key

      With --all a session with the role metering lists the quarantine, the gaps and the readings of \
      all participants' meters.
      """)
  @OptionGroup var server: OperatorConnection
  @OptionGroup var form: ListForm
  @Flag(name: .long, help: "Rows of all participants; of readings, for the role metering.")
  var all = false

  func run() throws { try form.run(server, all ? .all : .own) }
}

extension AdminCommand {
  /// `joulebook admin list`.
  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Lists what the exchange has: participants, sessions, accounts, orders ...",
      discussion: """
        Lists the rows of all participants, unless one is named. Sessions have the time since which \
        they are connected, the address of the client, and the time of its last message. Changes that \
        are announced have the present and the new value, and whether they will fit at their moment.

          joulebook admin list sessions --data my-exchange
          joulebook admin list orders --participant 2
          joulebook admin list limits --participant 2
          joulebook admin list blocks
          joulebook admin list changes
          joulebook admin list quarantine
          joulebook admin list gaps --meter 100
          joulebook admin list trades --account 12 --from 2026-11-01 --to 2026-11-02
          joulebook admin list balances --csv > balances.csv
        """)
    @OptionGroup var server: OperatorConnection
    @OptionGroup var form: ListForm

    func run() throws { try form.run(server, .all) }
  }
}
