import Crypto
import Glibc
import Histogram
import JoulebookClient
import MarketModel

/// A server that is reached over TCP sessions: an operator's, a meter head-end's, the community's,
/// a market-data subscriber's and one for each trader. Owned by one thread.
///
/// A call returns when all of its messages are answered. Before a trader acts, its session and the
/// market data are read up to the answer to a question, so that it knows all that happened before,
/// and equal seeds give equal runs.
final class ServerVenue: Venue {
  /// Longest wait for an answer, in ms.
  private static let patience: Int32 = 20_000
  /// Most attempts to log on with a session that is not registered yet.
  private static let registrationTries = 100

  private let plan: CommunityPlan
  private let keys: CommunityKeys
  private let host: String
  private let port: UInt16
  private let administrator: Client
  private var metering: Client?
  private var community: Client?
  private var feed: Client?
  private var traders: [Client] = []
  private var reports: [(trader: Int, report: TraderReport)] = []
  private var book: [OrderId: BookOrder] = [:]
  private var last: Price?
  private var latencies = Histogram<UInt32>(highestTrackableValue: 60_000_000_000)

  /// Connects the operator. `administer` connects the other sessions after it has registered them.
  init(
    plan: CommunityPlan, keys: CommunityKeys, host: String, port: UInt16, operatorKey: Credentials
  ) throws(ClientError) {
    (self.plan, self.keys, self.host, self.port) = (plan, keys, host, port)
    administrator = try Self.connect(host, port, operatorKey)
  }

  /// Logs a session on. The gateway knows a new session only when its registration is durable, so
  /// an unknown session is tried again every 20 ms, at most `registrationTries` times.
  private static func connect(
    _ host: String, _ port: UInt16, _ credentials: Credentials
  ) throws(ClientError) -> Client {
    // Orders outlive their sessions, because the checks after the run compare the final order book.
    var options = Client.Options()
    options.orders = .kept
    for _ in 1..<registrationTries {
      do throws(ClientError) {
        return try Client(
          host: host, port: port, credentials: credentials, options: options)
      } catch {
        guard case .refused(.badSignature, _) = error else { throw error }
        usleep(20_000)
      }
    }
    return try Client(
      host: host, port: port, credentials: credentials, options: options)
  }

  /// Orders in the book, as published by the market-data feed.
  var published: [BookOrder] { Array(book.values) }

  /// Percentiles of the time from sending an order to its first report.
  var latency: DemoResult.LatencyFigures {
    var figures = DemoResult.LatencyFigures()
    figures.count = Int(latencies.totalCount)
    guard figures.count > 0 else { return figures }
    figures.p50 = Int64(latencies.valueAtPercentile(50))
    figures.p90 = Int64(latencies.valueAtPercentile(90))
    figures.p99 = Int64(latencies.valueAtPercentile(99))
    figures.p999 = Int64(latencies.valueAtPercentile(99.9))
    figures.max = Int64(latencies.max)
    return figures
  }

  var quote: (bid: Price?, ask: Price?, last: Price?) {
    var (bid, ask): (Price?, Price?)
    for order in book.values where order.live > .zero {
      switch order.side {
      case .buy: bid = max(bid ?? order.price, order.price)
      case .sell: ask = min(ask ?? order.price, order.price)
      }
    }
    return (bid, ask, last)
  }

  func administer(_ bodies: [Command.Body]) throws(ClientError) {
    for body in bodies { try answer(to: try administrator.submit(body), on: administrator) }
    metering = try connect(plan.metering)
    community = try connect(plan.community)
    for connection in plan.traders { traders.append(try connect(connection)) }
    let subscriber = try connect(plan.observer)
    try answer(to: try subscriber.subscribe(to: CommunityPlan.area), on: subscriber)
    feed = subscriber
  }

  func tick(to time: Timestamp) throws(ClientError) {
    try answer(to: try administrator.tick(to: time), on: administrator)
  }

  func meter(_ readings: [MeterReading]) throws(ClientError) {
    guard let metering else { return }
    var open: Set<UInt64> = []
    for reading in readings {
      open.insert(try metering.send(reading, key: keys.meter(reading.meter)))
    }
    try metering.flush()
    while !open.isEmpty {
      switch try next(on: metering).event {
      case .metered(let report): open.remove(report.reference)
      case .corrected(let report): open.remove(report.reference)
      case .rejected(let rejection): throw .rejected(rejection)
      default: break
      }
    }
  }

  func send(_ bodies: [Command.Body], from trader: Int) throws(ClientError) {
    let client = traders[trader]
    var waiting = Unanswered()
    for body in bodies { waiting.add(body, try client.submit(body)) }
    let sent = Client.monotonicNow()
    try client.flush()
    while !waiting.isEmpty {
      let message = try next(on: client)
      if waiting.take(message.event) { latencies.record(Client.monotonicNow() - sent) }
      addReport(message.event, for: trader)
    }
  }

  func takeReports(
    before trader: Int
  ) throws(ClientError) -> [(trader: Int, report: TraderReport)] {
    try readAll(of: traders[trader]) { addReport($0, for: trader) }
    if let feed { try readAll(of: feed) { updateBook($0) } }
    for (index, client) in traders.enumerated() {
      while let message = try client.poll(timeoutMilliseconds: 0) {
        addReport(message.event, for: index)
      }
    }
    try drain()
    defer { reports.removeAll(keepingCapacity: true) }
    return reports
  }

