// A record of a flow and what the records come to; FlowFile.swift draws the bytes.

/// One operation of a flow.
package struct FlowRecord: BitwiseCopyable {
  /// A limit order, good till cancelled.
  @inlinable package static var add: UInt8 { 0 }
  /// The cancel of a live order.
  @inlinable package static var cancel: UInt8 { 1 }
  /// `quantity` Wh produced (side 1) or consumed (side 0) by the account's meter.
  @inlinable package static var reading: UInt8 { 2 }

  package var orderId: UInt64
  package var price: Int32
  package var quantity: UInt32
  package var symbol: UInt32
  package var account: UInt32
  package var operation: UInt8
  package var side: UInt8
  package var flags: UInt16
  package var zero: UInt32 = 0

  package init(
    orderId: UInt64, price: Int32, quantity: UInt32, symbol: UInt32, account: UInt32,
    operation: UInt8, side: UInt8, flags: UInt16
  ) {
    (self.orderId, self.price, self.quantity) = (orderId, price, quantity)
    (self.symbol, self.account, self.operation) = (symbol, account, operation)
    (self.side, self.flags) = (side, flags)
  }
}

/// What a flow comes to: over prefill and timed records.
package struct FlowResult: Equatable {
  package var trades: UInt64 = 0
  package var volume: UInt64 = 0
  package var notional: UInt64 = 0
  package var hash: UInt64 = 0x9E37_79B9_7F4A_7C15
  package var resting: UInt64 = 0

  package init(
    trades: UInt64 = 0, volume: UInt64 = 0, notional: UInt64 = 0,
    hash: UInt64 = 0x9E37_79B9_7F4A_7C15, resting: UInt64 = 0
  ) {
    (self.trades, self.volume, self.notional) = (trades, volume, notional)
    (self.hash, self.resting) = (hash, resting)
  }

  /// Folds a trade; all arithmetic is modulo 2^64 by the format's definition.
  @inlinable @inline(__always) package mutating func trade(
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
