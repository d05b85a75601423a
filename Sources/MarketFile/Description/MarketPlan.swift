import MarketModel

/// The difference between a market file and an exchange: the commands that make what is missing,
/// and what differs, which no command changes.
public struct MarketPlan: Sendable {
  /// A command that makes something of the file.
  public struct Step: Sendable {
    /// What it makes.
    public let item: MarketItem
    /// In whose name: the exchange itself, or a session of the account's participant.
    public let session: SessionId
    /// The command.
    public let body: Command.Body

    /// The command with its sender.
    public var command: Command { Command(session: session, body: body) }
  }

  /// Commands in the order in which they are applied; empty when everything is there.
  public private(set) var steps: [Step] = []
  /// What is there and differs from the file: one line each, with field, there and here.
  public private(set) var differences: [String] = []
  /// What the operator should know and that is no fault.
  public private(set) var notes: [String] = []
  /// What is there and not in the file.
  public private(set) var unlisted: [MarketItem] = []

  private let file: MarketDescription
  private let there: MarketDescription
  private let administered: Set<ParticipantId>

  /// Compares a file with an exchange. Linear in both.
  /// - Parameters:
  ///   - file: The file.
  ///   - there: What the exchange has.
  ///   - isPosted: Whether a deposit of a market file has taken effect.
  public init(
    _ file: MarketDescription, comparedWith there: MarketDescription,
    isPosted: (CashMovement) -> Bool
  ) {
    (self.file, self.there) = (file, there)
    administered = Self.administered(there)
    for item in file.items {
      guard let entry = file.entries[item], refersToKnown(entry.definition) else { continue }
      switch entry.definition {
      case .deposit(let movement):
        if !isAnothers(movement.account), !isPosted(movement) {
          add(item, .cash(.deposit(movement)))
        }
      case .instruction(let agent): plan(agent, item)
      default: plan(entry.definition, item)
      }
    }
    unlisted = there.items.filter {
      file.entries[$0] == nil && !Self.isOthers($0) && !there.ofFirstStart.contains($0)
    }
  }

  /// Whether everything of the file is there as the file says.
  public var isDone: Bool { steps.isEmpty && differences.isEmpty }

  /// Whether everything that a definition refers to is in the file or there. Notes a difference if
  /// not.
  private mutating func refersToKnown(_ definition: MarketDefinition) -> Bool {
    let unknown = definition.references.filter {
      file.entries[$0] == nil && there.entries[$0] == nil
    }
    for other in unknown {
      let item = definition.item
      differences.append(
        "\(file.place(of: item)): \(item): \(other) is neither in the file nor in the market")
    }
    return unknown.isEmpty
  }

  /// Whether participants or settlement make the item, not the operator.
  private static func isOthers(_ item: MarketItem) -> Bool {
    switch item {
    case .deposit, .instruction: true
    default: false
    }
  }

  private mutating func add(
    _ item: MarketItem, _ body: Command.Body, session: SessionId = .exchange
  ) {
    steps.append(Step(item: item, session: session, body: body))
  }

  private mutating func plan(_ definition: MarketDefinition, _ item: MarketItem) {
    if there.ended.contains(item) {
      if case .session(let session) = definition, administered.contains(session.participant) {
        notes.append(
          "\(file.place(of: item)): \(item): it is revoked there; its participant's administrator "
            + "may have done so")
        return
      }
      let how = if case .session = item { "revoked" } else { "without an account" }
      differences.append(
        "\(file.place(of: item)): \(item): it is \(how) there; take it out of the file, or change "
          + "it back with `joulebook admin`")
      return
    }
    guard let known = there.entries[item]?.definition else { return make(definition, item) }
    for here in definition.fields {
      guard let found = known.fields.first(where: { $0.name == here.name }) else {
        planLabel(definition, item)
        continue
      }
      if here.text == found.text { continue }
      let words =
        "\(file.place(of: item)): \(item): \(here.name) is \(found.text.printable) there, "
        + "\(here.text.printable) here"
      let isTerm = if case .account = item { here.name != "participant" } else { false }
      if isTerm || isAdministered(known) {
        notes.append(words + ": the participant's administrator may change it")
      } else {
        differences.append(words)
      }
    }
  }

