import MarketModel

extension MarketDescription {
  /// The description as the text of a market file, which reads as the same description.
  public var yaml: String {
    var lines = remarks.map { "# \($0)" }
    var section = ""
    for item in items where !ofFirstStart.contains(item) {
      guard let definition = entries[item]?.definition, let name = Self.section(item) else {
        continue
      }
      if name != section { lines.append("\(name):") }
      section = name
      lines.append("  \(item.order.first):")
      lines += definition.fields.filter(\.isWritten).map { "    \(Self.line($0))" }
      lines += limits(of: item)
      if case .account(let account) = item { lines += parts(of: account) }
    }
    return lines.joined(separator: "\n") + (lines.isEmpty ? "" : "\n")
  }

  /// The section of an item; `nil` for what stands in the entry of another.
  private static func section(_ item: MarketItem) -> String? {
    switch item {
    case .area: "areas"
    case .instrument: "instruments"
    case .participant: "participants"
    case .session: "sessions"
    case .account: "accounts"
    case .meter: "meters"
    case .cap, .deposit, .instruction, .limit: nil
    }
  }

  private static func line(_ field: MarketDefinition.Field) -> String {
    guard field.isQuoted else { return "\(field.name): \(field.text)" }
    let escaped = field.text.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : "\($0)" }.joined()
    // Escapes of control characters are those of YAML.
    return "\(field.name): \"\(escaped.printable)\""
  }

  /// The limits of a participant, a session or an account.
  private func limits(of item: MarketItem) -> [String] {
    let (owner, number): (LimitOwner, UInt32)
    switch item {
    case .participant(let id): (owner, number) = (.participant, id.rawValue)
    case .session(let id): (owner, number) = (.session, id.rawValue)
    case .account(let id): (owner, number) = (.account, id.rawValue)
    default: return []
    }
    let fields = LimitKind.kinds(of: owner).compactMap {
      entries[.limit($0, number)]?.definition.fields.first
    }
    return Self.block("limits", fields.map { "      \(Self.line($0))" })
  }

  /// The caps, deposits and instructions of an account.
  private func parts(of account: AccountId) -> [String] {
    var caps: [String] = []
    var deposits: [String] = []
    var instructions: [String] = []
    for item in items {
      guard let fields = entries[item]?.definition.fields else { continue }
      switch item {
      case .cap(account, let area): caps.append("      \(area.rawValue): \(fields[0].text)")
      case .deposit(account, _): deposits.append("      - \(fields[0].text)")
      case .instruction(account, let instrument):
        instructions.append("      \(instrument.rawValue):")
        instructions += fields.map { "        \(Self.line($0))" }
      default: break
      }
    }
    return Self.block("caps", caps) + Self.block("deposits", deposits)
      + Self.block("instructions", instructions)
  }

  private static func block(_ name: String, _ lines: [String]) -> [String] {
    lines.isEmpty ? [] : ["    \(name):"] + lines
  }
}
