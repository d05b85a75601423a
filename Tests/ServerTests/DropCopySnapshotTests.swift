import JoulebookClient
import MarketModel
import Testing

/// The open orders of a participant as a drop copy keeps them, by the recipe of docs/PROTOCOL.md:
/// rows and copied reports in the order of their arrival, reports by number.
private struct CopiedOrders {
  /// What is compared of an order.
  struct Order: Equatable {
    var price: Price
    var leaves: Energy
    var covered: Energy
  }

  private(set) var open: [OrderId: Order] = [:]
  /// Reports that arrived before one with a lower number.
  private var early: [UInt64: ClientEvent] = [:]
  private(set) var next: UInt64
  private var isCopy = false
  /// Copied reports that were applied.
  private(set) var applied = 0

  init(next: UInt64) { self.next = next }

  /// Whether a report is missing before one that has arrived.
  var hasGap: Bool { !early.isEmpty }

  mutating func take(_ message: ClientMessage) {
    if message.isReport {
      early[message.sequence] = message.event
      while let event = early.removeValue(forKey: next) {
        next += 1
        report(event)
      }
    } else if case .orderStatus(let order, _) = message.event {
      open[order.order] = Order(price: order.price, leaves: order.leaves, covered: order.covered)
    }
  }

  private mutating func report(_ event: ClientEvent) {
    if case .copied = event {
      isCopy = true
      return
    }
    defer { isCopy = false }
    guard isCopy else { return }
    applied += 1
    switch event {
    case .accepted(let order):
      open[order.order] = Order(price: order.price, leaves: order.leaves, covered: order.covered)
    case .replaced(let order), .restated(let order):
      guard open[order.order] != nil else { return }
      open[order.order] = Order(price: order.price, leaves: order.leaves, covered: order.covered)
    case .trade(let trade):
      guard let known = open[trade.order] else { return }
      // Only covered quantity trades.
      let covered = Energy(wattHours: known.covered.wattHours - trade.quantity.wattHours)
      change(trade.order, leaves: trade.leaves, covered: covered)
    case .canceled(let canceled):
      change(canceled.order, leaves: canceled.leaves, covered: canceled.covered)
    default: break
    }
  }

  private mutating func change(_ order: OrderId, leaves: Energy, covered: Energy) {
    guard open[order] != nil else { return }
    open[order]?.leaves = leaves
    open[order]?.covered = covered
    if leaves == .zero { open[order] = nil }
  }
}

@Suite("A drop copy that begins with a snapshot, on a real server", .serialized)
struct DropCopySnapshotTests {
  private static let copier = SessionId(5)
  private static let options = ["--set", "capacity.orders=4096"]

  /// Asks for a page, trades, and then reads up to the end of the page.
  /// - Returns: where the next page begins.
  private func page(
    _ listener: Client, _ copied: inout CopiedOrders, from cursor: UInt64,
    meanwhile: () throws -> Void
  ) throws -> UInt64 {
    let reference = try listener.requestList(.orders, cursor: cursor, count: 3)
    try listener.flush()
    try meanwhile()
    while let message = try listener.poll(timeoutMilliseconds: 30_000) {
      copied.take(message)
      if case .listEnd(let end) = message.event, end.reference == reference { return end.cursor }
    }
    throw Client.Silence()
  }

  /// Reads the reports that a resumed session has missed.
  private func catchUp(_ listener: Client, _ copied: inout CopiedOrders) throws {
    while !listener.missing.isEmpty || copied.hasGap {
      guard let message = try listener.poll(timeoutMilliseconds: 30_000) else {
        throw Client.Silence()
      }
      copied.take(message)
    }
  }

  @Test("Pages and copies together are the exchange's own list, over a lost line and a kill.")
  func snapshot() throws {
    let folder = try TemporaryFolder()
    let village = Village()
    var server = try ServerProcess(data: folder.path + "/data", options: Self.options)
    try village.setUp(on: server)
    try village.register(Self.copier, of: 2, .dropCopy, on: server)
    let traders = try RandomTraders(village, server)
    try traders.trade(120)
    var listener = try village.trader(Self.copier.rawValue, server)
    var copied = CopiedOrders(next: 1)
    var (cursor, pages) = (UInt64(0), 0)
    repeat {
      cursor = try page(listener, &copied, from: cursor) { try traders.trade(4) }
      pages += 1
      if pages == 2 {
        // A page is on its way when the line is lost, and trading goes on.
        try listener.requestList(.orders, cursor: cursor, count: 3)
        try listener.flush()
        try traders.trade(20)
        for _ in 0..<3 {
          if let message = try listener.poll(timeoutMilliseconds: 30_000) { copied.take(message) }
        }
        let position = listener.position
        listener.drop()
        try traders.trade(20)
        listener = try village.trader(Self.copier.rawValue, server, resume: position)
        try catchUp(listener, &copied)
      } else if pages == 4 {
        let position = listener.position
        server.kill()
        server = try ServerProcess(data: server.data, options: Self.options)
        try traders.comeBack(to: server)
        try traders.trade(10)
        listener = try village.trader(Self.copier.rawValue, server, resume: position)
        try catchUp(listener, &copied)
      }
    } while cursor != 0
    #expect(pages > 4, "the snapshot ended before the line was lost")
    try traders.trade(40)
    // The last list: its first page stands behind all reports.
    var listed: [OrderId: CopiedOrders.Order] = [:]
    var reports = copied
    try listener.requestList(.orders)
    try listener.flush()
    var rest: UInt64?
    while rest == nil, let message = try listener.poll(timeoutMilliseconds: 30_000) {
      if message.isReport { reports.take(message) }
      if case .listEnd(let end) = message.event { rest = end.cursor }
    }
    try listener.readList(.orders) {
      guard case .orderStatus(let order, _) = $0 else { return }
      listed[order.order] = CopiedOrders.Order(
        price: order.price, leaves: order.leaves, covered: order.covered)
    }
    #expect(reports.open == listed && !listed.isEmpty)
    #expect(reports.applied > 60 && !reports.hasGap)
    listener.close()
    #expect(server.stop() == 0)
  }
}
