import JoulebookClient
import MarketModel
import Wire

/// Sends the records of a flow file in the file's order, each on the session of its account. A
/// client order id is the file's order id plus an offset. Owned by the load's thread.
final class FlowCursor {
  let flow: FlowFile
  private let market: LoadMarket
  /// Index of the next record to send.
  private(set) var next = 0
  /// Index of the account that entered an order, by the order id of the file.
  private let owners: UnsafeMutablePointer<UInt32>
  /// Added to the file's order ids, so that client order ids also increase from run to run.
  private let offset: UInt64

  /// Starts at the first record of `flow`.
  /// - Throws: `.flow` when a record has an id, account or symbol outside the header's ranges.
  init(_ flow: FlowFile, _ market: LoadMarket) throws(LoadError) {
    for index in 0..<flow.count {
      let record = flow.record(index)
      let isSound =
        record.id >= 1 && record.id <= flow.highestId
        && (record.isCancel
          || (record.account >= 1 && Int(record.account) <= flow.accounts
            && Int(record.symbol) < flow.symbols))
      guard isSound else {
        throw .flow(
          "record \(index) has an order id, account or symbol beyond the header's")
      }
    }
    owners = .allocate(capacity: Int(flow.highestId) + 1)
    owners.initialize(repeating: 0, count: Int(flow.highestId) + 1)
    (self.flow, self.market) = (flow, market)
    offset = Client.wallClock().nanoseconds
  }

  deinit { owners.deallocate() }

  /// Whether every record was sent.
  var isAtEnd: Bool { next == flow.count }

  /// Index of the session that the next record belongs to.
  var trader: Int {
    let record = flow.record(next)
    let account = record.isCancel ? owners[Int(record.id)] : record.account - 1
    return market.trader(of: Int(account))
  }

  /// Sends the next record on its session.
  func send(on session: LoadSession, due: UInt64, now: Timestamp) throws(ClientError) {
    let record = flow.record(next)
    next += 1
    let id = offset + record.id
    if record.isCancel {
      let account = market.account(Int(owners[Int(record.id)]))
      let sequence = try session.client.writeFrame(CancelEncoder.frameLength) { frame, sequence in
        CancelEncoder(
          into: frame, seqNo: sequence, sendingTime: now, orderId: .null,
          clientOrderId: ClientOrderId(id), account: account)
      }
      session.unanswered.add(sequence, .cancel, id: id, due: due)
      return
    }
    owners[Int(record.id)] = record.account - 1
    let sequence = try session.client.writeFrame(NewOrderEncoder.frameLength) { frame, sequence in
      NewOrderEncoder(
        into: frame, seqNo: sequence, sendingTime: now, clientOrderId: ClientOrderId(id),
        price: Price(ticks: Int64(record.price)),
        quantity: Energy(wattHours: Int64(record.quantity)),
        account: market.account(Int(record.account - 1)),
        instrument: market.instrument(Int(record.symbol)), side: record.sells ? .sell : .buy,
        timeInForce: .goodTillCancel, selfTradePrevention: .cancelNewer, flags: [])
    }
    session.unanswered.add(sequence, .enter, id: id, due: due)
  }
}
