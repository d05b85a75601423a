// The Swift types of fields: mostly types of MarketModel, so that decoders return quantities of the
// market.

/// The Swift type of a field.
enum SwiftType {
  /// A plain integer.
  case integer(Primitive)
  /// An identifier with `Name(raw)` and `.rawValue`.
  case identifier(String, Primitive)
  /// A quantity with `Name(label: raw)` and `.label`.
  case wrapper(String, label: String, Primitive)
  /// Several 64-bit words; with `labelled`, the initialiser has argument labels.
  case words(String, properties: [String], labelled: Bool)
  /// An enum; decoders return `nil` for unknown values.
  case enumeration(String)
  /// An option set of one byte.
  case flags(String)
  /// One byte, 0 or 1.
  case boolean
  /// Padding: zero when written, ignored when read.
  case reserved(Primitive)

  /// Schema types with another name in Swift, or that are not identifiers.
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
  /// Enums of `MarketModel`; all others are generated.
  static let marketEnumerations: [String: String] = [
    "Side": "Side", "OrderType": "OrderType", "TimeInForce": "TimeInForce",
    "SelfTradePrevention": "SelfTradePrevention", "Sides": "MassCancel.Sides",
    "AssetKind": "AssetKind", "InstrumentKind": "InstrumentKind",
    "InstrumentState": "InstrumentState", "CancelReason": "CancelReason",
    "WaitReason": "WaitReason", "SessionOrders": "SessionOrders",
    "ParameterSubject": "ParameterSubject", "Parameter": "Parameter",
    "AccountState": "AccountState", "ReadingQuality": "ReadingQuality",
    "MeterAttestation": "MeterAttestation", "MeterTechnology": "MeterTechnology",
    "SelfTradeScope": "SelfTradeScope", "LimitKind": "LimitKind",
    "ListKind": "ListKind", "ListScope": "ListScope", "RejectField": "RejectField",
  ]
  /// Sets of `MarketModel`; all others are generated.
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

  /// Name of the type in a parameter list.
  var name: String {
    switch self {
    case .integer(let primitive), .reserved(let primitive): primitive.swiftName
    case .identifier(let name, _), .wrapper(let name, _, _), .words(let name, _, _),
      .enumeration(let name), .flags(let name):
      name
    case .boolean: "Bool"
    }
  }

  /// Name of the type that a getter returns.
  var readName: String {
    if case .enumeration(let name) = self { return name + "?" }
    return name
  }

  /// An expression that reads a value at `offset` of the pointer `base`.
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

  /// A Swift expression of the number as a value of this type.
  func literal(_ number: String) -> String {
    switch self {
    case .identifier(let name, _): "\(name)(\(number))"
    case .wrapper(let name, let label, _): "\(name)(\(label): \(number))"
    case .enumeration(let name): "\(name)(rawValue: \(number))"
    case .boolean: "\(number) != 0"
    case .words(let name, let properties, true):
      "\(name)(\(properties.map { "\($0): \(number)" }.joined(separator: ", ")))"
    default: number
    }
  }

  /// Statements that write `value` at `offset` of the pointer `base`.
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
