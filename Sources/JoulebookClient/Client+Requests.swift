import MarketModel
import Wire

/// What a market-data subscription starts with.
public enum Snapshot: UInt8, Sendable, CaseIterable {
  /// Nothing; only later changes are sent.
  case none = 0
  /// One `bookAdd` per resting order, then `snapshotEnd`.
  case orders = 1
  /// The depth as `levels`, then `snapshotEnd`; later `level` instead of changes of single orders.
  case levels = 2
  /// One `top` per instrument, and another when it has changed, a few times a second at most.
  /// Nothing else of the channel is sent.
  case top = 3
}

/// The view of an area's channel.
public enum MarketDataView: UInt8, Sendable, CaseIterable {
  /// By order: `bookAdd`, `bookModify`, `bookDelete`.
  case orders = 0
  /// By price level: `level`.
  case levels = 1
}

// Queries. Each method returns the sequence number of the message, which answers and rejects name
// as their reference. Errors: `.sendBufferFull`, `.connectionLost`, `.closed`.

extension Client {
  /// Requests an open order's state. Answered with `orderStatus` or `rejected`.
  @discardableResult public func requestOrderStatus(
    _ order: OrderId, account: AccountId
  ) throws(ClientError) -> UInt64 {
    try write(OrderStatusRequestEncoder.frameLength) { frame, sequence, now in
      OrderStatusRequestEncoder(
        into: frame, seqNo: sequence, sendingTime: now, orderId: order, account: account)
    }
  }

  /// Requests the reason why an open order does not trade. Answered with `explanation` or
  /// `rejected`.
  /// - Parameters:
  ///   - order: The order.
  ///   - account: The order's account; null for an operator, who may ask about any.
  @discardableResult public func requestExplanation(
    _ order: OrderId, account: AccountId = .null
  ) throws(ClientError) -> UInt64 {
    try write(ExplainRequestEncoder.frameLength) { frame, sequence, now in
      ExplainRequestEncoder(
        into: frame, seqNo: sequence, sendingTime: now, orderId: order, account: account)
    }
  }

  /// Requests an account's balance in an area. Answered with `balance` or `rejected`.
  @discardableResult public func requestBalance(
    of account: AccountId, in area: AreaId
  ) throws(ClientError) -> UInt64 {
    try write(BalanceRequestEncoder.frameLength) { frame, sequence, now in
      BalanceRequestEncoder(
        into: frame, seqNo: sequence, sendingTime: now, account: account, area: area)
    }
  }

  /// Requests the server's status. Answered with `status`.
  /// - Parameter withStateHash: Also hashes the whole state; for operators.
  @discardableResult public func requestStatus(
    withStateHash: Bool = false
  ) throws(ClientError) -> UInt64 {
    try write(StatusRequestEncoder.frameLength) { frame, sequence, now in
      StatusRequestEncoder(
        into: frame, seqNo: sequence, sendingTime: now, withStateHash: withStateHash)
    }
  }

  /// Requests areas and instruments. Answered with one `area` or `instrument` each, then
  /// `referenceDataEnd`.
  /// - Parameter area: Restricts the answer to this area; null requests all.
  @discardableResult public func requestReferenceData(
    area: AreaId = .null
  ) throws(ClientError) -> UInt64 {
    try write(ReferenceDataRequestEncoder.frameLength) { frame, sequence, now in
      ReferenceDataRequestEncoder(into: frame, seqNo: sequence, sendingTime: now, area: area)
    }
  }

  /// Subscribes to an area's market data. Answered with `acknowledged`, the snapshot, then changes.
  /// Can be called again after a gap, for a new snapshot.
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

  /// Subscribes to an area's market data from the message `from` on, to fill a gap. Answered with
  /// `acknowledged`, the missed messages, then changes; or with `rejected` and `marketDataTooOld`,
  /// after which a snapshot is needed.
  @discardableResult public func resumeMarketData(
    of area: AreaId, from: UInt64, view: MarketDataView = .orders
  ) throws(ClientError) -> UInt64 {
    let view: ChannelView = view == .levels ? .levels : .orders
    return try write(MarketDataResumeEncoder.frameLength) { frame, sequence, now in
      MarketDataResumeEncoder(
        into: frame, seqNo: sequence, sendingTime: now, fromSeqNo: from, area: area, view: view)
    }
  }

  /// Ends a subscription. Answered with `acknowledged`.
  @discardableResult public func unsubscribe(from area: AreaId) throws(ClientError) -> UInt64 {
    try write(MarketDataUnsubscribeEncoder.frameLength) { frame, sequence, now in
      MarketDataUnsubscribeEncoder(into: frame, seqNo: sequence, sendingTime: now, area: area)
    }
  }
}
