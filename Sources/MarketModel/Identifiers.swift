// Types of identifiers, so that an account cannot be passed in place of an instrument. Ids of the
// engine (orders, trades) have 64 bits. Ids that an operator assigns have 16 or 32 bits and are
// small numbers, because the engine uses them as table indices.

/// An identifier that wraps one integer.
public protocol Identifier: Hashable, Comparable, Sendable, BitwiseCopyable {
  /// The integer type of the wire format.
  associatedtype RawValue: FixedWidthInteger & Sendable
  /// The wrapped integer.
  var rawValue: RawValue { get }
  /// The identifier with that integer.
  init(_ rawValue: RawValue)
}

extension Identifier {
  /// Compares the integers.
  @inlinable public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// A participant: a firm, community operator or household that owns sessions and accounts.
public struct ParticipantId: Identifier {
  /// 1 ... capacity; 0 is the exchange itself.
  public var rawValue: UInt32
  /// The participant with that number.
  @inlinable public init(_ rawValue: UInt32) { self.rawValue = rawValue }
  /// The exchange itself: timers, settlement, checkpoints.
  @inlinable public static var exchange: ParticipantId { ParticipantId(0) }
}

/// A session identity: one key, one set of roles, one participant. All FIXP session versions of a
/// client share it, so that reports reach the client after a reconnect.
public struct SessionId: Identifier {
  /// 1 ... capacity; 0 is the exchange itself.
  public var rawValue: UInt32
  /// The session identity with that number.
  @inlinable public init(_ rawValue: UInt32) { self.rawValue = rawValue }
  /// The exchange itself: timers, settlement, checkpoints.
  @inlinable public static var exchange: SessionId { SessionId(0) }
}

/// An account that holds cash and energy.
public struct AccountId: Identifier {
  /// 1 ... capacity for participants' accounts; house accounts have the highest bit set; 0 is null.
  public var rawValue: UInt32
  /// The account with that number.
  @inlinable public init(_ rawValue: UInt32) { self.rawValue = rawValue }
  /// No account.
  @inlinable public static var null: AccountId { AccountId(0) }

  /// The house account of `area` in `role`: `0x8000_0000 | area << 8 | role`.
  @inlinable public static func house(_ area: AreaId, _ role: HouseRole) -> AccountId {
    AccountId(0x8000_0000 | UInt32(area.rawValue) << 8 | UInt32(role.rawValue))
  }

  /// The account outside the exchange from which deposits in `currency` come:
  /// `0xC000_0000 | currency`.
  @inlinable public static func outside(_ currency: Currency) -> AccountId {
    AccountId(0xC000_0000 | UInt32(currency.rawValue))
  }

  /// Whether this is a house or outside account rather than a participant's.
  @inlinable public var isHouse: Bool { rawValue & 0x8000_0000 != 0 }
}

/// The purposes of house accounts. Each area has one account for each.
public enum HouseRole: UInt8, Sendable, CaseIterable, BitwiseCopyable {
  /// Trading fees, including their rounding.
  case fees = 1
  /// The owners of the storage.
  case storage = 2
  /// Education.
  case education = 3
  /// The local network.
  case network = 4
  /// The surrounding grid, the counterparty of imports and exports.
  case grid = 5
}

/// A market area (a microgrid, say) with one storage pool.
public struct AreaId: Identifier {
  /// 1 ... capacity; 0 is null.
  public var rawValue: UInt16
  /// The area with that number.
  @inlinable public init(_ rawValue: UInt16) { self.rawValue = rawValue }
  /// No area.
  @inlinable public static var null: AreaId { AreaId(0) }
}

/// An instrument: the spot energy of one area.
public struct InstrumentId: Identifier {
  /// 1 ... capacity; 0 is null; in a filter it means all instruments.
  public var rawValue: UInt32
  /// The instrument with that number.
  @inlinable public init(_ rawValue: UInt32) { self.rawValue = rawValue }
  /// No instrument, or all of them.
  @inlinable public static var null: InstrumentId { InstrumentId(0) }
}

/// A registered meter.
public struct MeterId: Identifier {
  /// 1 ... capacity; 0 is null.
  public var rawValue: UInt32
  /// The meter with that number.
  @inlinable public init(_ rawValue: UInt32) { self.rawValue = rawValue }
}

/// An order id, issued by the engine: `generation << 32 | slot`. The slot is the order's table
/// index, and the generation distinguishes the uses of a slot.
public struct OrderId: Identifier {
  /// `generation << 32 | slot`; 0 is null.
  public var rawValue: UInt64
  /// The order with that number.
  @inlinable public init(_ rawValue: UInt64) { self.rawValue = rawValue }
  /// The id of the order in `slot` at its `generation`-th use.
  @inlinable public init(slot: UInt32, generation: UInt32) {
    rawValue = UInt64(generation) << 32 | UInt64(slot)
  }
  /// Index into the order pool.
  @inlinable public var slot: UInt32 { UInt32(truncatingIfNeeded: rawValue) }
  /// The number of the use of the slot, from 1.
  @inlinable public var generation: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 32) }
  /// No order.
  @inlinable public static var null: OrderId { OrderId(0) }
}

/// A client order id. It strictly increases for each account over new orders, replaces and
/// transfers, so that resending a message is safe. 0 marks an order of the engine (market rules 8).
public struct ClientOrderId: Identifier {
  /// 1 or higher; 0 for orders of the engine.
  public var rawValue: UInt64
  /// The client order id with that number.
  @inlinable public init(_ rawValue: UInt64) { self.rawValue = rawValue }
  /// The id of all orders that the engine makes.
  @inlinable public static var engine: ClientOrderId { ClientOrderId(0) }
}

