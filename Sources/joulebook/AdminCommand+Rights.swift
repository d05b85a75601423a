import ArgumentParser
import JoulebookClient
import MarketFile
import MarketModel
import Settlement

/// What a command of the command line names: one participant, account or session.
struct SubjectArguments: ParsableArguments {
  /// The kinds of subjects.
  enum Kind: String, CaseIterable, ExpressibleByArgument {
    case participant, account, session

    /// Its name with the article.
    var withArticle: String { (self == .account ? "an " : "a ") + rawValue }
  }

  @Argument(help: "participant, account or session.") var kind: Kind
  @Argument(help: "Its number.") var number: UInt32

  func validate() throws {
    if number == 0 {
      throw ValidationError("there is no \(kind) 0: give the number of the \(kind), from 1")
    }
  }

  /// The three numbers of a command's message; two of them are null.
  var numbers: (participant: ParticipantId, account: AccountId, session: SessionId) {
    switch kind {
    case .participant: (ParticipantId(number), .null, .exchange)
    case .account: (.exchange, AccountId(number), .exchange)
    case .session: (.exchange, .null, SessionId(number))
    }
  }

  /// Blocks or releases it.
  func block(
    on server: OperatorConnection, releases: Bool = false, keepsOrders: Bool = false
  ) throws {
    let (participant, account, session) = numbers
    let block = SetBlock(
      participant: participant, account: account, session: session, releases: releases,
      keepsOrders: keepsOrders)
    try server.execute(explaining: explanation) { client throws(ClientError) in
      try client.submit(.reference(.setBlock(block)))
    }
  }

  /// The text of a reject that is about the subject; `nil` for the general text of its code.
  func explanation(_ rejection: Rejection) -> String? {
    switch rejection.code {
    case .unknownSession:
      "unknownSession: no session \(number) is registered, or not yours (--session)"
    case .setByOperator where rejection.limit == 0:
      "setByOperator: the operator blocked \(kind) \(number), and only an operator releases it"
    default: nil
    }
  }
}

