// Shape E: converts a recorded order-level file to a flow. A row "created" is an add, and "deleted" a cancel if
// the order still rests. Other changes are omitted, because matching causes them. Orders get random accounts:
// buyers odd numbers, sellers even ones.
//
//     id,timestamp,exchange_timestamp,price,volume,action,direction

import Foundation
import MarketModel
import OrderFlow

/// Reads a recorded file.
struct RecordedFlow {
  private let lines: [Substring]

  /// - Throws: An error when the file cannot be read or unpacked.
  init(_ path: String) throws {
    let unpack = Process()
    unpack.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    unpack.arguments = ["gzip", "-dc", path]
    let pipe = Pipe()
    unpack.standardOutput = pipe
    try unpack.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    unpack.waitUntilExit()
    guard unpack.terminationStatus == 0 else { throw FlowError.notRecorded(path) }
    lines = String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline).dropFirst().map
    { $0 }
  }

  /// The file as one flow; the first tenth is the prefill.
  func flow(seed: UInt64) -> FlowFile {
    var random = SeededRandom(seed: seed)
    let rows = lines.compactMap(Row.init)
    let lowest = max(0, (rows.map(\.price).min() ?? 0))
    // Outliers are dropped, because they would need a very wide price band.
    let prices = rows.map(\.price).sorted()
    let highest = min(prices.last ?? 0, (prices.isEmpty ? 0 : prices[prices.count / 2]) * 2)
    let frame = FlowFile(
      name: "E", prefill: 0, symbols: 1, lowest: Int32(lowest), highest: Int32(highest),
      accounts: 1_000, highestOrderId: 0, expected: FlowResult(), records: [])
    var market = PlainMarket(frame)
    var ids: [Substring: UInt64] = [:]
    var live: Set<UInt64> = []
    var records: [FlowRecord] = []
    var nextId: UInt64 = 1
    for row in rows where row.price <= highest {
      var record = FlowRecord(
        orderId: nextId, price: Int32(row.price), quantity: row.quantity, symbol: 0,
        account: UInt32(2 * (1 + random.below(500)) - (row.sells ? 0 : 1)),
        operation: FlowRecord.add, side: row.sells ? 1 : 0, flags: 0)
      if row.isCreated {
        ids[row.id] = nextId
        nextId += 1
      } else {
        guard let id = ids[row.id], live.contains(id) else { continue }
        record = FlowRecord(
          orderId: id, price: 0, quantity: 0, symbol: 0, account: 0,
          operation: FlowRecord.cancel, side: 0, flags: 0)
      }
      let before = market.result.trades
      let outcome = market.apply(record)
      live.subtract(outcome.gone)
      if outcome.rests { live.insert(record.orderId) }
      record.flags = market.result.trades > before ? 1 : 0
      records.append(record)
    }
    var expected = market.result
    expected.resting = UInt64(live.count)
    return FlowFile(
      name: "E.flow", prefill: records.count / 10, symbols: 1, lowest: Int32(lowest),
      highest: Int32(highest), accounts: 1_000, highestOrderId: nextId - 1, expected: expected,
      records: records)
  }

  private struct Row {
    var id: Substring
    /// Price in whole currency units.
    var price: Int
    /// Quantity in 1e-5 of the traded unit.
    var quantity: UInt32
    var isCreated: Bool
    var sells: Bool

    init?(_ line: Substring) {
      let cells = line.split(separator: ",")
      guard cells.count == 7, let price = Double(cells[3]), let volume = Double(cells[4]),
        cells[5] == "created" || cells[5] == "deleted"
      else { return nil }
      id = cells[0]
      self.price = Int(price.rounded())
      quantity = UInt32(min(max((volume * 1e5).rounded(), 1), 4e9))
      isCreated = cells[5] == "created"
      sells = cells[6] == "ask"
    }
  }
}
