// Golden vectors: all messages with fixed values, encoded directly from the schema's offsets. Tests
// compare the Swift codecs and the Python library with these bytes, so three independent encoders
// must agree.

/// Value of a field in a vector.
enum SampleValue {
  case unsigned(UInt64)
  case signed(Int64)
  case absent(null: String)
  case text(String)
  case words([(name: String, value: UInt64)])
  /// A composite with one number.
  case mantissa(Int64)
  case choice(SchemaChoice)
  case flags([SchemaChoice])
}

/// A message with values for all its fields.
struct GoldenVector {
  let message: SchemaMessage
  /// "values", or "nulls" when all nullable fields are null.
  let variant: String
  /// Values of the block's fields.
  let values: [SampleValue]
  /// Values of each entry of the group.
  let entries: [[SampleValue]]

  /// The vectors of `message`.
  static func all(_ message: SchemaMessage) -> [GoldenVector] {
    ["values", "nulls"].compactMap { variant in
      let nulls = variant == "nulls"
      let nullable = (message.fields + (message.group?.fields ?? [])).contains {
        $0.type.null != nil
      }
      guard !nulls || nullable else { return nil }
      let entryCount = message.group == nil ? 0 : nulls ? 0 : 3
      return GoldenVector(
        message: message, variant: variant,
        values: message.fields.map {
          sample($0, seed: UInt64(message.id * 1000 + $0.id), nulls: nulls)
        },
        entries: (0..<entryCount).map { entry in
          (message.group?.fields ?? []).map {
            sample($0, seed: UInt64(message.id * 1000 + $0.id + 100 * (entry + 1)), nulls: nulls)
          }
        })
    }
  }

  private static func sample(_ field: SchemaField, seed: UInt64, nulls: Bool) -> SampleValue {
    // SplitMix64: a fixed function that gives well mixed values.
    func mixed(_ step: UInt64) -> UInt64 {
      var z = (seed &* 31 &+ step) &* 0x9E37_79B9_7F4A_7C15
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
    switch field.type.shape {
    case .plain(let primitive, let null):
      if field.type.isReserved { return .unsigned(0) }
      if nulls, let null { return .absent(null: null) }
      if primitive.isSigned { return .signed(Int64(bitPattern: mixed(1))) }
      return .unsigned(mixed(1) & (UInt64.max >> UInt64(64 - 8 * primitive.size)))
    case .text(let length): return .text(String("Vector-\(seed)-abcdefgh".prefix(length)))
    case .composite(let members):
      let sent = members.filter { $0.constant == nil }
      if sent.count == 1 { return .mantissa(Int64(bitPattern: mixed(1))) }
      return .words(
        sent.enumerated().map { (name: $1.name, value: mixed(UInt64($0) + 1)) })
    case .enumeration(let choices): return .choice(choices[Int(seed % UInt64(choices.count))])
    case .set(let choices):
      return .flags(choices.filter { seed >> UInt64($0.value) & 1 == 1 })
    }
  }
}

// MARK: - Bytes

extension GoldenVector {
  /// The encoded frame.
  func frame(of schema: Schema) -> [UInt8] {
    var block = zip(message.fields, values).flatMap { $1.bytes($0.type) }
    if let group = message.group {
      block += Self.little(UInt64(group.blockLength), 2) + Self.little(UInt64(entries.count), 2)
      for entry in entries { block += zip(group.fields, entry).flatMap { $1.bytes($0.type) } }
    }
    let header = [
      SchemaMessage.headerLength + block.count, 0xEB50, message.blockLength, message.id, schema.id,
      schema.version,
    ]
    return header.flatMap { Self.little(UInt64($0), 2) } + block
  }

  /// The `size` lowest bytes of `value`, little-endian.
  static func little(_ value: UInt64, _ size: Int) -> [UInt8] {
    (0..<size).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
  }

  /// All vectors as JSON: values in the form of the Python library, and the frame in hexadecimal
  /// digits.
  static func json(_ vectors: [GoldenVector], schema: Schema) -> String {
    let lines = vectors.map { vector in
      var fields = zip(vector.message.fields, vector.values).map { "\"\($0.name)\": \($1.json)" }
      if let group = vector.message.group {
        let entries = vector.entries.map { entry in
          "{"
            + zip(group.fields, entry).map { "\"\($0.name)\": \($1.json)" }
            .joined(separator: ", ") + "}"
        }
        fields.append("\"\(group.name)\": [\(entries.joined(separator: ", "))]")
      }
      return """
          {"message": "\(vector.message.name)", "variant": "\(vector.variant)",
           "values": {\(fields.joined(separator: ", "))},
           "frame": "\(hex(vector.frame(of: schema)))"}
        """
    }
    return "[\n" + lines.joined(separator: ",\n") + "\n]\n"
  }

  /// `bytes` in lower-case hexadecimal digits.
  static func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}

extension SampleValue {
  /// The value encoded as `type`.
  func bytes(_ type: SchemaType) -> [UInt8] {
    switch self {
    case .unsigned(let value): GoldenVector.little(value, type.size)
    case .signed(let value), .mantissa(let value):
      GoldenVector.little(UInt64(bitPattern: value), type.size)
    case .absent(let null):
      GoldenVector.little(UInt64(null) ?? UInt64(bitPattern: Int64(null) ?? 0), type.size)
    case .text(let text):
      Array(text.utf8) + Array(repeating: 0, count: type.size - text.utf8.count)
    case .words(let words): words.flatMap { GoldenVector.little($0.value, 8) }
    case .choice(let choice): [UInt8(choice.value)]
    case .flags(let choices): [choices.reduce(0) { $0 | 1 << UInt8($1.value) }]
    }
  }

  /// The value in the form of the Python library, as JSON.
  var json: String {
    switch self {
    case .unsigned(let value): "\(value)"
    case .signed(let value): "\(value)"
    case .mantissa(let value): "{\"mantissa\": \(value)}"
    case .absent: "null"
    case .text(let text): "\"\(text)\""
    case .words(let words):
      "{" + words.map { "\"\($0.name)\": \($0.value)" }.joined(separator: ", ") + "}"
    case .choice(let choice): "\"\(choice.name)\""
    case .flags(let choices):
      "[" + choices.map { "\"\($0.name)\"" }.joined(separator: ", ") + "]"
    }
  }
}
