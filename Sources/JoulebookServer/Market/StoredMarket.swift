import ExchangeCore
import Journaling
import Logging
import MarketFile
import MarketModel

extension MarketDescription {
  /// The description of an exchange, without its deposits. Linear in its size. Revoked sessions and
  /// meters without an account are not among its definitions: they are `ended`.
  init(name: String, _ exchange: borrowing Exchange, _ known: borrowing ReferenceData) {
    self.init(name: name)
    if known.participants[OperatorKeys.participant] == OperatorKeys.name {
      ofFirstStart.insert(.participant(OperatorKeys.participant))
    }
    if let first = known.session(SessionId(1)), first.participant == OperatorKeys.participant {
      ofFirstStart.insert(.session(SessionId(1)))
    }
    for area in known.areas {
      let readings = exchange.readings(of: area.definition.area)
      add(
        .area(area.definition, readings.map { AreaTerms($0) } ?? AreaTerms()))
    }
    for instrument in known.instruments {
      add(.instrument(instrument.definition, instrument.state))
    }
    for (participant, name) in known.participants {
      add(.participant(CreateParticipant(participant: participant, name: name)))
    }
    for (session, row) in known.sessionIdentities {
      guard row.roles != [] else {
        end(.session(session))
        continue
      }
      add(
        .session(
          RegisterSession(
            session: session, participant: row.participant, roles: row.roles, publicKey: row.key,
            selfTrade: exchange.selfTrade(of: session))))
    }
    for (account, participant) in known.accountOwners {
      let terms = exchange.terms(of: account) ?? (.empty, false)
      add(
        .account(
          CreateAccount(account: account, participant: participant),
          label: terms.label == .empty ? nil : terms.label, isClosed: terms.isClosed))
    }
    for (meter, row) in known.registeredMeters {
      guard var present = exchange.present(meter) else {
        end(.meter(meter))
        continue
      }
      let change = exchange.announcedChange(of: meter)
      let before = change.map { Timestamp(nanoseconds: $0.from.nanoseconds - 1) }
      present.publicKey = before.flatMap { known.key(of: meter, at: $0) } ?? row.key
      let place = exchange.place(of: meter)
      add(.meter(present, place: place == .empty ? nil : place))
    }
    for cap in exchange.ownCaps() { add(.cap(cap)) }
    remarks = exchange.blocksInForce().map(\.remark)
    for agent in exchange.instructions() {
      if exchange.stillFits(agent) {
        add(.instruction(agent))
      } else {
        remarks.append(agent.remark)
      }
    }
    remarks += exchange.announcedChanges().compactMap(\.remark)
    for limit in exchange.limitsInForce() where limit.ofOperator != 0 {
      add(
        .limit(
          SetLimit(
            participant: limit.isOfParticipant ? limit.participant : .exchange,
            account: limit.account, session: limit.session, kind: limit.kind,
            value: limit.ofOperator)))
    }
  }
}

extension SetAgent {
  /// A comment of a market file about an instruction that the file leaves out.
  fileprivate var remark: String {
    "account \(account.rawValue) has an instruction at instrument \(instrument.rawValue) that does "
      + "not fit it any more: it enters nothing, and is left out"
  }
}

extension ListPage.Row {
  /// An announced change in words: a comment of a market file, which says what holds now.
  fileprivate var remark: String? {
    switch self {
    case .parameterChange(let listed):
      let change = listed.change
      let words = "\(change.parameter) is to be \(change.valueText) from \(change.from.iso8601) on"
      let fate = listed.fits ? "" : "; it does not fit, and would be rejected then"
      return "\(change.subject) \(change.number): \(words)\(fate)"
    case .meterChange(let change):
      let account = change.newAccount
      let words =
        change.account == .null
        ? "begins" : account == .null ? "ends" : "gets other terms (account \(account.rawValue))"
      return "meter \(change.meter.rawValue) \(words) at \(change.from.iso8601)"
    default: return nil
    }
  }
}

extension ListedLimit {
  /// Whether it is of the participant itself.
  fileprivate var isOfParticipant: Bool { account == .null && session == .exchange }
}

extension ListedBlock {
  /// The block in words: a comment of a market file.
  fileprivate var remark: String {
    let subject =
      account != .null
      ? "account \(account.rawValue)"
      : session != .exchange
        ? "session \(session.rawValue)" : "participant \(participant.rawValue)"
    let who = byOperator ? "the operator" : "its participant's administrator"
    return "\(subject) is blocked by \(who); a market file neither sets nor releases a block"
  }
}

/// The market in a data folder, read from its newest snapshot and its journal.
public struct StoredMarket: ~Copyable {
  /// What the market consists of.
  public let description: MarketDescription
  private let state: MarketState

  /// Reads the market, up to the journal's present end. A server may run beside it.
  /// - Throws: if the folder or its journal cannot be read, or is damaged.
  public init(_ folder: DataFolder) throws(StartError) {
    let setting: MarketState.Setting
    do throws(ConfigurationError) {
      setting = MarketState.Setting(try folder.fixedMarket())
    } catch {
      throw .configuration(error)
    }
    do throws(JournalError) {
      let end = try Recovery.survey(folder.journal).lastSequence
      state = try Self.state(folder, setting, through: end)
    } catch {
      throw .journal(error)
    }
    description = MarketDescription(
      name: folder.path, state.exchange, state.view.reference)
  }

  /// Compares a market file with the market.
  public func plan(_ file: MarketDescription) -> MarketPlan {
    MarketPlan(file, comparedWith: description) { state.exchange.hasPosted($0) }
  }

  private static func state(
    _ folder: DataFolder, _ setting: MarketState.Setting, through end: SequenceNumber
  ) throws(JournalError) -> MarketState {
    let quiet = Logger(label: "market")
    var state = try MarketState.newest(
      in: folder.journal, setting, disk: SystemDisk(), log: quiet)
    if state.sequence >= end { return state }
    var commands = try CommandsAhead(
      for: .replay, directory: folder.journal, after: state.sequence, verification: .checksums,
      disk: SystemDisk())
    while let command = try commands.next(through: end, for: &state.exchange) {
      state.follow(command)
    }
    return state
  }
}
