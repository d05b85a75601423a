import ExchangeCore
import MarketFile
import MarketModel

/// Applies a market file to a new exchange in memory, as a check that needs no server.
public enum MarketTrial {
  /// Applies every definition of `file` to an empty exchange that has its operator only.
  /// - Parameter configuration: Has the capacity of the exchange.
  /// - Returns: one line for each definition that an exchange would reject; empty: none.
  public static func faults(
    _ file: MarketDescription, in configuration: Configuration = Configuration()
  ) -> [String] {
    var exchange = Exchange(capacity: configuration.capacity)
    var known = ReferenceData()
    for body in beginning { _ = apply(Command(session: .exchange, body: body), &exchange, &known) }
    let plan = MarketPlan(file, comparedWith: MarketDescription(name: "", exchange, known)) { _ in
      false
    }
    return plan.differences
      + plan.steps.compactMap { step in
        apply(step.command, &exchange, &known).map { MarketFaults.line($0, step.item, file) }
      }
  }

  /// The faults of a file with which `configuration` begins a new data folder; none if a server has
  /// used the folder already, whose exchange decides.
  public static func faultsOfFirstStart(
    _ file: MarketDescription, in configuration: Configuration
  ) -> [String] {
    DataFolder(configuration.dataFolder).isNew ? faults(file, in: configuration) : []
  }

  /// The commands of every new market, without the operator's key.
  private static var beginning: [Command.Body] {
    let rules = Command.Body.control(.setRules(SetRules(version: RulesVersion.newest)))
    guard let name = OperatorKeys.name else { return [rules] }
    return [
      rules,
      .reference(
        .createParticipant(CreateParticipant(participant: OperatorKeys.participant, name: name))),
    ]
  }

  private static func apply(
    _ command: Command, _ exchange: inout Exchange, _ known: inout ReferenceData
  ) -> Rejected? {
    var rejected: Rejected?
    var next = command
    next.sequence = SequenceNumber(exchange.lastSequence.rawValue + 1)
    withUnsafePointer(to: next) { next in
      for event in exchange.execute(next) {
        if case .rejected(let found) = event { rejected = rejected ?? found }
        known.note(event, at: command.time)
      }
    }
    return rejected
  }
}

/// Texts about definitions of a market file that an exchange rejects.
enum MarketFaults {
  /// The text of a reject: "village.yaml:12: account 10: 8005 unknownParticipant ...".
  static func line(_ rejected: Rejected, _ item: MarketItem, _ file: MarketDescription) -> String {
    let (code, limit) = (rejected.code, rejected.limit)
    if code == .badDefinition,
      let words = file.entries[item]?.definition.explanation(ofUnusable: rejected.field)
    {
      return "\(file.place(of: item)): \(item): \(words)"
    }
    guard let entry = code.entry else {
      return "\(file.place(of: item)): \(item): rejected with \(code.rawValue), limit \(limit)"
    }
    let bound = entry.limit.isEmpty ? "" : ", \(entry.limit): \(limit)"
    return
      "\(file.place(of: item)): \(item): rejected with \(code.rawValue) \(entry.name)\(bound). "
      + entry.action
  }
}
