import ArgumentParser
import JoulebookClient
import JoulebookServer
import MarketModel

/// `joulebook admin`.
struct AdminCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "admin",
    abstract: "An operator's acts on a running server.",
    discussion: """
      A market in seven lines (the key is the one that serve made in its data folder):

        joulebook admin area 1 --currency EUR --code 11XEXAMPLE --storage-cost 300 \\
          --storage-price 200 --feed-in 0.08 --retail 0.32
        joulebook admin instrument 1 --area 1 --symbol SPOT --tick 0.001 --lot 1kWh \\
          --lowest 0 --highest 1
        joulebook admin keygen ana.key
        joulebook admin participant 2 --name ana
        joulebook admin session 2 --participant 2 --public-key ana.pub --role trading
        joulebook admin account 10 --participant 2
        joulebook admin deposit 10 100 --currency EUR --reference 1
      """,
    subcommands: [
      Keygen.self, Status.self, MakeParticipant.self, MakeSession.self, MakeAccount.self,
      MakeArea.self, MakeInstrument.self, MakeMeter.self, Deposit.self, Withdraw.self, Cap.self,
      Tariff.self, State.self, TickTo.self, Rules.self, Send.self,
    ])

  /// `joulebook admin keygen`.
  struct Keygen: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Makes a key pair: FILE (private, mode 0600) and its .pub.")
    @Argument(help: "File of the private key, such as ana.key.") var file: String

    func run() throws {
      do throws(ConfigurationError) {
        print("public key in \(try KeyPairFile.generate(at: file).file)")
      } catch {
        throw Failure.io.exit("\(error)")
      }
    }
  }

  /// `joulebook admin status`.
  struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Prints how the server is.",
      discussion: """
        With --ready nothing but "ready" is printed, and the exit code says whether it is: 0; 69 when
        the server does not answer; 75 when it answers, but its journal does not keep up.
        """)
    @OptionGroup var server: OperatorConnection
    @Flag(name: .long, help: "Only says whether the server is ready, by its exit code.")
    var ready = false

    /// Commands that may wait for the disk in a server that is ready.
    private static let mostUndurable: UInt64 = 100_000

    func run() throws {
      let status = try server.ask { client throws(ClientError) in
        try client.requestStatus(withStateHash: !ready)
      } _: { event, _ in
        if case .status(let status) = event { status } else { nil }
      }
      if ready {
        let waiting = status.lastSequence.rawValue - status.durableSequence.rawValue
        guard waiting <= Self.mostUndurable else {
          throw Failure.temporary.exit("\(waiting) commands wait for the journal's disk")
        }
        print("ready")
        return
      }
      print(
        "commands     \(status.lastSequence.rawValue), \(status.durableSequence.rawValue) durable")
      print("settled      \(status.settledSequence.rawValue), batch \(status.settledBatch)")
      print("trades       \(status.tradeCount), \(status.openOrderCount) open orders")
      print("connections  \(status.connectionCount)")
      print(
        "rules        version \(status.rulesVersion), this program knows \(RulesVersion.newest)")
      if status.refusedCommandCount > 0 {
        print(
          "REFUSED      \(status.refusedCommandCount) commands were left out: see journal/refused")
      }
      print("event hash   \(hexadecimal(status.eventHash))")
      print("state hash   \(hexadecimal(status.stateHash))")
    }
  }

  /// The public key in a file, for those that name one.
  static func publicKey(_ file: String) throws -> PublicKey {
    do throws(ConfigurationError) {
      guard let key = try KeyPairFile.publicKeys(at: file).first else {
        throw ConfigurationError("\(file) holds no key")
      }
      return key
    } catch {
      throw Failure.noInput.exit("\(error)")
    }
  }
}