  /// Whether a session or an account there belongs to a participant that has an administrator. It
  /// may change those, and must not keep the exchange from starting thereby.
  private func isAdministered(_ known: MarketDefinition) -> Bool {
    switch known {
    case .session(let session): administered.contains(session.participant)
    case .account(let account, _, _): administered.contains(account.participant)
    default: false
    }
  }

  /// Whether the account there is of another participant than in the file.
  private func isAnothers(_ account: AccountId) -> Bool {
    guard case .account(let here, _, _)? = file.entries[.account(account)]?.definition,
      case .account(let found, _, _)? = there.entries[.account(account)]?.definition
    else { return false }
    return here.participant != found.participant
  }

  /// The participants that have a session with the role of their administrator.
  private static func administered(_ there: MarketDescription) -> Set<ParticipantId> {
    Set(
      there.entries.values.compactMap { entry in
        guard case .session(let session) = entry.definition,
          session.roles.contains(.participantAdministration)
        else { return nil }
        return session.participant
      })
  }

  /// Plans the label of an account, or the place of a meter, that is there without one.
  private mutating func planLabel(_ definition: MarketDefinition, _ item: MarketItem) {
    switch definition {
    case .account(let account, let label?, _):
      add(item, .reference(.setAccount(SetAccount(account: account.account, label: label))))
    case .meter(let meter, let place?):
      add(item, .reference(.setMeterPlace(SetMeterPlace(meter: meter.meter, place: place))))
    default: break
    }
  }

  private mutating func make(_ definition: MarketDefinition, _ item: MarketItem) {
    switch definition {
    case .area(let new, let terms):
      add(item, .reference(.createArea(new)))
      for (parameter, value) in terms.parameters { set(parameter, value, of: new.area, item) }
    case .instrument(let new, let state):
      add(item, .reference(.createInstrument(new)))
      if state != .open {
        add(
          item,
          .reference(
            .setInstrumentState(SetInstrumentState(instrument: new.instrument, state: state))))
      }
    case .participant(let new): add(item, .reference(.createParticipant(new)))
    case .session(let new): add(item, .reference(.registerSession(new)))
    case .account(let new, let label, let isClosed):
      var opened = new
      opened.label = label ?? .empty
      add(item, .reference(.createAccount(opened)))
      if isClosed {
        add(item, .reference(.setAccount(SetAccount(account: new.account, state: .closed))))
      }
    case .meter(let new, let place):
      add(item, .reference(.registerMeter(new)))
      if let place {
        add(item, .reference(.setMeterPlace(SetMeterPlace(meter: new.meter, place: place))))
      }
    case .cap(let new): add(item, .reference(.setCap(new)))
    case .limit(let new): add(item, .reference(.setLimit(new)))
    case .deposit, .instruction: break
    }
  }

  /// Plans a parameter of an area, also one that a new area has by default: which default it has
  /// depends on the version of the market rules there.
  private mutating func set(
    _ parameter: Parameter, _ value: Int64, of area: AreaId, _ item: MarketItem
  ) {
    add(
      item,
      .reference(
        .setParameter(
          SetParameter(
            subject: .area, number: UInt32(area.rawValue), parameter: parameter, value: value))))
  }

  /// Plans an instruction. It is given once, with its account: from then on it is the
  /// participant's, who may change and remove it.
  private mutating func plan(_ agent: SetAgent, _ item: MarketItem) {
    guard there.entries[.account(agent.account)] == nil else {
      let here = file.entries[item]?.definition.fields
      if there.entries[item]?.definition.fields != here {
        notes.append(
          "\(file.place(of: item)): the \(item) is another one there, or none: it is given with "
            + "the account, and the participant changes it")
      }
      return
    }
    guard let session = trader(for: agent.account) else {
      differences.append(
        "\(file.place(of: item)): the \(item) needs a session with the role trading of the "
          + "account's participant, in whose name it trades")
      return
    }
    add(item, .order(.setAgent(agent)), session: session)
  }

  /// The lowest session with the trading role of an account's participant.
  private func trader(for account: AccountId) -> SessionId? {
    guard case .account(let made, _, _) = file.entries[.account(account)]?.definition else {
      return nil
    }
    let sessions = (Array(file.entries.values) + Array(there.entries.values))
      .compactMap { entry -> RegisterSession? in
        if case .session(let session) = entry.definition { session } else { nil }
      }
    return sessions.filter {
      $0.participant == made.participant && $0.roles.contains(.trading)
    }.map(\.session).min { $0.rawValue < $1.rawValue }
  }
}
