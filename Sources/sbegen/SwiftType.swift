// How a schema type appears in Swift: mostly as a type of MarketModel, so that a field of the wire is
// a quantity of the market as soon as it is read.

/// A Swift type that a field reads and writes.
enum SwiftType {
  /// A bare integer.
  case integer(Primitive)
  /// `Name(raw)` and `.rawValue`.
  case identifier(String, Primitive)
  /// `Name(label: raw)` and `.label`.
  case wrapper(String, label: String, Primitive)
  /// Several 64-bit words; with `labelled`, the initialiser names them.
  case words(String, properties: [String], labelled: Bool)
  /// An enum; `nil` when the value is not in the list.
  case enumeration(String)
  /// An option set of one byte.
  case flags(String)
  /// One byte, 0 or 1.
  case boolean
  /// Padding: written as 0, not read.
  case reserved(Primitive)

  /// Schema types that are named differently, or are no identifiers.
  private static let wrappers: [String: (name: String, label: String)] = [
    "Timestamp": ("Timestamp", "nanoseconds"), "Energy": ("Energy", "wattHours"),
    "Price": ("Price", "ticks"), "Money": ("Money", "units"),
    "Rate": ("Rate", "partsPerMillion"), "RejectCode": ("RejectCode", "rawValue"),
  ]
  private static let identifiers: [String: String] = [
    "SessionId": "SessionId", "ParticipantId": "ParticipantId", "AccountId": "AccountId",
    "InstrumentId": "InstrumentId", "AreaId": "AreaId", "Currency": "Currency",
    "MeterId": "MeterId", "OrderId": "OrderId", "ClientOrderId": "ClientOrderId",
    "TradeId": "TradeId", "Sequence64": "SequenceNumber",
  ]
  /// Enums that `MarketModel` has; the others are generated.
  static let marketEnumerations: [String: String] = [
    "Side": "Side", "OrderType": "OrderType", "TimeInForce": "TimeInForce",
    "SelfTradePrevention": "SelfTradePrevention", "Sides": "MassCancel.Sides",
    "AssetKind": "AssetKind", "InstrumentKind": "InstrumentKind",
    "InstrumentState": "InstrumentState", "CancelReason": "CancelReason",
    "WaitReason": "WaitReason",
  ]
  /// Sets that `MarketModel` has; the others are generated.
  static let marketSets: Set<String> = ["Roles"]

  /// The Swift type of `type`.
  init(_ type: SchemaType) {
    switch type.shape {
    case .plain(let primitive, _):
      if type.isReserved {
        self = .reserved(primitive)
      } else if let identifier = Self.identifiers[type.name] {
        self = .identifier(identifier, primitive)
      } else if let wrapper = Self.wrappers[type.name] {
        self = .wrapper(wrapper.name, label: wrapper.label, primitive)
      } else {
        self = .integer(primitive)
      }
    case .text: self = .words("Label", properties: ["low", "high"], labelled: true)
    case .composite(let members):
      let sent = members.filter { $0.constant == nil }
      if sent.count == 1, let wrapper = Self.wrappers[type.name] {
        self = .wrapper(wrapper.name, label: wrapper.label, sent[0].primitive)
      } else {
        self = .words(type.name, properties: sent.map(\.name), labelled: false)
      }
    case .enumeration:
      self =
        type.name == "Flag"
        ? .boolean : .enumeration(Self.marketEnumerations[type.name] ?? type.name)
    case .set: self = .flags(type.name)
    }
  }

  /// The type in a parameter list.
  var name: String {
    switch self {
    case .integer(let primitive), .reserved(let primitive): primitive.swiftName
    case .identifier(let name, _), .wrapper(let name, _, _), .words(let name, _, _),
      .enumeration(let name), .flags(let name):
      name
    case .boolean: "Bool"
    }
  }

  /// The type that a getter returns.
  var readName: String {
    if case .enumeration(let name) = self { return name + "?" }
    return name
  }

  /// An expression that reads it at `offset` from the pointer `base`.
  func read(_ base: String, _ offset: Int) -> String {
    func load(_ type: String, _ at: Int) -> String { "\(base).little(\(at), as: \(type).self)" }
    switch self {
    case .integer(let primitive), .reserved(let primitive):
      return load(primitive.swiftName, offset)
    case .identifier(let name, let primitive):
      return "\(name)(\(load(primitive.swiftName, offset)))"
    case .wrapper(let name, let label, let primitive):
      return "\(name)(\(label): \(load(primitive.swiftName, offset)))"
    case .words(let name, let properties, let labelled):
      let words = properties.enumerated().map { index, property in
        (labelled ? "\(property): " : "") + load("UInt64", offset + 8 * index)
      }
      return "\(name)(\(words.joined(separator: ", ")))"
    case .enumeration(let name), .flags(let name):
      return "\(name)(rawValue: \(load("UInt8", offset)))"
    case .boolean: return load("UInt8", offset) + " != 0"
    }
  }

  /// A number as a value of this type.
  func literal(_ number: String) -> String {
    switch self {
    case .identifier(let name, _): "\(name)(\(number))"
    case .wrapper(let name, let label, _): "\(name)(\(label): \(number))"
    default: number
    }
  }

  /// Statements that write `value` at `offset` from the pointer `base`.
  func write(_ value: String, _ base: String, _ offset: Int) -> [String] {
    switch self {
    case .integer: ["\(base).setLittle(\(offset), \(value))"]
    case .identifier, .enumeration, .flags: ["\(base).setLittle(\(offset), \(value).rawValue)"]
    case .wrapper(_, let label, _): ["\(base).setLittle(\(offset), \(value).\(label))"]
    case .words(_, let properties, _):
      properties.enumerated().map { index, property in
        "\(base).setLittle(\(offset + 8 * index), \(value).\(property))"
      }
    case .boolean: ["\(base).setLittle(\(offset), (\(value) ? 1 : 0) as UInt8)"]
    case .reserved(let primitive):
      ["\(base).setLittle(\(offset), 0 as \(primitive.swiftName))"]
    }
  }
}
