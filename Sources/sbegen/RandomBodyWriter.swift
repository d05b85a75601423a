// Generates random commands for tests. Each field is drawn from a source.

/// Generates `RandomBody.generated.swift`.
enum RandomBodyWriter {
  /// The text of the file.
  static func file(_ schema: CommandSchema) -> String {
    var source = SourceText()
    source.line("import MarketModel")
    source.line()
    source.line(opening)
    for command in schema.commands {
      guard let payload = command.payload else {
        source.line("case .\(command.name): return \(command.pattern)", indent: 1)
        continue
      }
      source.line("case .\(command.name):", indent: 1)
      source.line("let value = \(payload)(", indent: 2)
      source.list(
        command.properties.map { "\($0.name): \(draw($0, "\(command.name).\($0.name)"))" },
        indent: 3)
      source.line(")", indent: 2)
      source.line("return \(command.pattern("value"))", indent: 2)
    }
    source.line("}", indent: 1)
    source.line("}")
    return PayloadWriter.banner + source.text
  }

  private static func draw(_ property: CommandProperty, _ field: String) -> String {
    let name = field.swiftLiteral
    let value = "source.\(function(property.type))(\(name))"
    return property.standard.map { "source.leavesOut(\(name)) ? \($0) : \(value)" } ?? value
  }

  private static func function(_ type: SwiftType) -> String {
    switch type {
    case .integer, .reserved: "integer"
    case .identifier: "identifier"
    case .wrapper(let name, _, _), .words(let name, _, _), .flags(let name): name.lowercasedFirst
    case .enumeration: "choice"
    case .boolean: "flag"
    }
  }

  private static let opening = """
    /// The source of the fields of random commands. `field` is its name, such as
    /// `setTariff.feedInPrice`.
    protocol FieldSource {
      /// Whether an optional field gets its default.
      mutating func leavesOut(_ field: String) -> Bool
      /// A number that is neither an identifier nor a quantity.
      mutating func integer<Value: FixedWidthInteger>(_ field: String) -> Value
      /// An identifier.
      mutating func identifier<Value: Identifier>(_ field: String) -> Value
      /// A value of an enum.
      mutating func choice<Value: CaseIterable>(_ field: String) -> Value
      mutating func flag(_ field: String) -> Bool
      mutating func price(_ field: String) -> Price
      mutating func energy(_ field: String) -> Energy
      mutating func money(_ field: String) -> Money
      mutating func timestamp(_ field: String) -> Timestamp
      mutating func rate(_ field: String) -> Rate
      mutating func label(_ field: String) -> Label
      mutating func publicKey(_ field: String) -> PublicKey
      /// A note.
      mutating func noteText(_ field: String) -> NoteText
      mutating func roles(_ field: String) -> Roles
    }

    /// A command of `kind`. Its fields are drawn in the order of its struct.
    func randomBody(_ kind: CommandKind, _ source: inout some FieldSource) -> Command.Body {
      switch kind {
    """
}
