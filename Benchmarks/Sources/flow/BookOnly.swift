// `flow --book-only`: a flow through the bare book, checked and timed as through the exchange.

import BareBook
import OrderFlow

/// One flow for fresh bare books.
struct BookOnly {
  private let flow: FlowFile
  private let looksAhead: Bool
  /// Cancels carry the book's order ids; everything else is as in the file.
  private let records: [FlowRecord]
  /// What the checked pass came to.
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

  /// Whether a flow is of adds and cancels alone, and no rule but price and time decides it.
  static func canRun(_ flow: FlowFile) -> Bool {
    if case .halfWithout = Endowment(flow: flow.name) { return false }
    return flow.records.allSatisfy { $0.operation != FlowRecord.reading }
  }

  /// As many rows as the exchange has when it is measured (`FlowRunner`).
  private static func emptyBook(_ flow: FlowFile) -> BareBook {
    BareBook(
      symbols: flow.symbols, band: flow.lowest...flow.highest, orders: 1 << 22, levels: 1 << 21)
  }

  /// Runs a timed pass: as a whole, or each operation by itself.
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
        book.run(timed, latencies: &latencies)  // A lone order has nobody who shows it first.
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