extension AdminCommand {
  struct MakeParticipant: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "participant", abstract: "Admits a participant.")
    @OptionGroup var server: OperatorConnection
    @Argument(help: "Its number.") var participant: UInt32
    @Option(name: .long, help: "Short name, up to 16 characters.") var name: Label

    func run() throws {
      try server.tell { client throws(ClientError) in
        try client.submit(
          .reference(
            .createParticipant(
              CreateParticipant(participant: ParticipantId(participant), name: name))))
      }
    }
  }

  struct MakeSession: ParsableCommand {
    /// What a session may do.
    enum Role: String, CaseIterable, ExpressibleByArgument {
      case trading, metering, administration, dropCopy
      var roles: Roles {
        switch self {
        case .trading: .trading
        case .metering: .metering
        case .administration: .administration
        case .dropCopy: .dropCopy
        }
      }
    }

    static let configuration = CommandConfiguration(
      commandName: "session", abstract: "Registers a key; without a role it is revoked.")
    @OptionGroup var server: OperatorConnection
    @Argument(help: "Number of the session identity.") var identity: UInt32
    @Option(name: .long, help: "For whom it acts.") var participant: UInt32
    @Option(name: .long, help: "File of the public key.") var publicKey: String
    @Option(name: .long, help: "trading, metering, administration or dropCopy. Repeatable.")
    var role: [Role] = []

    func run() throws {
      let key = try AdminCommand.publicKey(publicKey)
      let roles = role.reduce(into: Roles(rawValue: 0)) { $0.formUnion($1.roles) }
      try server.tell { client throws(ClientError) in
        try client.submit(
          .reference(
            .registerSession(
              RegisterSession(
                session: SessionId(identity), participant: ParticipantId(participant), roles: roles,
                publicKey: key))))
      }
    }
  }

  struct MakeAccount: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "account", abstract: "Opens an account.")
    @OptionGroup var server: OperatorConnection
    @Argument(help: "Its number.") var account: AccountId
    @Option(name: .long, help: "Who acts for it.") var participant: UInt32

    func run() throws {
      try server.tell { client throws(ClientError) in
        try client.submit(
          .reference(
            .createAccount(CreateAccount(account: account, participant: ParticipantId(participant)))
          ))
      }
    }
  }

  struct MakeMeter: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "meter", abstract: "Registers a meter for an account.")
    @OptionGroup var server: OperatorConnection
    @Argument(help: "Its number.") var meter: UInt32
    @Option(name: .long, help: "Whose energy it meters.") var account: AccountId
    @Option(name: .long, help: "Where.") var area: UInt16
    @Option(name: .long, help: "File of the public key that signs its readings.")
    var publicKey: String

    func run() throws {
      let key = try AdminCommand.publicKey(publicKey)
      try server.tell { client throws(ClientError) in
        try client.submit(
          .reference(
            .registerMeter(
              RegisterMeter(
                meter: MeterId(meter), account: account, area: AreaId(area), publicKey: key))))
      }
    }
  }

  struct Rules: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Puts a newer version of the market rules in force.",
      discussion: """
        A new market begins with the newest version that its program knows. One that an older program
        began goes on with the rules it has, so that its journal replays as it was, until this is said.
        There is no way back. docs/MARKET-RULES.md says what each version changes; `joulebook admin
        status` prints the one in force.

          joulebook admin rules \(RulesVersion.newest)
        """)
    @OptionGroup var server: OperatorConnection
    @Argument(help: "The version, above the one in force.") var version: UInt32

    func run() throws {
      try server.tell(explaining: explanation) { client throws(ClientError) in
        try client.submit(.control(.setRules(SetRules(version: version))))
      }
    }

    /// What the codes mean here, whose own words are of other definitions.
    private func explanation(_ rejection: Rejection) -> String? {
      let limit = rejection.limit
      switch rejection.code {
      case .alreadyExists:
        return
          "version \(version) of the rules is in force already; this program knows versions up to "
          + "\(RulesVersion.newest)"
      case .outOfRange:
        return
          "the server's program knows versions of the rules up to \(limit), not \(version): start the "
          + "server with a newer program first. `joulebook admin status` prints the version in force"
      case .badDefinition:
        return
          "version \(limit) of the rules is in force, and there is no way back to \(version); this "
          + "program knows versions up to \(RulesVersion.newest)"
      default: return nil
      }
    }
  }

  struct TickTo: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "tick", abstract: "Lets time pass; sets the clock of a server on driven time.")
    @OptionGroup var server: OperatorConnection
    @Argument(help: "UTC, such as 2026-06-01T12:00:00Z.") var time: Timestamp

    func run() throws {
      try server.tell { client throws(ClientError) in try client.tick(to: time) }
    }
  }
}
