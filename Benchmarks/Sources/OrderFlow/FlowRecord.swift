// The record of a flow, and the results of a flow. FlowFile.swift draws the layout. The types are public because
// only public code is inlined into another module.

/// One operation of a flow.
public struct FlowRecord: BitwiseCopyable {
  /// A limit order, good till cancelled.
  @inlinable public static var add: UInt8 { 0 }
  /// The cancel of a resting order.
  @inlinable public static var cancel: UInt8 { 1 }
  /// A meter reading of the account: `quantity` Wh produced (side 1) or consumed (side 0).
  @inlinable public static var reading: UInt8 { 2 }

  public var orderId: UInt64
  public var price: Int32
  public var quantity: UInt32
  public var symbol: UInt32
  public var account: UInt32
  public var operation: UInt8
  public var side: UInt8
  public var flags: UInt16
  public var zero: UInt32 = 0

  public init(
    orderId: UInt64, price: Int32, quantity: UInt32, symbol: UInt32, account: UInt32,
    operation: UInt8, side: UInt8, flags: UInt16
  ) {
    (self.orderId, self.price, self.quantity) = (orderId, price, quantity)
    (self.symbol, self.account, self.operation) = (symbol, account, operation)
    (self.side, self.flags) = (side, flags)
  }
}

/// The results of a flow, over prefill and timed records.
public struct FlowResult: Equatable {
  public var trades: UInt64 = 0
  public var volume: UInt64 = 0
  public var notional: UInt64 = 0
  public var hash: UInt64 = 0x9E37_79B9_7F4A_7C15
  public var resting: UInt64 = 0

  public init(
    trades: UInt64 = 0, volume: UInt64 = 0, notional: UInt64 = 0,
    hash: UInt64 = 0x9E37_79B9_7F4A_7C15, resting: UInt64 = 0
  ) {
    (self.trades, self.volume, self.notional) = (trades, volume, notional)
    (self.hash, self.resting) = (hash, resting)
  }

  /// Adds a trade. The format defines all arithmetic modulo 2^64.
  @inlinable @inline(__always) public mutating func trade(
    maker: UInt64, taker: UInt64, price: Int64, quantity: Int64
  ) {
    let (p, q) = (UInt64(bitPattern: price), UInt64(bitPattern: quantity))
    trades &+= 1
    volume &+= q
    notional &+= p &* q
    let mixed =
      maker &* 0x9E37_79B9_7F4A_7C15 &+ taker &* 0xC2B2_AE3D_27D4_EB4F
      &+ p &* 0x1656_67B1_9E37_79F9 &+ q
    hash = (hash &<< 5 | hash &>> 59) ^ mixed
  }
}
