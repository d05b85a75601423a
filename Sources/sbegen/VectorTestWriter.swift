// Generates the tests that compare the Swift codecs with the golden vectors and the schema's enums
// with those of MarketModel.

/// Generates the files of `Tests/WireTests/Generated`.
struct VectorTestWriter {
  /// Name and text of each file.
  static func files(
    _ schema: Schema, _ vectors: [GoldenVector]
  ) -> [(name: String, text: String)] {
    var files = SchemaMessage.Part.allCases.map { part in
      let name = part.rawValue.split(separator: " ").map { String($0).capitalizedFirst }.joined()
      let own = vectors.filter { $0.message.part == part }
      return ("\(name)VectorTests", suite(name, own, schema))
    }
    files.append(("VocabularyTests", vocabulary(schema)))
    files.append(("SwiftFrames", frames(vectors)))
    return files
  }

  private static func suite(
    _ name: String, _ vectors: [GoldenVector], _ schema: Schema
  ) -> String {
    var source = SourceText()
    source.line("import MarketModel")
    source.line("import Testing")
    source.line("import Wire")
    source.line()
    source.line("@Suite struct \(name)VectorTests {")
    for vector in vectors {
      let message = vector.message.name
      let title =
        vector.variant == "nulls"
        ? "\(message) writes and reads its vector with everything absent that can be."
        : "\(message) writes and reads its golden vector."
      source.line("@Test(\"\(title)\")", indent: 1)
      source.line("func \(vector.swiftName)() throws {", indent: 1)
      source.line("let golden = [UInt8](hex:", indent: 2)
      source.line("\"\(GoldenVector.hex(vector.frame(of: schema)))\")", indent: 3)
      source.line("#expect(SwiftFrames.\(vector.swiftName)() == golden)", indent: 2)
      source.line(
        "try golden.withFrame(.\(vector.message.name.lowercasedFirst)) { frame in", indent: 2)
      source.line("let message = try #require(\(message)Decoder(frame))", indent: 3)
      for (field, value) in zip(vector.message.fields, vector.values) where !field.type.isReserved {
        source.line(
          "#expect(message.\(field.name) == \(value.swift(SwiftType(field.type))))", indent: 3)
      }
      if let group = vector.message.group {
        source.line("#expect(message.\(group.name).count == \(vector.entries.count))", indent: 3)
        for (index, entry) in vector.entries.enumerated() {
          for (field, value) in zip(group.fields, entry) where !field.type.isReserved {
            source.line(
              "#expect(message.\(group.name)[\(index)].\(field.name) == "
                + "\(value.swift(SwiftType(field.type))))", indent: 3)
          }
        }
      }
      source.line("}", indent: 2)
      source.line("}", indent: 1)
      source.line()
    }
    source.line("}")
    return CodecWriter.banner + source.text
  }

  private static func frames(_ vectors: [GoldenVector]) -> String {
    var source = SourceText()
    source.line("import MarketModel")
    source.line("import Wire")
    source.line()
    source.doc("The golden vectors, encoded by the Swift codecs.")
    source.line("enum SwiftFrames {")
    source.doc("Message name, variant and frame of each vector.", indent: 1)
    source.line(
      "static let all: [(message: String, variant: String, frame: [UInt8])] = [", indent: 1)
    for vector in vectors {
      source.line(
        "(\"\(vector.message.name)\", \"\(vector.variant)\", \(vector.swiftName)()),", indent: 2)
    }
    source.line("]", indent: 1)
    for vector in vectors {
      let message = vector.message
      source.line()
      source.line("static func \(vector.swiftName)() -> [UInt8] {", indent: 1)
      let length =
        message.group.map {
          "\(message.name)Encoder.frameLength(\($0.countName): \(vector.entries.count))"
        } ?? "\(message.name)Encoder.frameLength"
      source.line("[UInt8](frameLength: \(length)) { frame in", indent: 2)
      var arguments = zip(message.fields, vector.values).filter { !$0.0.type.isReserved }
        .map { "\($0.name): \($1.swift(SwiftType($0.type)))" }
      if let group = message.group {
        arguments.append("\(group.countName): \(vector.entries.count)")
      }
      source.line(
        "\(vector.entries.isEmpty ? "_" : "let encoder") = \(message.name)Encoder("
          + "into: frame, \(arguments.joined(separator: ", ")))", indent: 3)
      for (index, entry) in vector.entries.enumerated() {
        guard let group = message.group else { continue }
        let values = zip(group.fields, entry).filter { !$0.0.type.isReserved }
          .map { "\($0.name): \($1.swift(SwiftType($0.type)))" }
        source.line(
          "encoder.set\(group.entryName)(at: \(index), \(values.joined(separator: ", ")))",
          indent: 3)
      }
      source.line("}", indent: 2)
      source.line("}", indent: 1)
    }
    source.line("}")
    return CodecWriter.banner + source.text
  }

  private static func vocabulary(_ schema: Schema) -> String {
    var source = SourceText()
    source.line("import MarketModel")
    source.line("import Testing")
    source.line("import Wire")
    source.line()
    source.line("@Suite struct VocabularyTests {")
    for type in schema.types {
      switch type.shape {
      case .enumeration(let choices) where type.name != "Flag":
        let name = SwiftType.marketEnumerations[type.name] ?? type.name
        source.line(
          "@Test(\"\(type.name) has the same values on the wire as in the market.\")", indent: 1)
        source.line("func \(type.name.lowercasedFirst)() {", indent: 1)
        source.line(
          "#expect(\(name).allCases.map(\\.rawValue) == \(choices.map(\.value)))", indent: 2)
        for choice in choices {
          source.line("#expect(\(name).\(choice.name).rawValue == \(choice.value))", indent: 2)
        }
        source.line("}", indent: 1)
        source.line()
      case .set(let choices):
        source.line(
          "@Test(\"\(type.name) has the same bits on the wire as in the market.\")", indent: 1)
        source.line("func \(type.name.lowercasedFirst)() {", indent: 1)
        for choice in choices {
          source.line(
            "#expect(\(type.name).\(choice.name).rawValue == \(1 << choice.value))", indent: 2)
        }
        source.line("}", indent: 1)
        source.line()
      default: break
      }
    }
    source.line("}")
    return CodecWriter.banner + source.text
  }
}

extension GoldenVector {
  /// Name of its function in the tests.
  var swiftName: String {
    message.name.lowercasedFirst + (variant == "nulls" ? "WithNulls" : "")
  }
}

extension SampleValue {
  /// A Swift expression of the value as `type`.
  func swift(_ type: SwiftType) -> String {
    let number: String
    switch self {
    case .unsigned(let value): number = "\(value)"
    case .signed(let value), .mantissa(let value): number = "\(value)"
    case .absent(let null): number = null
    case .text(let text):
      let padded = Array(text.utf8) + Array(repeating: 0, count: 16 - text.utf8.count)
      let words = [padded[0..<8], padded[8..<16]].map { bytes in
        bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      }
      return "Label(low: \(words[0]), high: \(words[1]))"
    case .words(let words):
      return "\(type.name)(\(words.map { "\($0.value)" }.joined(separator: ", ")))"
    case .choice(let choice):
      if case .boolean = type { return choice.value == 0 ? "false" : "true" }
      return "\(type.name).\(choice.name)"
    case .flags(let choices):
      return "[\(choices.map { "." + $0.name }.joined(separator: ", "))] as \(type.name)"
    }
    return type.literal(number)
  }
}
