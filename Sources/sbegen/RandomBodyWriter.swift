// Writes the tests' random commands: any command with each field drawn from a source.

/// Writes `RandomBody.generated.swift` of the tests that draw commands.
enum RandomBodyWriter {
  /// The file.
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
    /// Where random commands take their fields from. Each draw gets the field's name, `setTariff.feedInPrice`.
    protocol FieldSource {
      /// Whether a field that may be left out is.
      mutating func leavesOut(_ field: String) -> Bool
      /// A number that is no identifier and no quantity.
      mutating func integer<Value: FixedWidthInteger>(_ field: String) -> Value
      /// A number of something.
      mutating func identifier<Value: Identifier>(_ field: String) -> Value
      /// A value of a closed list.
      mutating func choice<Value: CaseIterable>(_ field: String) -> Value
      mutating func flag(_ field: String) -> Bool
      mutating func price(_ field: String) -> Price
      mutating func energy(_ field: String) -> Energy
      mutating func money(_ field: String) -> Money
      mutating func timestamp(_ field: String) -> Timestamp
      mutating func rate(_ field: String) -> Rate
      mutating func label(_ field: String) -> Label
      mutating func publicKey(_ field: String) -> PublicKey
      mutating func roles(_ field: String) -> Roles
    }

    /// A command of `kind`, its fields drawn in the order of its struct.
    func randomBody(_ kind: CommandKind, _ source: inout some FieldSource) -> Command.Body {
      switch kind {
    """
}
