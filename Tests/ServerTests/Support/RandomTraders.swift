import JoulebookClient
import MarketModel
import Testing

/// A market in which Ana and Ben enter, trade and cancel at random, including icebergs, waiting
/// orders and self-trades. Session 4 of Ana's participant subscribes to market data.
final class RandomTraders {
  private let village: Village
  private var server: ServerProcess
  private var ana: Client
  private var ben: Client
  private var random = SeededRandom(seed: 4)
  private var id: UInt64 = 0
  private var readings: UInt64 = 0

  init(_ village: Village, _ server: ServerProcess) throws {
    (self.village, self.server) = (village, server)
    let client = try village.operatorClient(server)
    defer { client.close() }
    try client.settle(
      client.submit(
        .reference(
          .registerSession(
            RegisterSession(
              session: SessionId(4), participant: ParticipantId(2), roles: .trading,
              publicKey: PublicKey(village.key.publicKey))))))
    (ana, ben) = (try village.trader(2, server), try village.trader(3, server))
  }

  /// Connects Ana and Ben again, after a restart of the server.
  func comeBack(to server: ServerProcess) throws {
    self.server = server
    (ana, ben) = (try village.trader(2, server), try village.trader(3, server))
  }

  /// Enters `count` orders, and cancels and replaces some.
  func trade(_ count: Int) throws {
    for _ in 0..<count {
      id += 1
      let isAna = Bool.random(using: &random)
      var order = NewOrder.limit(
        isAna ? Village.ana : Village.ben, Bool.random(using: &random) ? .buy : .sell,
        kilowattHours: Int64.random(in: 1...4, using: &random),
        at: Int64.random(in: 96...104, using: &random), id: id)
      if Int.random(in: 0..<4, using: &random) == 0 {
        order.displayQuantity = Energy(wattHours: 1_000)
      }
      order.selfTradePrevention =
        SelfTradePrevention.allCases.randomElement(using: &random) ?? .cancelNewer
      let client = isAna ? ana : ben
      try client.enter(order)
      if Int.random(in: 0..<3, using: &random) == 0 {
        try client.cancel(
          CancelOrder(
            account: order.account, order: .null,
            clientOrderId: ClientOrderId(UInt64.random(in: 1...id, using: &random))))
      }
      if Int.random(in: 0..<6, using: &random) == 0 { try meter() }
      // Waits for the answers every ten orders, so that subscribers see the changes in several
      // reads.
      if id % 10 == 0 { try settle(client, order.account) }
    }
    try settle(ana, Village.ana)
    try settle(ben, Village.ben)
  }

  private func meter() throws {
    readings += 1
    try ana.send(
      MeterReading(
        meter: MeterId(1), registerSequence: readings,
        intervalStart: Timestamp(nanoseconds: MeterTime.start + readings * 1_000),
        intervalEnd: Timestamp(nanoseconds: MeterTime.start + readings * 1_000 + 1_000),
        produced: Energy(wattHours: Int64.random(in: 0...3_000, using: &random)),
        consumed: Energy(wattHours: Int64.random(in: 0...1_500, using: &random))),
      key: village.meterKey)
  }

  private func settle(_ client: Client, _ account: AccountId) throws {
    let reference = try client.requestBalance(of: account, in: AreaId(1))
    try client.wait { event in
      if case .balance(_, reference) = event { () } else { nil }
    }
  }

  /// Halts the instrument.
  func halt() throws {
    let client = try village.operatorClient(server)
    defer { client.close() }
    try client.settle(
      client.submit(
        .reference(
          .setInstrumentState(SetInstrumentState(instrument: InstrumentId(1), state: .halted)))))
  }

  /// The depth in the format of the C program, sorted.
  func depth() throws -> [String] {
    var book = LevelBook(area: AreaId(1))
    try ana.subscribe(to: AreaId(1), snapshot: .levels)
    try ana.flush()
    while let message = try ana.poll(timeoutMilliseconds: 10_000), book.take(message) != .complete {
    }
    return book.depth(of: InstrumentId(1)).map { level in
      "level: instrument 1 \(level.side == .buy ? "buy" : "sell") at \(level.price.ticks): "
        + "\(level.live.wattHours) of \(level.total.wattHours) Wh live, \(level.orders) orders"
    }.sorted()
  }
}
