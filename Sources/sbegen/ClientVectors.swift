// The vectors that clients in other languages read: those of proto/vectors, and frames of other
// versions of the schema.

/// A frame, and what a client must read in it.
struct ClientVector {
  let message: SchemaMessage
  /// "values" and "nulls", which clients must also write; "older", whose block ends where that of the
  /// message's first version does; "newer", whose block has eight bytes more; "unknown", whose enums
  /// have a value that the schema lacks.
  let variant: String
  let frame: [UInt8]
  /// Values of the block's fields, and of each entry of the group.
  let values: [SampleValue]
  let entries: [[SampleValue]]

  /// A value of no enum.
  private static let unknownChoice = SchemaChoice(
    name: "200", value: 200, description: "", sinceVersion: 1, marks: [:])

  /// The vectors of a message's golden vectors.
  static func all(_ golden: [GoldenVector], schema: Schema) -> [ClientVector] {
    golden.flatMap { vector in
      var found = [ClientVector(vector, schema, variant: vector.variant)]
      guard vector.variant == "values" else { return found }
      let message = vector.message
      found.append(ClientVector(vector, schema, variant: "newer", appended: 8))
      let least = message.leastBlockLength
      if least < message.blockLength {
        let older = zip(message.fields, vector.values).map { field, value in
          field.offset < least ? value : SampleValue.left(field.type)
        }
        found.append(
          ClientVector(
            GoldenVector(
              message: message, variant: "older", values: older, entries: vector.entries), schema,
            variant: "older", appended: least - message.blockLength))
      }
      let unknown = vector.values.map { value in
        if case .choice = value { return SampleValue.choice(unknownChoice) }
        return value
      }
      if message.fields.contains(where: \.isChoice) {
        found.append(
          ClientVector(
            GoldenVector(
              message: message, variant: "unknown", values: unknown, entries: vector.entries),
            schema, variant: "unknown"))
      }
      return found
    }
  }

  /// The vector, with a block that is longer, or shorter with a negative number.
  private init(_ vector: GoldenVector, _ schema: Schema, variant: String, appended: Int = 0) {
    message = vector.message
    self.variant = variant
    values = vector.values
    entries = vector.entries
    var frame = vector.frame(of: schema)
    let length = message.blockLength + appended
    let end = SchemaMessage.headerLength + message.blockLength
    if appended > 0 {
      frame.insert(contentsOf: [UInt8](repeating: 0xA5, count: appended), at: end)
    } else {
      frame.removeSubrange(end + appended..<end)
    }
    frame.replaceSubrange(0..<2, with: GoldenVector.little(UInt64(frame.count), 2))
    frame.replaceSubrange(4..<6, with: GoldenVector.little(UInt64(length), 2))
    self.frame = frame
  }

  /// All vectors as lines, for programs without a reader of JSON: message, variant and frame; then
  /// each field with its value in the form of the clients' printers; then an empty line.
  static func text(_ golden: [GoldenVector], schema: Schema) -> String {
    all(golden, schema: schema).map { vector in
      var lines = ["\(vector.message.name) \(vector.variant) \(GoldenVector.hex(vector.frame))"]
      lines += fieldLines(vector.message.fields, vector.values, prefix: "")
      if let group = vector.message.group {
        lines.append("\(group.name) \(vector.entries.count)")
        for (index, entry) in vector.entries.enumerated() {
          lines += fieldLines(group.fields, entry, prefix: "\(group.name)[\(index)].")
        }
      }
      return lines.joined(separator: "\n") + "\n\n"
    }.joined()
  }

  private static func fieldLines(
    _ fields: [SchemaField], _ values: [SampleValue], prefix: String
  ) -> [String] {
    zip(fields, values).filter { !$0.0.type.isReserved }
      .map { "\(prefix)\($0.name) \($1.plain($0.type))" }
  }
}

extension SchemaField {
  /// Whether it has a value of an enum.
  fileprivate var isChoice: Bool {
    if case .enumeration = type.shape { return true }
    return false
  }
}

extension SampleValue {
  /// The value as clients print it: bytes in hexadecimal digits, flags joined with `|`.
  fileprivate func plain(_ type: SchemaType) -> String {
    switch self {
    case .unsigned(let value): "\(value)"
    case .signed(let value), .mantissa(let value): "\(value)"
    case .absent: "null"
    case .text(let text): text
    case .words: GoldenVector.hex(bytes(type))
    case .choice(let choice): choice.name
    case .flags(let choices): choices.map(\.name).joined(separator: "|")
    }
  }

  /// What a field has that the sender's block lacks: null, or 0.
  static func left(_ type: SchemaType) -> SampleValue {
    switch type.shape {
    case .plain(_, let null?): .absent(null: null)
    case .plain: .unsigned(0)
    case .text: .text("")
    case .composite(let members):
      members.contains { $0.constant != nil } || members.count == 1
        ? .mantissa(0) : .words(members.map { (name: $0.name, value: 0) })
    case .enumeration(let choices): .choice(choices[0])
    case .set: .flags([])
    }
  }
}