/// A trade id: 1, 2, 3 ... over all instruments.
public struct TradeId: Identifier {
  /// 1 or higher.
  public var rawValue: UInt64
  /// The trade with that number.
  @inlinable public init(_ rawValue: UInt64) { self.rawValue = rawValue }
}

/// The position of a command in the journal: 1, 2, 3 ... without gaps.
public struct SequenceNumber: Identifier {
  /// 1 or higher; 0 means before the first command.
  public var rawValue: UInt64
  /// The sequence number with that value.
  @inlinable public init(_ rawValue: UInt64) { self.rawValue = rawValue }
  /// Before the first command.
  @inlinable public static var none: SequenceNumber { SequenceNumber(0) }
}

/// A currency by its ISO 4217 numeric code.
public struct Currency: Identifier {
  /// ISO 4217 numeric: 978 EUR, 756 CHF, 840 USD, 826 GBP.
  public var rawValue: UInt16
  /// The currency with that ISO 4217 numeric code.
  @inlinable public init(_ rawValue: UInt16) { self.rawValue = rawValue }
  /// Euro.
  @inlinable public static var eur: Currency { Currency(978) }
}

/// Up to 16 ASCII characters, padded with zeros: an EIC area code, a symbol, a short name of a
/// firm.
public struct Label: Hashable, Sendable, BitwiseCopyable {
  /// Characters 1 to 8, the first one in the lowest byte.
  public var low: UInt64
  /// Characters 9 to 16, the ninth one in the lowest byte.
  public var high: UInt64

  /// The label with these 16 bytes, little-endian.
  @inlinable public init(low: UInt64, high: UInt64) {
    self.low = low
    self.high = high
  }

  /// A label from printable ASCII.
  /// - Returns: `nil` when `text` has more than 16 bytes or other characters.
  public init?(_ text: String) {
    var words: (UInt64, UInt64) = (0, 0)
    var count = 0
    for byte in text.utf8 {
      guard count < 16, byte >= 0x20, byte < 0x7F else { return nil }
      if count < 8 {
        words.0 |= UInt64(byte) << UInt64(8 * count)
      } else {
        words.1 |= UInt64(byte) << UInt64(8 * (count - 8))
      }
      count += 1
    }
    self.init(low: words.0, high: words.1)
  }

  /// Whether the label has printable ASCII only, and nothing after a zero byte, so that it can be
  /// written to a terminal or a file as it is. Constant time.
  public var isPrintable: Bool { Label(text) == self }

  /// Whether it has characters, and all of them are blanks, so that nobody could see it.
  public var isBlank: Bool {
    let text = text
    return !text.isEmpty && text.allSatisfy { $0 == " " }
  }

  /// The characters before the first zero byte.
  public var text: String {
    var bytes: [UInt8] = []
    for index in 0..<16 {
      let word = index < 8 ? low : high
      let byte = UInt8(truncatingIfNeeded: word >> UInt64(8 * (index % 8)))
      if byte == 0 { break }
      bytes.append(byte)
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The label without characters.
  @inlinable public static var empty: Label { Label(low: 0, high: 0) }
}

/// An Ed25519 public key: 32 bytes as four little-endian words.
public struct PublicKey: Hashable, Sendable, BitwiseCopyable {
  /// Bytes 0 to 7.
  public var word0: UInt64
  /// Bytes 8 to 15.
  public var word1: UInt64
  /// Bytes 16 to 23.
  public var word2: UInt64
  /// Bytes 24 to 31.
  public var word3: UInt64

  /// The key with these words.
  @inlinable public init(_ word0: UInt64, _ word1: UInt64, _ word2: UInt64, _ word3: UInt64) {
    (self.word0, self.word1, self.word2, self.word3) = (word0, word1, word2, word3)
  }

  /// Whether the key is a point of small order of the curve, in any of its encodings: a signature
  /// that verifies with such a key needs no private key, so it identifies nobody. Constant time.
  public var isOfSmallOrder: Bool {
    let high = word3 & (UInt64.max >> 1)
    return PublicKey.smallOrders.contains { $0 == PublicKey(word0, word1, word2, high) }
  }

  /// Ordinates of the eight points of small order of edwards25519 (RFC 8032, section 5.1), without
  /// the sign bit: 0, 1, p - 1, p, p + 1 and the two of order 8.
  private static let smallOrders: [PublicKey] = [
    PublicKey(0, 0, 0, 0), PublicKey(1, 0, 0, 0),
    PublicKey(0xFFFF_FFFF_FFFF_FFEC, .max, .max, .max >> 1),
    PublicKey(0xFFFF_FFFF_FFFF_FFED, .max, .max, .max >> 1),
    PublicKey(0xFFFF_FFFF_FFFF_FFEE, .max, .max, .max >> 1),
    PublicKey(
      0xB027_B2C2_8F95_E826, 0xF098_EFF2_89F4_C345, 0x3933_C6D3_05AC_DFD5, 0x05FC_536D_8802_38B1),
    PublicKey(
      0x4FD8_4D3D_706A_17C7, 0x0F67_100D_760B_3CBA, 0xC6CC_392C_FA53_202A, 0x7A03_AC92_77FD_C74E),
  ]

  /// The key with these 32 bytes.
  /// - Returns: `nil` when there are not exactly 32.
  public init?(bytes: some Sequence<UInt8>) {
    var words: [UInt64] = [0, 0, 0, 0]
    var count = 0
    for byte in bytes {
      guard count < 32 else { return nil }
      words[count / 8] |= UInt64(byte) << UInt64(8 * (count % 8))
      count += 1
    }
    guard count == 32 else { return nil }
    self.init(words[0], words[1], words[2], words[3])
  }

  /// The 32 bytes.
  public var bytes: [UInt8] {
    [word0, word1, word2, word3].flatMap { word in
      (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) }
    }
  }
}
