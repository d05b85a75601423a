// The checked pass over a flow. It reads every event, compares the results with the expected ones, and records
// the exchange order ids, so that the timed passes cancel orders by exchange order id as clients do.

import MarketModel
import OrderFlow

/// A flow with exchange order ids, and its results.
struct ResolvedFlow {
  /// The records of the file; cancels have the exchange order id and the owner.
  var records: [FlowRecord]
  var result = FlowResult()
  var rejects = 0
  var eventHash: UInt64 = 0
  var violations: [String] = []

  init(_ flow: FlowFile, checkingInvariants: Bool) {
    var runner = FlowRunner(flow, looksAhead: false)
    var ids = [OrderId](repeating: .null, count: Int(flow.highestOrderId) + 1)
    var owners = [UInt32](repeating: 0, count: Int(flow.highestOrderId) + 1)
    records = flow.records
    for index in records.indices {
      let original = Int(records[index].orderId)
      if records[index].operation == FlowRecord.add {
        owners[original] = records[index].account
      } else if records[index].operation == FlowRecord.cancel {
        records[index].orderId = ids[original].rawValue
        records[index].account = owners[original]
      }
      runner.apply(records[index]) { event in
        note(event, &ids)
      }
    }
    result.resting = runner.resting
    eventHash = runner.eventHash
    if checkingInvariants { violations = runner.violations() }
  }

  private mutating func note(_ event: Event, _ ids: inout [OrderId]) {
    switch event {
    case .accepted(let state): ids[Int(state.clientOrderId.rawValue)] = state.order
    case .trade(let trade):
      let takerBuys = trade.aggressor == .buy
      result.trade(
        maker: (takerBuys ? trade.seller : trade.buyer).clientOrderId.rawValue,
        taker: (takerBuys ? trade.buyer : trade.seller).clientOrderId.rawValue,
        price: trade.price.ticks, quantity: trade.quantity.wattHours)
    case .rejected: rejects += 1
    default: break
    }
  }
}
