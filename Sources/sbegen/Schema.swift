// The schema as sbegen sees it: the part of SBE 1.0 that the portable profile allows, no more.

/// A primitive type of SBE.
enum Primitive: String {
  case char, uint8, uint16, uint32, uint64, int8, int16, int32, int64

  /// Bytes on the wire.
  var size: Int {
    switch self {
    case .char, .uint8, .int8: 1
    case .uint16, .int16: 2
    case .uint32, .int32: 4
    case .uint64, .int64: 8
    }
  }

  /// The Swift integer that carries it.
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

  /// Whether it carries a sign.
  var isSigned: Bool { rawValue.hasPrefix("int") }
}

/// A named value of an enum, or a named bit of a set.
struct SchemaChoice {
  let name: String
  /// The wire value, or the bit's position.
  let value: Int
  let description: String
  /// The version of the schema that added it; 1: it was always there.
  let sinceVersion: Int
  /// Its attributes of the namespace jb.
  let marks: [String: String]
}

/// A member of a composite.
struct SchemaMember {
  let name: String
  let primitive: Primitive
  /// The constant that stands for it; nothing is sent then.
  let constant: String?
}

/// A type that fields name.
struct SchemaType {
  /// What it is made of.
  enum Shape {
    case plain(Primitive, null: String?)
    case text(length: Int)
    case composite([SchemaMember])
    case enumeration([SchemaChoice])
    case set([SchemaChoice])
  }

  let name: String
  let shape: Shape
  /// The unit, from the description's part before the first semicolon; empty for enums and sets.
  let unit: String
  let description: String

  /// Bytes on the wire.
  var size: Int {
    switch shape {
    case .plain(let primitive, _): primitive.size
    case .text(let length): length
    case .composite(let members):
      members.reduce(0) { $0 + ($1.constant == nil ? $1.primitive.size : 0) }
    case .enumeration, .set: 1
    }
  }

  /// The value that stands for "absent", if the type has one.
  var null: String? {
    if case .plain(_, let null) = shape { return null }
    return nil
  }

  /// Whether it only fills space.
  var isReserved: Bool { name.hasPrefix("Reserved") }
}

/// A field of a message or of a group's entry.
struct SchemaField {
  let name: String
  let id: Int
  let type: SchemaType
  /// From the start of its block.
  let offset: Int
  /// The version of the schema that appended it; 1: it was always there.
  let sinceVersion: Int
  let description: String
  /// Its attributes of the namespace jb.
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
  /// Who sends it.
  enum Direction: String, CaseIterable {
    case toServer = "To server"
    case toClient = "To client"
    case bothWays = "Both ways"
  }

  /// Which part of the protocol it belongs to, by its id.
  enum Part: String, CaseIterable {
    case session = "Session"
    case orderEntry = "Order entry"
    case reports = "Reports"
    case metering = "Metering"
    case referenceData = "Reference data"
    case marketData = "Market data"
    case operation = "Operator"

    /// The part of the template `id`.
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
  /// Without the direction.
  let description: String
  let fields: [SchemaField]
  let group: SchemaGroup?
  /// The version of the schema that added it; 1: it was always there.
  let sinceVersion: Int
  /// Its attributes of the namespace jb.
  let marks: [String: String]

  /// Bytes before the block: frame header and SBE header.
  static let headerLength = 12
  /// Bytes of a group's dimensions.
  static let dimensionLength = 4

  /// The whole frame; of a message with a group, with no entry.
  var frameLength: Int {
    Self.headerLength + blockLength + (group == nil ? 0 : Self.dimensionLength)
  }

  /// Bytes of the block in the first version of the schema: the least that is read.
  var leastBlockLength: Int { fields.first { $0.sinceVersion > 1 }?.offset ?? blockLength }

  /// The part of the protocol.
  var part: Part { Part(id: id) }
}

/// The whole schema.
struct Schema {
  let id: Int
  let version: Int
  /// In the order of the file.
  let types: [SchemaType]
  /// In the order of the file.
  let messages: [SchemaMessage]
}
