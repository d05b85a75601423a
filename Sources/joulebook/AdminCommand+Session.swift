import ArgumentParser
import JoulebookClient
import MarketModel

extension AdminCommand {
  struct MakeSession: ParsableCommand {
    /// A role that the command line can grant to a session.
    enum Role: String, CaseIterable, ExpressibleByArgument {
      case trading, metering, administration, dropCopy, participantAdministration, surveillance
      var roles: Roles {
        switch self {
        case .trading: .trading
        case .metering: .metering
        case .administration: .administration
        case .dropCopy: .dropCopy
        case .participantAdministration: .participantAdministration
        case .surveillance: .surveillance
        }
      }
    }

    /// What becomes of the session's open orders.
    enum Orders: String, CaseIterable, ExpressibleByArgument {
      case keep, cancel
      var orders: SessionOrders { self == .keep ? .keep : .cancel }
    }

    /// Between which orders self-trades are prevented.
    enum Scope: String, CaseIterable, ExpressibleByArgument {
      case account, participant
      var scope: SelfTradeScope { self == .account ? .account : .participant }
    }

    static let configuration = CommandConfiguration(
      commandName: "session", abstract: "Registers the key of a session identity, or revokes it.",
      discussion: """
        A session with this key may act for the participant in the given roles. Registering it again \
        replaces key and roles. Replacing or revoking a key ends the session's connections at once \
        and stops its standing instructions. Its open orders are cancelled when it is revoked, and \
        stay when its key is replaced; --orders keep and --orders cancel say otherwise. A session \
        number stays with its participant for ever.

          joulebook admin session 2 --participant 2 --public-key ana.pub --role trading
          joulebook admin session 2 --participant 2 --public-key new.pub --role trading
          joulebook admin session 2 --revoke

        Each operator, and each script of one, works with an identity of its own, since a session is \
        established on one connection at a time:

          joulebook admin keygen cron.key
          joulebook admin session 3 --participant 1 --public-key cron.pub --role administration
          joulebook admin deposit 10 5 --reference 7 --session 3 --key cron.key

        The last session with the role administration cannot be revoked, nor lose that role.
        """)
    @OptionGroup var server: OperatorConnection
    @Argument(help: "Session identity (number).") var identity: UInt32
    @Option(name: .long, help: "Number of the participant that it acts for.")
    var participant: UInt32?
    @Option(name: .long, help: "File of the public key, as keygen writes it, or its 64 digits.")
    var publicKey: String?
    @Option(
      name: .long,
      help: """
        trading, metering, administration, dropCopy, participantAdministration or surveillance. \
        Repeatable.
        """)
    var role: [Role] = []
    @Flag(name: .long, help: "Revoke the identity: its key opens no session any more.")
    var revoke = false
    @Option(
      name: .long,
      help: """
        What becomes of its open orders: keep or cancel. Unless given, they are cancelled when the \
        identity is revoked, and stay when its key is replaced.
        """)
    var orders: Orders?
    @Option(
      name: .long,
      help: """
        Its orders never trade with orders of the same account, or of the same participant. Unless \
        given, as registered; of a new session: account.
        """)
    var selfTrade: Scope?

    func validate() throws {
      if revoke {
        if !role.isEmpty { throw ValidationError("--revoke takes all roles away; omit --role") }
        return
      }
      if role.isEmpty {
        throw ValidationError("name what the session may do with --role; or give --revoke")
      }
      if participant == nil { throw ValidationError("name its --participant") }
      if publicKey == nil {
        throw ValidationError(
          "name the file of its --public-key; `joulebook admin keygen FILE` makes one")
      }
    }

    func run() throws {
      let key = try publicKey.map { try AdminCommand.publicKey($0) } ?? PublicKey(0, 0, 0, 0)
      let roles = role.reduce(into: Roles(rawValue: 0)) { $0.formUnion($1.roles) }
      try server.execute(explaining: explanation) { client throws(ClientError) in
        try client.submit(
          .reference(
            .registerSession(
              RegisterSession(
                session: SessionId(identity), participant: ParticipantId(participant ?? 0),
                roles: roles, publicKey: key, orders: orders?.orders ?? .standard,
                selfTrade: selfTrade?.scope ?? .unchanged))))
      }
    }

    /// The text of a reject whose general text describes other commands too.
    private func explanation(_ rejection: Rejection) -> String? {
      switch rejection.code {
      case .sessionOfAnother:
        return
          "sessionOfAnother: session \(identity) is participant \(rejection.limit)'s for ever; choose a number that "
          + "was never registered"
      case .unknownParticipant where participant == nil:
        return
          "unknownParticipant: session \(identity) is not registered, or a version of the rules below 4 is in force: "
          + "name its --participant"
      default: return nil
      }
    }
  }

  struct ResetNumbers: ParsableCommand {
    /// What has numbers.
    enum Subject: String, CaseIterable, ExpressibleByArgument {
      case session, account
    }

    static let configuration = CommandConfiguration(
      commandName: "reset-numbers",
      abstract: "Opens a used-up number space of a session or an account again.",
      discussion: """
        Session versions and client order ids must rise. A client that used too high a number once, \
        or counts in milliseconds after nanoseconds, is locked out by them. This sets the last \
        version of a session to 0, and ends its connections; or the last client order id of an \
        account, which must have no open orders.

          joulebook admin reset-numbers session 2
          joulebook admin reset-numbers account 10

        Afterwards the exchange takes former client order ids of the account again: a client must \
        not repeat messages from before.
        """)
    @OptionGroup var server: OperatorConnection
    @Argument(help: "session or account.") var subject: Subject
    @Argument(help: "Its number.") var number: UInt32

    func run() throws {
      let which =
        subject == .session
        ? MarketModel.ResetNumbers(session: SessionId(number))
        : MarketModel.ResetNumbers(account: AccountId(number))
      try server.execute(explaining: explanation) { client throws(ClientError) in
        try client.submit(.reference(.resetNumbers(which)))
      }
    }

    private func explanation(_ rejection: Rejection) -> String? {
      guard rejection.code == .accountHasOrders else { return nil }
      return
        "accountHasOrders: account \(number) has \(rejection.limit) open orders; cancel them first: "
        + "joulebook admin cancel --participant P --account \(number)"
    }
  }
}
