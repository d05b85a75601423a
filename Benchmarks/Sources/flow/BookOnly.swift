// `flow --book-only`: runs a flow through the bare order book, checked and timed like through the exchange.

import BareBook
import OrderFlow

/// One flow with bare order books.
struct BookOnly {
  private let flow: FlowFile
  private let looksAhead: Bool
  /// The records of the file; cancels have the order ids of the book.
  private let records: [FlowRecord]
  /// Results of the checked pass.
  let result: FlowResult
  private(set) var isOk: Bool

  /// Runs the checked pass.
  init(_ flow: FlowFile, looksAhead: Bool) {
    (self.flow, self.looksAhead) = (flow, looksAhead)
    var records = flow.records
    var book = BookOnly.emptyBook(flow)
    book.resolve(&records, highestOrderId: flow.highestOrderId)
    self.records = records
    result = book.result
    isOk = result == flow.expected && book.rejects == 0
  }

  /// Whether a flow has only adds and cancels, and its results depend only on price-time priority.
  static func canRun(_ flow: FlowFile) -> Bool {
    if case .halfWithout = Endowment(flow: flow.name) { return false }
    return flow.records.allSatisfy { $0.operation != FlowRecord.reading }
  }

  /// A capacity equal to that of the measured exchange (`FlowRunner`).
  private static func emptyBook(_ flow: FlowFile) -> BareBook {
    BareBook(
      symbols: flow.symbols, band: flow.lowest...flow.highest, orders: 1 << 22, levels: 1 << 21)
  }

  /// Runs a timed pass, as a whole or with a measurement of each operation.
  mutating func run(each: Bool) -> FlowRunner.Cost {
    var book = BookOnly.emptyBook(flow)
    let count = flow.operations
    var latencies: [UInt32] = each ? Array(repeating: 0, count: count) : []
    var cost = FlowRunner.Cost(nanosecondsPerOperation: 0, latencies: [], allocatedBytes: 0)
    records.withUnsafeBufferPointer { records in
      book.run(UnsafeBufferPointer(rebasing: records[..<flow.prefill]), looksAhead: looksAhead)
      let timed = UnsafeBufferPointer(rebasing: records[flow.prefill...])
      let before = allocatedBytes()
      let start = now()
      if each {
        book.run(timed, latencies: &latencies)  // Single orders are measured without looking ahead.
      } else {
        book.run(timed, looksAhead: looksAhead)
      }
      cost.nanosecondsPerOperation = Double(now() - start) / Double(max(count, 1))
      cost.allocatedBytes = allocatedBytes() - before
    }
    cost.latencies = latencies
    isOk = isOk && book.result == result && book.rejects == 0
    return cost
  }
}