extension AdminCommand {
  struct Block: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Blocks a participant, an account or a session, and cancels its orders.",
      discussion: """
        New orders, replaces that could trade more, standing instructions and transfers out are \
        rejected from now on; cancels are not. Open orders are cancelled and standing instructions \
        removed, unless --keep-orders is given. The block stays until it is released, also over a \
        restart.

          joulebook admin block participant 7
          joulebook admin block session 12 --keep-orders
          joulebook admin release participant 7
        """)
    @OptionGroup var server: OperatorConnection
    @OptionGroup var subject: SubjectArguments
    @Flag(name: .long, help: "Open orders and standing instructions stand.")
    var keepOrders = false

    func run() throws { try subject.block(on: server, keepsOrders: keepOrders) }
  }

  struct Release: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Releases a participant, an account or a session from its block.",
      discussion: """
        What an account and its participant are blocked for are two blocks: each is released by \
        itself.

          joulebook admin release account 10
        """)
    @OptionGroup var server: OperatorConnection
    @OptionGroup var subject: SubjectArguments

    func run() throws { try subject.block(on: server, releases: true) }
  }

  struct Cancel: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Cancels open orders, or removes standing instructions, of anybody.",
      discussion: """
        Name an order, a participant or a session; the other options narrow it down. Owners can \
        enter orders again: block them first where they should not.

          joulebook admin cancel --order 4294967297
          joulebook admin cancel --participant 7
          joulebook admin cancel --of-session 12 --instrument 1
          joulebook admin cancel --participant 7 --instructions
        """)
    @OptionGroup var server: OperatorConnection
    @Option(name: .long, help: "Only the order with this id.") var order: UInt64?
    @Option(name: .long, help: "Number of the participant.") var participant: UInt32?
    @Option(name: .long, help: "Only those of this account.") var account: AccountId?
    @Option(name: .long, help: "Only those of this session.") var ofSession: UInt32?
    @Option(name: .long, help: "Only those in this instrument.") var instrument: UInt32?
    @Flag(name: .long, help: "Standing instructions in place of orders; their orders stand.")
    var instructions = false

    func validate() throws {
      if order == nil, participant == nil, ofSession == nil {
        throw ValidationError("name --order, --participant or --of-session")
      }
      let numbers: [(option: String, number: UInt64?)] = [
        ("--order", order), ("--participant", participant.map { UInt64($0) }),
        ("--of-session", ofSession.map { UInt64($0) }),
        ("--account", account.map { UInt64($0.rawValue) }),
        ("--instrument", instrument.map { UInt64($0) }),
      ]
      for (option, number) in numbers where number == 0 {
        throw ValidationError("\(option) 0 names nothing: numbers begin at 1")
      }
      if order != nil, instructions {
        throw ValidationError(
          "--order names an order, not an instruction: leave out one of the two")
      }
    }

    func run() throws {
      let participant = ParticipantId(participant ?? 0)
      let instrument = InstrumentId(instrument ?? 0)
      let session = SessionId(ofSession ?? 0)
      try server.execute { client throws(ClientError) in
        if instructions {
          return try client.submit(
            .order(
              .cancelInstructions(
                CancelInstructions(
                  participant: participant, account: account ?? .null, instrument: instrument,
                  session: session))))
        }
        return try client.submit(
          .order(
            .cancelOrders(
              CancelOrders(
                participant: participant, account: account ?? .null, instrument: instrument,
                order: OrderId(order ?? 0), session: session))))
      }
    }
  }

  struct Cut: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Ends a session's connection now.",
      discussion: """
        The client gets Terminate with 3013. It may log on again: block or revoke the session \
        where it should not. Its orders stand or are cancelled as for any lost connection.

          joulebook admin cut 12
        """)
    @OptionGroup var server: OperatorConnection
    @Argument(help: "Session identity (number).") var identity: UInt32

    func run() throws {
      try server.execute(
        endingItself: identity == server.session
          ? "done: session \(identity) is the one of this command itself, which has ended" : nil
      ) { client throws(ClientError) in
        try client.submit(.session(.cutSession(CutSession(session: SessionId(identity)))))
      }
    }
  }

  struct Limit: ParsableCommand {
    /// The kinds of limits.
    enum Kind: String, CaseIterable, ExpressibleByArgument {
      case messagesPerSecond, orderQuantity, openOrders, dailyNotional, cashAtRisk, accounts
      case sessions

      /// What has limits of the kind.
      var subject: SubjectArguments.Kind {
        switch self {
        case .messagesPerSecond: .session
        case .orderQuantity, .openOrders, .dailyNotional, .cashAtRisk: .account
        case .accounts, .sessions: .participant
        }
      }

      /// The value in the kind's unit: Wh, 1e-8 of the currency, or a number.
      func value(_ text: String) throws(ValueError) -> Int64 {
        switch self {
        case .orderQuantity: text == "0" ? 0 : try Typed.energy(text).wattHours
        case .dailyNotional, .cashAtRisk: try Typed.money(text).units
        case .messagesPerSecond, .openOrders, .accounts, .sessions:
          try Typed.number(text, in: 0...Int64(UInt32.max))
        }
      }

      /// A value as `value` reads it.
      func text(_ value: Int64) -> String {
        switch self {
        case .orderQuantity: Energy(wattHours: value).kilowattHours + "kWh"
        case .dailyNotional, .cashAtRisk: Money(units: value).decimal
        case .messagesPerSecond, .openOrders, .accounts, .sessions: "\(value)"
        }
      }

      var kind: LimitKind {
        switch self {
        case .messagesPerSecond: .messagesPerSecond
        case .orderQuantity: .orderQuantity
        case .openOrders: .openOrders
        case .dailyNotional: .dailyNotional
        case .cashAtRisk: .cashAtRisk
        case .accounts: .accounts
        case .sessions: .sessions
        }
      }
    }

    static let configuration = CommandConfiguration(
      abstract: "Sets or removes a limit of an account, a session or a participant.",
      discussion: """
        Of a session: messagesPerSecond. Of an account: orderQuantity (such as 50kWh), openOrders, \
        dailyNotional and cashAtRisk (amounts of the currency, such as 1000.00). Of a participant, \
        for its administrator: accounts, sessions. 0 removes the limit. The operator and the \
        participant's administrator have a value each; the lower holds.

          joulebook admin limit account 10 openOrders 50
          joulebook admin limit account 10 orderQuantity 50kWh
          joulebook admin limit account 10 dailyNotional 1000.00
          joulebook admin limit session 12 messagesPerSecond 100
          joulebook admin limit participant 7 accounts 1000
        """)
    @OptionGroup var server: OperatorConnection
    @OptionGroup var subject: SubjectArguments
    @Argument(help: "What is limited.") var kind: Kind
    @Argument(help: "The limit, such as 50, 50kWh or 1000.00; 0: none.") var value: String

    func validate() throws {
      if kind.subject != subject.kind {
        throw ValidationError(
          "\(kind) is a limit of \(kind.subject.withArticle), not of \(subject.kind.withArticle): "
            + "joulebook admin limit \(kind.subject) NUMBER \(kind) \(value)")
      }
      do throws(ValueError) {
        _ = try kind.value(value)
      } catch {
        throw ValidationError("\(kind) cannot be '\(value)': \(error)")
      }
    }

    func run() throws {
      let (participant, account, session) = subject.numbers
      let amount = try kind.value(value)
      try server.execute(explaining: explanation) { client throws(ClientError) in
        try client.submit(
          .reference(
            .setLimit(
              SetLimit(
                participant: participant, account: account, session: session, kind: kind.kind,
                value: amount))))
      }
    }

    private func explanation(_ rejection: Rejection) -> String? {
      guard rejection.code == .setByOperator else { return subject.explanation(rejection) }
      return
        "setByOperator: the operator's limit is \(kind.text(rejection.limit)); a participant's "
        + "administrator can set less, not more"
    }
  }
}
