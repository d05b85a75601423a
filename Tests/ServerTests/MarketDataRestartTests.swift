import JoulebookClient
import MarketModel
import Testing

/// A subscriber that disconnects and reconnects, and records its book after every message.
private struct Watcher {
  struct Silence: Error {}

  private let village: Village
  private let view: MarketDataView
  private var client: Client?
  private var orders: [OrderId: BookOrder] = [:]
  private var levels = LevelBook(area: AreaId(1))
  /// Number of the last message in its book.
  private(set) var last: UInt64 = 0
  /// Its book, sorted, by number.
  private(set) var books: [UInt64: [String]] = [:]
  /// How often it resumed after missed messages.
  private(set) var resumed = 0
  /// Number of messages received after requesting them again.
  private(set) var numbers = 0

  init(_ village: Village, _ view: MarketDataView) { (self.village, self.view) = (village, view) }

  /// Session of the subscriber.
  static let session = SessionId(5)

  /// Connects for the first time.
  mutating func begin(_ server: ServerProcess) throws {
    client = try village.trader(Self.session.rawValue, server)
    try takeSnapshot()
  }

  /// Reconnects and requests what it missed.
  mutating func comeBack(_ server: ServerProcess) throws {
    let client = try village.trader(Self.session.rawValue, server)
    self.client = client
    let asked = try client.resumeMarketData(of: AreaId(1), from: last + 1, view: view)
    try client.flush()
    while let message = try client.poll(timeoutMilliseconds: 60_000) {
      switch message.event {
      case .acknowledged(asked):
        resumed += 1
        return
      case .rejected(let rejection) where rejection.reference == asked:
        Issue.record("refused with \(rejection.code.rawValue), limit \(rejection.limit)")
        throw Silence()
      default: Issue.record("before the answer: \(message.event)")
      }
    }
    throw Silence()
  }

  /// Drops the connection.
  mutating func lose() {
    client?.drop()
    client = nil
  }

  /// Reads until its book contains `number`.
  mutating func read(to number: UInt64) throws {
    while last < number {
      guard let message = try client?.poll(timeoutMilliseconds: 60_000) else { throw Silence() }
      take(message)
    }
  }

  private mutating func takeSnapshot() throws {
    try client?.subscribe(to: AreaId(1), snapshot: view == .levels ? .levels : .orders)
    try client?.flush()
    orders = [:]
    while let message = try client?.poll(timeoutMilliseconds: 60_000) {
      take(message)
      if case .snapshotEnd = message.event { return }
    }
    throw Silence()
  }

  private mutating func take(_ message: ClientMessage) {
    if case .gap(let from) = levels.take(message), view == .levels {
      Issue.record("\(message.sequence) came, \(from) is missing")
    }
    switch message.event {
    case .bookAdd(let order), .bookModify(let order): orders[order.order] = order
    case .bookDelete(let order):
      if orders.removeValue(forKey: order.order) == nil { Issue.record("deleted nothing") }
    case .level, .marketTrade, .stateChanged, .snapshotEnd: break
    default: return
    }
    if case .snapshotEnd = message.event {
      last = message.sequence
    } else if message.sequence != 0 {
      #expect(message.sequence == last + 1, "a gap")
      last = message.sequence
      numbers += 1
    } else {
      return
    }
    books[last] = lines
  }

  private var lines: [String] {
    switch view {
    case .orders:
      orders.values.map {
        PublishedBooks.line($0.order, $0.side, $0.price, live: $0.live, total: $0.total)
      }.sorted()
    case .levels:
      levels.depth(of: InstrumentId(1)).map {
        PublishedBooks.line($0.side, $0.price, live: $0.live, total: $0.total, orders: $0.orders)
      }.sorted()
    }
  }
}

@Suite("Market data over restarts", .serialized)
struct MarketDataRestartTests {
  private static let options = [
    "--set", "journal.segment=64KiB", "--set", "capacity.orders=4096", "--set",
    "snapshot.minutes=0",
  ]

  /// The last message number of area 1's channel.
  private func lastNumber(_ village: Village, _ server: ServerProcess) throws -> UInt64 {
    let client = try village.operatorClient(server)
    defer { client.close() }
    try client.subscribe(to: AreaId(1))
    try client.flush()
    while let message = try client.poll(timeoutMilliseconds: 60_000) {
      if case .snapshotEnd = message.event { return message.sequence }
    }
    throw Watcher.Silence()
  }

  @Test(
    "After a kill a subscriber continues at its number, and its book always equals the engine's.",
    arguments: MarketDataView.allCases)
  func resumes(view: MarketDataView) throws {
    let folder = try TemporaryFolder()
    let village = Village()
    var server = try ServerProcess(data: folder.path + "/data", options: Self.options)
    try village.setUp(on: server)
    try village.register(Watcher.session, of: 2, .trading, on: server)
    let bustle = try RandomTraders(village, server)
    var watcher = Watcher(village, view)
    try bustle.trade(20)
    try watcher.begin(server)
    for _ in 0..<4 {
      try bustle.trade(60)
      try watcher.read(to: lastNumber(village, server))
      watcher.lose()
      try bustle.trade(100)
      server.kill()
      server = try ServerProcess(data: server.data, options: Self.options)
      try bustle.comeBack(to: server)
      try bustle.trade(20)
      try watcher.comeBack(server)
    }
    try bustle.trade(20)
    let last = try lastNumber(village, server)
    try watcher.read(to: last)
    #expect(server.stop() == 0)
    #expect(watcher.resumed == 4)
    let all = try PublishedBooks(journal: server.data + "/journal")
    compare(watcher, view == .orders ? all.orders : all.levels, to: last)
    #expect(watcher.numbers > 600, "\(watcher.numbers) numbers")
    #expect(watcher.books.count == watcher.numbers + 1)
  }

  /// Compares the books after every message that the subscriber received.
  private func compare(_ watcher: Watcher, _ books: [UInt64: [String]], to last: UInt64) {
    #expect(watcher.last == last)
    for (number, book) in watcher.books.sorted(by: { $0.key < $1.key }) where number > 0 {
      guard book == books[number] else {
        Issue.record("at \(number): \(book), the engine has \(books[number] ?? [])")
        return
      }
    }
  }
}
