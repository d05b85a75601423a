// Types of quantities. All are integers, so the notional of a trade is exact:
// price (1e-5 currency per kWh) x energy (Wh) = money (1e-8 currency). (Market rules 1)

/// Energy held or traded, in whole watt-hours.
public struct Energy: Hashable, Comparable, Sendable, BitwiseCopyable {
  /// Watt-hours.
  public var wattHours: Int64

  /// An amount of `wattHours` Wh.
  @inlinable public init(wattHours: Int64) { self.wattHours = wattHours }

  /// No energy.
  @inlinable public static var zero: Energy { Energy(wattHours: 0) }

  /// Orders by amount.
  @inlinable public static func < (a: Energy, b: Energy) -> Bool { a.wattHours < b.wattHours }

  /// The cost of this energy at `price`; exact, since 1e-5 per kWh times 1 Wh is 1e-8.
  /// - Returns: `nil` when the amount exceeds 64 bits; the caller rejects the order.
  @inlinable public func cost(at price: Price) -> Money? {
    let (amount, overflow) = price.ticks.multipliedReportingOverflow(by: wattHours)
    return overflow ? nil : Money(units: amount)
  }
}

/// A price in 1e-5 currency per kWh (0.01 per MWh). May be negative.
public struct Price: Hashable, Comparable, Sendable, BitwiseCopyable {
  /// Units of 1e-5 currency per kWh.
  public var ticks: Int64

  /// A price of `ticks` x 1e-5 per kWh.
  @inlinable public init(ticks: Int64) { self.ticks = ticks }

  /// A price of 0.
  @inlinable public static var zero: Price { Price(ticks: 0) }

  /// Orders by value.
  @inlinable public static func < (a: Price, b: Price) -> Bool { a.ticks < b.ticks }
}

/// An amount of money in 1e-8 of its currency. May be negative.
public struct Money: Hashable, Comparable, Sendable, BitwiseCopyable {
  /// Units of 1e-8 currency.
  public var units: Int64

  /// An amount of `units` x 1e-8.
  @inlinable public init(units: Int64) { self.units = units }

  /// No money.
  @inlinable public static var zero: Money { Money(units: 0) }

  /// Orders by amount.
  @inlinable public static func < (a: Money, b: Money) -> Bool { a.units < b.units }
}

/// A point in time: nanoseconds since the Unix epoch, UTC. Only the sequencer reads a clock.
public struct Timestamp: Hashable, Comparable, Sendable, BitwiseCopyable {
  /// Nanoseconds since 1970-01-01T00:00:00Z.
  public var nanoseconds: UInt64

  /// The time `nanoseconds` after the epoch.
  @inlinable public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

  /// The null value of the wire, which means never.
  @inlinable public static var never: Timestamp { Timestamp(nanoseconds: .max) }

  /// Orders by time.
  @inlinable public static func < (a: Timestamp, b: Timestamp) -> Bool {
    a.nanoseconds < b.nanoseconds
  }
}

/// A rate in parts per million (1e-6), not negative. Used for fees and losses.
public struct Rate: Hashable, Sendable, BitwiseCopyable {
  /// Parts per million.
  public var partsPerMillion: UInt32

  /// A rate of `partsPerMillion` x 1e-6.
  @inlinable public init(partsPerMillion: UInt32) { self.partsPerMillion = partsPerMillion }

  /// A rate of 0.
  @inlinable public static var zero: Rate { Rate(partsPerMillion: 0) }

  /// The highest rate an instrument or area may have: 50 %.
  @inlinable public static var highest: Rate { Rate(partsPerMillion: 500_000) }

  /// The rate applied to the magnitude of `amount`, rounded up, against the payer (market rules 1).
  /// - Returns: `nil` for `Int64.min`, whose magnitude exceeds 64 bits.
  @inlinable @inline(__always) public func roundedUp(of amount: Int64) -> Int64? {
    let product = amount.magnitude.multipliedFullWidth(by: UInt64(partsPerMillion))
    if product.high | product.low &>> 63 != 0 { return roundedUpInFull(of: amount) }
    // Without a sign, the division by a constant is one multiplication.
    return Int64(bitPattern: (product.low &+ 999_999) / 1_000_000)
  }

  /// The rate of an amount whose product with it exceeds 63 bits.
  @inline(never) @usableFromInline func roundedUpInFull(of amount: Int64) -> Int64? {
    guard amount != .min else { return nil }
    // Exact in 128 bits; the quotient fits because the rate is below 1.
    let wide = amount.magnitude.multipliedFullWidth(by: UInt64(partsPerMillion))
    let (quotient, remainder) = UInt64(1_000_000).dividingFullWidth(wide)
    return Int64(quotient + (remainder > 0 ? 1 : 0))
  }
}
