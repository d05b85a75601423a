// All memory is reserved when the exchange is created, so that no command allocates.

import MarketModel

/// The number of entities of each kind that an exchange can hold. Entities are numbered from 1 to
/// the capacity.
public struct Capacity: Sendable, Hashable {
  /// Participants.
  public var participants: UInt32
  /// Session identities.
  public var sessions: UInt32
  /// Accounts.
  public var accounts: UInt32
  /// Areas; at most 65,535.
  public var areas: UInt32
  /// Instruments.
  public var instruments: UInt32
  /// Meters.
  public var meters: UInt32
  /// Positions: one for each account and asset. The number of cash holdings has this limit too.
  public var positions: UInt32
  /// Open orders; at most 2^24.
  public var orders: UInt32
  /// Price levels with resting orders, over all books; at most 2^23.
  public var priceLevels: UInt32
  /// The most open orders of one account (market rules 11, "Shares").
  public var accountOrders: UInt32
  /// The most price levels that count for one account, whose orders opened them.
  public var accountLevels: UInt32
  /// References of deposits and withdrawals that are known (market rules 6).
  public var cashReferences: UInt32
  /// Readings that are kept for later versions and late intervals (market rules 7); at most 2^28.
  public var readings: UInt32
  /// Changes of an area's prices and losses that are kept; 2 to 16,384.
  public var tariffHistory: UInt32
  /// Readings in quarantine.
  public var quarantine: UInt32
  /// The most positions that one command processes in its cascade (market rules 4); the next
  /// command continues with the rest.
  public var cascadeSteps: UInt32

  /// A capacity; `accountOrders`, `accountLevels`, `cashReferences`, `readings`, `tariffHistory`,
  /// `quarantine` and `cascadeSteps` have the defaults of the standard exchange. These defaults never
  /// change: a data folder written before there were shares, references or kept readings lacks them,
  /// and its journal must replay with the same ones.
  public init(
    participants: UInt32, sessions: UInt32, accounts: UInt32, areas: UInt32, instruments: UInt32,
    meters: UInt32, positions: UInt32, orders: UInt32, priceLevels: UInt32,
    accountOrders: UInt32 = 200_000, accountLevels: UInt32 = 100_000,
    cashReferences: UInt32 = 1_048_576, readings: UInt32 = 1 << 24,
    tariffHistory: UInt32 = 4_096, quarantine: UInt32 = 65_536,
    cascadeSteps: UInt32 = 1_000_000
  ) {
    (self.participants, self.sessions, self.accounts) = (participants, sessions, accounts)
    (self.areas, self.instruments, self.meters) = (areas, instruments, meters)
    (self.positions, self.orders, self.priceLevels) = (positions, orders, priceLevels)
    (self.accountOrders, self.accountLevels) = (accountOrders, accountLevels)
    (self.cashReferences, self.cascadeSteps) = (cashReferences, cascadeSteps)
    (self.readings, self.tariffHistory) = (readings, tariffHistory)
    self.quarantine = quarantine
  }

  /// For tests and for a single community: a few MiB of memory.
  public static let small = Capacity(
    participants: 64, sessions: 256, accounts: 1_024, areas: 16, instruments: 64, meters: 1_024,
    positions: 2_048, orders: 16_384, priceLevels: 8_192, readings: 65_536, tariffHistory: 256,
    quarantine: 1_024)

  /// For an exchange with a million open orders: about 280 MiB when it is full. Pages that were
  /// never written take no memory.
  public static let standard = Capacity(
    participants: 4_096, sessions: 16_384, accounts: 262_144, areas: 1_024, instruments: 16_384,
    meters: 262_144, positions: 524_288, orders: 1 << 20, priceLevels: 1 << 19)
}

/// The bounds of docs/MARKET-RULES.md, section 1.
public enum Limit {
  /// Highest quantity of one order, in Wh.
  public static let orderQuantity: Int64 = 1 << 36
  /// The most slices in which an iceberg can be displayed. It bounds the trades that one incoming
  /// order can have with one iceberg.
  public static let icebergParts: Int64 = 100
  /// Highest production or consumption of one reading, in Wh.
  public static let reading: Int64 = 1 << 40
  /// The rated power of a meter that is registered without one, in W.
  public static let meterPower: Int64 = 100_000
  /// The longest interval of a reading, in ns: 24 hours.
  public static let readingSpan: UInt64 = 86_400_000_000_000
  /// The most by which the end of a reading's interval may be ahead of the exchange's time, in ns.
  public static let readingAhead: UInt64 = 60_000_000_000
  /// Highest register sequence (market rules 7, from version 8 on).
  public static let registerSequence: UInt64 = 1 << 62
  /// The most readings of a meter in quarantine.
  public static let quarantineOfMeter: UInt32 = 8
  /// Highest magnitude of a price, in 1e-5 per kWh.
  public static let price: Int64 = 1 << 40
  /// Highest total: deposits of a currency (1e-8), production of an area (Wh), and the cash of an
  /// area's grid account (1e-8).
  public static let total: Int64 = 1 << 61
  /// The most cash of a currency that accounts and fee accounts hold together, and the most that
  /// accounts owe together, in 1e-8 (market rules 1, from version 2 on).
  public static let cash: Int64 = 1 << 62
  /// Highest client order id (market rules 1, from version 4 on).
  public static let clientOrderId: UInt64 = 1 << 62
  /// The most ticks between the lowest and the highest price of an instrument.
  public static let bandTicks: Int64 = 1 << 24
  /// The most changes of parameters that wait for their moment.
  public static let pendingParameters: UInt32 = 1_024
  /// The turns with trades of one drain that are not counted, and how many counted ones a position may
  /// have (market rules 4, "Circles").
  public static let tradingTurns: UInt32 = 32
  /// Highest cap, in Wh.
  public static let cap: Int64 = 1 << 50
}
