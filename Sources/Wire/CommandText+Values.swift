// Text form of the values in a command's fields.

import MarketModel

/// A value that can be written in the text of a command.
protocol TextValue {
  /// The value as one word; a quoted word may contain spaces.
  var word: String { get }
  /// Parses a word; `nil` if it is invalid.
  init?(word text: String)
  /// Describes the form to users: "a price such as 0.08".
  static var form: String { get }
}

// MARK: Numbers

extension UInt16: TextValue {
  var word: String { String(self) }
  init?(word text: String) { self.init(text, radix: 10) }
  static var form: String { "a whole number up to \(Self.max)" }
}

extension UInt32: TextValue {
  var word: String { String(self) }
  init?(word text: String) { self.init(text, radix: 10) }
  static var form: String { "a whole number up to \(Self.max)" }
}

extension UInt64: TextValue {
  var word: String { String(self) }
  init?(word text: String) {
    let isHash = text.hasPrefix("0x")
    self.init(isHash ? text.dropFirst(2) : text[...], radix: isHash ? 16 : 10)
  }
  static var form: String { "a whole number, or hexadecimal digits after 0x" }
}

extension Int64: TextValue {
  var word: String { String(self) }
  init?(word text: String) { self.init(text, radix: 10) }
  static var form: String { "a whole number, which may be negative" }
}

extension Bool: TextValue {
  var word: String { self ? "yes" : "no" }
  init?(word text: String) {
    guard text == "yes" || text == "no" else { return nil }
    self = text == "yes"
  }
  static var form: String { "yes or no" }
}

extension TextValue where Self: Identifier {
  var word: String { String(rawValue) }
  init?(word text: String) {
    guard let number = RawValue(text, radix: 10) else { return nil }
    self.init(number)
  }
  static var form: String { "a number up to \(RawValue.max)" }
}

extension ParticipantId: TextValue {}
extension SessionId: TextValue {}
extension AccountId: TextValue {}
extension AreaId: TextValue {}
extension InstrumentId: TextValue {}
extension MeterId: TextValue {}
extension OrderId: TextValue {}
extension ClientOrderId: TextValue {}
extension SequenceNumber: TextValue {}

extension Currency: TextValue {
  static var form: String { "an ISO 4217 number such as 978 for EUR" }
}

// MARK: Quantities

extension Price: TextValue {
  var word: String { Decimal.text(ticks, places: 5) }
  init?(word text: String) {
    guard let ticks = Decimal.units(text, places: 5) else { return nil }
    self.init(ticks: ticks)
  }
  static var form: String { "a price per kWh such as 0.08, with 5 decimals at most" }
}

extension Money: TextValue {
  var word: String { Decimal.text(units, places: 8) }
  init?(word text: String) {
    guard let units = Decimal.units(text, places: 8) else { return nil }
    self.init(units: units)
  }
  static var form: String { "an amount of money such as 12.50, with 8 decimals at most" }
}

extension Rate: TextValue {
  var word: String { "\(partsPerMillion)ppm" }
  init?(word text: String) {
    guard text.hasSuffix("ppm"), let parts = UInt32(text.dropLast(3), radix: 10) else { return nil }
    self.init(partsPerMillion: parts)
  }
  static var form: String { "parts per million such as 2000ppm" }
}

extension Energy: TextValue {
  var word: String { "\(wattHours)Wh" }
  init?(word text: String) {
    if text.hasSuffix("kWh") {
      guard let units = Decimal.units(String(text.dropLast(3)), places: 3) else { return nil }
      self.init(wattHours: units)
    } else {
      guard text.hasSuffix("Wh"), let units = Int64(text.dropLast(2), radix: 10) else { return nil }
      self.init(wattHours: units)
    }
  }
  static var form: String { "energy such as 5000Wh or 5kWh" }
}

extension Timestamp: TextValue {
  var word: String { self == .never ? "never" : String(nanoseconds) }
  init?(word text: String) {
    if text == "never" {
      self = .never
    } else {
      guard let nanoseconds = UInt64(text, radix: 10) else { return nil }
      self.init(nanoseconds: nanoseconds)
    }
  }
  static var form: String { "nanoseconds since 1970, or never" }
}

/// Exact conversion of decimal numbers.
private enum Decimal {
  /// The text of `units` x 10^-places.
  static func text(_ units: Int64, places: Int) -> String {
    var digits = String(units.magnitude)
    while digits.utf8.count <= places { digits = "0" + digits }
    return (units < 0 ? "-" : "") + digits.dropLast(places) + "." + digits.suffix(places)
  }

