// The checked pass over a flow: every event is looked at, the results are compared with the expected
// ones, and the ids that the exchange gave are noted, so that a timed pass names orders as a client
// would: by the id it was told.

import MarketModel
import OrderFlow

/// A flow as the exchange's clients would send it, and what it came to.
struct ResolvedFlow {
  /// Cancels carry the exchange's order id and the owner; everything else is as in the file.
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
