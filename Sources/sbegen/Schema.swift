// The model of a schema. It covers the portable profile, a subset of SBE 1.0.

/// A primitive type of SBE.
enum Primitive: String {
  case char, uint8, uint16, uint32, uint64, int8, int16, int32, int64

  /// Encoded size in bytes.
  var size: Int {
    switch self {
    case .char, .uint8, .int8: 1
    case .uint16, .int16: 2
    case .uint32, .int32: 4
    case .uint64, .int64: 8
    }
  }

  /// Name of the Swift integer type.
  var swiftName: String {
    switch self {
    case .char, .uint8: "UInt8"
    case .uint16: "UInt16"
    case .uint32: "UInt32"
    case .uint64: "UInt64"
    case .int8: "Int8"
    case .int16: "Int16"
    case .int32: "Int32"
    case .int64: "Int64"
    }
  }

  /// Whether it is a signed integer.
  var isSigned: Bool { rawValue.hasPrefix("int") }
}

/// A named value of an enum, or a named bit of a set.
struct SchemaChoice {
  let name: String
  /// The encoded value, or the position of the bit.
  let value: Int
  let description: String
  /// Version of the schema that added it; 1 for the first.
  let sinceVersion: Int
  /// Attributes of the namespace jb.
  let marks: [String: String]
}

/// A member of a composite.
struct SchemaMember {
  let name: String
  let primitive: Primitive
  /// The constant value of the member, which is not encoded; `nil` for an encoded member.
  let constant: String?
}

/// A named type of fields.
struct SchemaType {
  /// Structure of the type.
  enum Shape {
    case plain(Primitive, null: String?)
    case text(length: Int)
    case composite([SchemaMember])
    case enumeration([SchemaChoice])
    case set([SchemaChoice])
  }

  let name: String
  let shape: Shape
  /// Unit: the description up to the first semicolon; empty for enums and sets.
  let unit: String
  let description: String

  /// Encoded size in bytes.
  var size: Int {
    switch shape {
    case .plain(let primitive, _): primitive.size
    case .text(let length): length
    case .composite(let members):
      members.reduce(0) { $0 + ($1.constant == nil ? $1.primitive.size : 0) }
    case .enumeration, .set: 1
    }
  }

  /// The null value; `nil` when the type has none.
  var null: String? {
    if case .plain(_, let null) = shape { return null }
    return nil
  }

  /// Whether it is padding.
  var isReserved: Bool { name.hasPrefix("Reserved") }
}

/// A field of a message or of a group's entry.
struct SchemaField {
  let name: String
  let id: Int
  let type: SchemaType
  /// Offset from the start of the block, in bytes.
  let offset: Int
  /// Version of the schema that appended it; 1 for the first.
  let sinceVersion: Int
  let description: String
  /// Attributes of the namespace jb.
  let marks: [String: String]
}

/// A repeating group.
struct SchemaGroup {
  let name: String
  let blockLength: Int
  let fields: [SchemaField]
  let description: String
}

/// A message template.
struct SchemaMessage {
  /// Sender of a message.
  enum Direction: String, CaseIterable {
    case toServer = "To server"
    case toClient = "To client"
    case bothWays = "Both ways"
  }

  /// Part of the protocol, by template id.
  enum Part: String, CaseIterable {
    case session = "Session"
    case orderEntry = "Order entry"
    case reports = "Reports"
    case metering = "Metering"
    case referenceData = "Reference data"
    case marketData = "Market data"
    case operation = "Operator"

    /// The part that contains the template `id`.
    init(id: Int) {
      switch id {
      case ..<20: self = .session
      case ..<40: self = .orderEntry
      case ..<60: self = .reports
      case ..<70: self = .metering
      case ..<80: self = .referenceData
      case ..<100: self = .marketData
      default: self = .operation
      }
    }
  }

  let name: String
  let id: Int
  let blockLength: Int
  let direction: Direction
  /// The description without the direction.
  let description: String
  let fields: [SchemaField]
  let group: SchemaGroup?
  /// Version of the schema that added it; 1 for the first.
  let sinceVersion: Int
  /// Attributes of the namespace jb.
  let marks: [String: String]

  /// Length of frame header and SBE header, which precede the block, in bytes.
  static let headerLength = 12
  /// Length of the dimensions of a group, in bytes.
  static let dimensionLength = 4

  /// Length of a frame without group entries, in bytes.
  var frameLength: Int {
    Self.headerLength + blockLength + (group == nil ? 0 : Self.dimensionLength)
  }

  /// Shortest block that is accepted, in bytes: that of the first version of the message.
  var leastBlockLength: Int { fields.first { $0.sinceVersion > 1 }?.offset ?? blockLength }

  /// Lengths at which the block of an older version, or a part of it, ends where a field ends, in bytes; the whole
  /// block is not among them.
  var olderBlockLengths: [Int] {
    fields.filter { $0.sinceVersion > 1 }.map(\.offset)
  }

  /// Part of the protocol that the message belongs to.
  var part: Part { Part(id: id) }
}

/// A message schema: its numbers, types and messages.
struct Schema {
  let id: Int
  let version: Int
  /// Types in the order of the file.
  let types: [SchemaType]
  /// Messages in the order of the file.
  let messages: [SchemaMessage]
}