  /// The number of units of 10^-places; `nil` if `text` is not a decimal number or has more places.
  static func units(_ text: String, places: Int) -> Int64? {
    let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    var fraction = parts.count > 1 ? String(parts[1]) : ""
    guard parts[0].utf8.last.map(isDigit) == true, fraction.utf8.allSatisfy(isDigit),
      fraction.utf8.count <= places, parts.count == 1 || !fraction.isEmpty
    else { return nil }
    while fraction.utf8.count < places { fraction += "0" }
    return Int64(parts[0] + fraction, radix: 10)
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}

// MARK: Lists

extension TextValue where Self: CaseIterable & RawRepresentable<UInt8> {
  var word: String { "\(self)" }
  init?(word text: String) {
    guard let value = Self.allCases.first(where: { $0.word == text }) else { return nil }
    self = value
  }
  static var form: String { allCases.map(\.word).joined(separator: ", ") }
}

extension Side: TextValue {}
extension OrderType: TextValue {}
extension TimeInForce: TextValue {}
extension SelfTradePrevention: TextValue {}
extension SelfTradeScope: TextValue {}
extension MassCancel.Sides: TextValue {}
extension LimitKind: TextValue {}
extension AssetKind: TextValue {}
extension SessionOrders: TextValue {}
extension InstrumentKind: TextValue {}
extension InstrumentState: TextValue {}
extension ParameterSubject: TextValue {}
extension AccountState: TextValue {}
extension ReadingQuality: TextValue {}
extension MeterAttestation: TextValue {}
extension MeterTechnology: TextValue {}
extension Parameter: TextValue {}

extension Roles: TextValue {
  private static let names: [(name: String, role: Roles)] = [
    ("trading", .trading), ("metering", .metering), ("administration", .administration),
    ("dropCopy", .dropCopy), ("participantAdministration", .participantAdministration),
    ("surveillance", .surveillance),
  ]

  /// Names joined by `+`, such as `trading+metering`; bits without a name as a number.
  var word: String {
    if isEmpty { return "none" }
    let named = Self.names.filter { contains($0.role) }.map(\.name)
    let rest = subtracting(.all)
    return (named + (rest.isEmpty ? [] : [String(rest.rawValue)])).joined(separator: "+")
  }

  init?(word text: String) {
    self = []
    if text == "none" { return }
    for word in text.split(separator: "+", omittingEmptySubsequences: false) {
      if let named = Self.names.first(where: { $0.name == word }) {
        insert(named.role)
      } else {
        guard let bits = UInt8(word, radix: 10) else { return nil }
        formUnion(Roles(rawValue: bits))
      }
    }
  }

  static var form: String {
    "none, or of \(names.map(\.name).joined(separator: ", ")) with + between"
  }
}

// MARK: Bytes

extension Label: TextValue {
  var word: String {
    Quoted.text(
      [low, high].flatMap { word in withUnsafeBytes(of: word.littleEndian) { Array($0) } })
  }

  init?(word text: String) {
    guard let bytes = Quoted.bytes(text, most: 16) else { return nil }
    self = bytes.withUnsafeBytes { bytes in
      Label(
        low: UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self)),
        high: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
    }
  }

  static var form: String { "up to 16 ASCII characters in quotation marks" }
}

extension NoteText: TextValue {
  var word: String { Quoted.text(bytes) }

  init?(word text: String) {
    guard let bytes = Quoted.bytes(text, most: NoteText.most) else { return nil }
    self.init(bytes: bytes)
  }

  static var form: String {
    "up to 40 bytes in quotation marks, such as \"order 17\"; \\xNN for what is not ASCII"
  }
}

/// Bytes in quotation marks; those that are not printable ASCII as `\xNN`. Trailing zero bytes are
/// omitted.
private enum Quoted {
  static func text(_ all: [UInt8]) -> String {
    var bytes = all
    while bytes.last == 0 { bytes.removeLast() }
    let escaped = bytes.map { byte in
      switch byte {
      case 0x22, 0x5C: "\\" + String(decoding: [byte], as: UTF8.self)
      case 0x20..<0x7F: String(decoding: [byte], as: UTF8.self)
      default: "\\x" + Hex.text([byte])
      }
    }
    return "\"" + escaped.joined() + "\""
  }

  /// The bytes of a quoted text, filled up with zeros to `most`; `nil` when it is none.
  static func bytes(_ text: String, most: Int) -> [UInt8]? {
    guard text.utf8.count > 1, text.hasPrefix("\""), text.hasSuffix("\"") else { return nil }
    var bytes: [UInt8] = []
    var rest = text.utf8.dropFirst().dropLast()
    while let byte = rest.popFirst() {
      guard byte == 0x5C else {
        guard (0x20..<0x7F).contains(byte) else { return nil }
        bytes.append(byte)
        continue
      }
      guard let next = rest.popFirst() else { return nil }
      if next == 0x78 {
        guard let value = Hex.bytes(String(decoding: rest.prefix(2), as: UTF8.self)),
          value.count == 1
        else { return nil }
        bytes.append(value[0])
        rest = rest.dropFirst(2)
      } else {
        bytes.append(next)
      }
    }
    guard bytes.count <= most else { return nil }
    while bytes.count < most { bytes.append(0) }
    return bytes
  }
}

extension PublicKey: TextValue {
  var word: String { Hex.text(bytes) }
  init?(word text: String) {
    guard let bytes = Hex.bytes(text) else { return nil }
    self.init(bytes: bytes)
  }
  static var form: String { "a public key, 64 hexadecimal digits" }
}

/// Bytes as pairs of hexadecimal digits.
private enum Hex {
  static func text(_ bytes: [UInt8]) -> String {
    bytes.map { byte in
      let digits = String(byte, radix: 16)
      return digits.utf8.count == 1 ? "0" + digits : digits
    }.joined()
  }

  static func bytes(_ text: String) -> [UInt8]? {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while !rest.isEmpty {
      let pair = String(decoding: rest.prefix(2), as: UTF8.self)
      guard pair.utf8.count == 2, let byte = UInt8(pair, radix: 16) else { return nil }
      bytes.append(byte)
      rest = rest.dropFirst(2)
    }
    return bytes
  }
}
