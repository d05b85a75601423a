// Capacity is given at the start and taken at the start: no order ever waits for memory.

import MarketModel

/// How much an exchange can hold. Numbers run from 1 to the capacity.
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
  /// Positions: accounts times the areas they are in. As many cash holdings.
  public var positions: UInt32
  /// Open orders; at most 2^24.
  public var orders: UInt32
  /// Price levels at which an order rests, over all books; at most 2^23.
  public var priceLevels: UInt32
  /// Most re-cover steps of one drain (market rules 4): what is left is done by the next.
  public var cascadeSteps: UInt32

  /// The capacity with these numbers.
  public init(
    participants: UInt32, sessions: UInt32, accounts: UInt32, areas: UInt32, instruments: UInt32,
    meters: UInt32, positions: UInt32, orders: UInt32, priceLevels: UInt32,
    cascadeSteps: UInt32 = 1_000_000
  ) {
    (self.participants, self.sessions, self.accounts) = (participants, sessions, accounts)
    (self.areas, self.instruments, self.meters) = (areas, instruments, meters)
    (self.positions, self.orders, self.priceLevels) = (positions, orders, priceLevels)
    self.cascadeSteps = cascadeSteps
  }

  /// For tests and a single community: a few MiB.
  public static let small = Capacity(
    participants: 64, sessions: 256, accounts: 1_024, areas: 16, instruments: 64, meters: 1_024,
    positions: 2_048, orders: 16_384, priceLevels: 8_192)

  /// For an exchange: a million orders, some 250 MiB when full. Untouched memory costs nothing.
  public static let standard = Capacity(
    participants: 4_096, sessions: 16_384, accounts: 262_144, areas: 1_024, instruments: 16_384,
    meters: 262_144, positions: 524_288, orders: 1 << 20, priceLevels: 1 << 19)
}

/// Bounds that the rules name (docs/MARKET-RULES.md, section 1).
public enum Limit {
  /// Highest quantity of one order, in Wh.
  public static let orderQuantity: Int64 = 1 << 36
  /// Most parts that an iceberg can be shown in: a bound on the trades that one order can cause with it.
  public static let icebergParts: Int64 = 100
  /// Highest production or consumption of one reading, in Wh.
  public static let reading: Int64 = 1 << 40
  /// Highest magnitude of a price, in 1e-5 per kWh.
  public static let price: Int64 = 1 << 40
  /// Highest sum of deposits of a currency, of an area's production, and of its grid account.
  public static let total: Int64 = 1 << 61
  /// Most cash of a currency that accounts and houses for fees hold together, and most that accounts owe
  /// (market rules 1, from version 2 on), in 1e-8.
  public static let cash: Int64 = 1 << 62
  /// Most prices in a band.
  public static let bandTicks: Int64 = 1 << 24
  /// Highest cap, in Wh.
  public static let cap: Int64 = 1 << 50
}