  /// Asks a question on `client`, and reads what comes before its answer: all that was durable then.
  private func readAll(
    of client: Client, _ each: (ClientEvent) -> Void
  ) throws(ClientError) {
    try client.requestStatus()
    try client.flush()
    while true {
      let event = try next(on: client).event
      if case .status = event { return }
      each(event)
    }
  }

  /// Reads everything that has arrived on the sessions without a trader.
  func drain() throws(ClientError) {
    while let message = try feed?.poll(timeoutMilliseconds: 0) { updateBook(message.event) }
    while try community?.poll(timeoutMilliseconds: 0) != nil {}
    while try metering?.poll(timeoutMilliseconds: 0) != nil {}
    while try administrator.poll(timeoutMilliseconds: 0) != nil {}
  }

  /// Reads the feed until nothing arrives for 200 ms.
  func settleFeed() throws(ClientError) {
    try drain()
    while let message = try feed?.poll(timeoutMilliseconds: 200) { updateBook(message.event) }
  }

  /// Terminates all sessions.
  func close() {
    for client in traders { client.close() }
    for client in [feed, community, metering] { client?.close() }
    administrator.close()
  }

  private func connect(_ connection: CommunityPlan.Connection) throws(ClientError) -> Client {
    try Self.connect(host, port, keys.credentials(connection.session))
  }

  private func addReport(_ event: ClientEvent, for trader: Int) {
    if let report = TraderReport(event) { reports.append((trader, report)) }
  }

  private func updateBook(_ event: ClientEvent) {
    switch event {
    case .bookAdd(let order), .bookModify(let order):
      book[order.order] = order.total > .zero ? order : nil
    case .bookDelete(let order): book[order.order] = nil
    case .marketTrade(let trade): last = trade.price
    default: break
    }
  }

  private func next(on client: Client) throws(ClientError) -> ClientMessage {
    guard let message = try client.poll(timeoutMilliseconds: Self.patience) else {
      throw .timedOut
    }
    return message
  }

  /// Waits until the message with this sequence number is answered.
  /// - Throws: `.rejected`; `.timedOut`; as `Client.poll`.
  private func answer(to reference: UInt64, on client: Client) throws(ClientError) {
    try client.flush()
    while true {
      let event = try next(on: client).event
      updateBook(event)
      switch event {
      case .acknowledged(let answered) where answered == reference: return
      case .agentSet(_, let answered) where answered == reference: return
      case .rejected(let rejection) where rejection.reference == reference:
        throw .rejected(rejection)
      default: break
      }
    }
  }
}

/// Unanswered messages of a trader.
private struct Unanswered {
  private var references: [UInt64: Command.Body] = [:]

  var isEmpty: Bool { references.isEmpty }

  mutating func add(_ body: Command.Body, _ reference: UInt64) {
    references[reference] = body
  }

  /// Removes the message that `event` answers.
  /// - Returns: Whether the event is the first report of a new order.
  mutating func take(_ event: ClientEvent) -> Bool {
    switch event {
    case .accepted(let report): return remove { $0.names(entered: report) }
    case .replaced(let report): _ = remove { $0.names(replaced: report) }
    case .canceled(let report): _ = remove { $0.names(canceled: report) }
    case .massCanceled(let report): references[report.reference] = nil
    case .agentSet(_, let reference): references[reference] = nil
    case .rejected(let rejection):
      guard case .enter = references.removeValue(forKey: rejection.reference) else { return false }
      return true
    default: break
    }
    return false
  }

  private mutating func remove(_ matches: (Command.Body) -> Bool) -> Bool {
    guard let found = references.first(where: { matches($0.value) }) else { return false }
    references[found.key] = nil
    return true
  }
}

extension Command.Body {
  fileprivate func names(entered report: OrderReport) -> Bool {
    if case .enter(let order) = self {
      return order.account == report.account && order.clientOrderId == report.clientOrderId
    }
    return false
  }
  fileprivate func names(replaced report: OrderReport) -> Bool {
    if case .replace(let change) = self { return change.order == report.order }
    return false
  }
  fileprivate func names(canceled report: CancelReport) -> Bool {
    if case .cancel(let order) = self { return order.order == report.order }
    return false
  }
}

extension TraderReport {
  /// The report for a trader in `event`; `nil` for other events.
  init?(_ event: ClientEvent) {
    switch event {
    case .accepted(let order):
      self = .accepted(
        order.account, order.clientOrderId, order.order, order.side, order.price,
        quantity: order.quantity)
    case .replaced(let order), .restated(let order):
      self = .changed(order.account, order.order, order.price, leaves: order.leaves)
    case .canceled(let report) where report.leaves == .zero:
      self = .gone(report.account, report.order)
    case .trade(let trade):
      self = .traded(
        trade.account, trade.order, trade.side, trade.price, quantity: trade.quantity,
        leaves: trade.leaves)
    case .rejected(let rejection):
      self = .rejected(rejection.account, rejection.clientOrderId, rejection.code)
    case .balance(let balance, _):
      self = .balance(
        balance.account, energy: balance.energy, cap: balance.cap, free: balance.free)
    default: return nil
    }
  }
}
