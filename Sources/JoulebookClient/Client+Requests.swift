import MarketModel
import Wire

/// What a market-data subscription begins with.
public enum Snapshot: UInt8, Sendable, CaseIterable {
  /// Nothing: only what happens from now on.
  case none = 0
  /// A `bookAdd` for each resting order, then `snapshotEnd`.
  case orders = 1
  /// The depth as `levels`, then `snapshotEnd`, then `level` in place of each change of an order.
  case levels = 2
  /// A `top` for each instrument, then one whenever it has changed, a few times a second at most;
  /// nothing else of the channel.
  case top = 3
}

/// How a subscriber sees an area's channel.
public enum MarketDataView: UInt8, Sendable, CaseIterable {
  /// Order by order: `bookAdd`, `bookModify`, `bookDelete`.
  case orders = 0
  /// Level by level: `level`.
  case levels = 1
}

// Questions. Each returns the message's sequence number, which its answer and a reject name as their
// reference, and throws `.sendBufferFull`, `.connectionLost` or `.closed`.

extension Client {
  /// Asks for an open order's state: `orderStatus` or `rejected`.
  @discardableResult public func requestOrderStatus(
    _ order: OrderId, account: AccountId
  ) throws(ClientError) -> UInt64 {
    try write(OrderStatusRequestEncoder.frameLength) { frame, sequence, now in
      OrderStatusRequestEncoder(
        into: frame, seqNo: sequence, sendingTime: now, orderId: order, account: account)
    }
  }

  /// Asks why an open order does not trade: `explanation` or `rejected`.
  /// - Parameter account: Its owner; null for an operator, who may ask about any.
  @discardableResult public func requestExplanation(
    _ order: OrderId, account: AccountId = .null
  ) throws(ClientError) -> UInt64 {
    try write(ExplainRequestEncoder.frameLength) { frame, sequence, now in
      ExplainRequestEncoder(
        into: frame, seqNo: sequence, sendingTime: now, orderId: order, account: account)
    }
  }

  /// Asks for an account's balances in an area: `balance` or `rejected`.
  @discardableResult public func requestBalance(
    of account: AccountId, in area: AreaId
  ) throws(ClientError) -> UInt64 {
    try write(BalanceRequestEncoder.frameLength) { frame, sequence, now in
      BalanceRequestEncoder(
        into: frame, seqNo: sequence, sendingTime: now, account: account, area: area)
    }
  }

  /// Asks how the server is: `status`.
  /// - Parameter withStateHash: Also hashes the whole state; for operators.
  @discardableResult public func requestStatus(
    withStateHash: Bool = false
  ) throws(ClientError) -> UInt64 {
    try write(StatusRequestEncoder.frameLength) { frame, sequence, now in
      StatusRequestEncoder(
        into: frame, seqNo: sequence, sendingTime: now, withStateHash: withStateHash)
    }
  }

  /// Asks for areas and instruments: `area` and `instrument` each, then `referenceDataEnd`.
  /// - Parameter area: Only this one; null: all.
  @discardableResult public func requestReferenceData(
    area: AreaId = .null
  ) throws(ClientError) -> UInt64 {
    try write(ReferenceDataRequestEncoder.frameLength) { frame, sequence, now in
      ReferenceDataRequestEncoder(into: frame, seqNo: sequence, sendingTime: now, area: area)
    }
  }

  /// Subscribes to an area's market data: `acknowledged`, the snapshot, then changes. Again, for a
  /// new snapshot, after a gap.
  @discardableResult public func subscribe(
    to area: AreaId, snapshot: Snapshot = .orders
  ) throws(ClientError) -> UInt64 {
    let kind: SnapshotKind =
      switch snapshot {
      case .none: .none
      case .orders: .orders
      case .levels: .levels
      case .top: .top
      }
    return try write(MarketDataSubscribeEncoder.frameLength) { frame, sequence, now in
      MarketDataSubscribeEncoder(
        into: frame, seqNo: sequence, sendingTime: now, area: area, snapshot: kind)
    }
  }

  /// Subscribes to an area's market data from the message `from` on, to fill a gap: `acknowledged`, what
  /// was missed, then changes; or `rejected` with `marketDataTooOld`, then subscribe with a snapshot.
  @discardableResult public func resumeMarketData(
    of area: AreaId, from: UInt64, view: MarketDataView = .orders
  ) throws(ClientError) -> UInt64 {
    let view: ChannelView = view == .levels ? .levels : .orders
    return try write(MarketDataResumeEncoder.frameLength) { frame, sequence, now in
      MarketDataResumeEncoder(
        into: frame, seqNo: sequence, sendingTime: now, fromSeqNo: from, area: area, view: view)
    }
  }

  /// Ends a subscription: `acknowledged`.
  @discardableResult public func unsubscribe(from area: AreaId) throws(ClientError) -> UInt64 {
    try write(MarketDataUnsubscribeEncoder.frameLength) { frame, sequence, now in
      MarketDataUnsubscribeEncoder(into: frame, seqNo: sequence, sendingTime: now, area: area)
    }
  }
}
