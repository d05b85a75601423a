import Crypto
import Foundation
import JoulebookClient
import MarketModel
import Testing

/// Ana (session 2, account 10), Ben (3, 11) and Cleo (4, 12) in area 1 with instrument 1, its tick 100, its lot
/// 1 kWh. Each has cash; Ben and Cleo have 10 kWh each.
struct Market {
  static let users = ["ana secret 2 10", "ben hidden 3 11"]
  let key = Curve25519.Signing.PrivateKey()

  init(on server: TextServer, _ folder: TemporaryFolder) throws {
    let client = try operatorClient(server, folder)
    defer { client.close() }
    for act in try acts() { try client.settle(client.submit(act)) }
    let meters = try binary(5, server)
    defer { meters.close() }
    let now = UInt64(Date().timeIntervalSince1970) * 1_000_000_000
    for meter in UInt32(2)...3 {
      try meters.send(
        MeterReading(
          meter: MeterId(meter), registerSequence: 1,
          intervalStart: Timestamp(nanoseconds: now - 900_000_000_000),
          intervalEnd: Timestamp(nanoseconds: now),
          produced: Energy(wattHours: 10_000), consumed: .zero), key: key)
      try meters.wait { if case .metered = $0 { () } else { nil } }
    }
  }

  private func acts() throws -> [Command.Body] {
    let publicKey = PublicKey(key.publicKey)
    var acts: [Command.Body] = [
      .reference(
        .createArea(
          CreateArea(
            area: AreaId(1), currency: .eur, code: try #require(Label("11XEXAMPLE")),
            storageCost: Money(units: 300), storagePrice: Money(units: 20),
            feedInPrice: Price(ticks: 8_000), retailPrice: Price(ticks: 32_000)))),
      .reference(
        .createInstrument(
          CreateInstrument(
            instrument: InstrumentId(1), area: AreaId(1), kind: .spot,
            symbol: try #require(Label("SPOT")), tick: Price(ticks: 100),
            lot: Energy(wattHours: 1_000), lowestPrice: .zero, highestPrice: Price(ticks: 100_000),
            makerFee: .zero, takerFee: .zero))),
    ]
    for number in UInt32(2)...5 {
      let (participant, account) = (ParticipantId(number), AccountId(number + 8))
      acts += [
        .reference(
          .createParticipant(
            CreateParticipant(participant: participant, name: try #require(Label("trader"))))),
        .reference(
          .registerSession(
            RegisterSession(
              session: SessionId(number), participant: participant, roles: [.trading, .metering],
              publicKey: publicKey))),
        .reference(.createAccount(CreateAccount(account: account, participant: participant))),
        .cash(
          .deposit(
            CashMovement(
              account: account, currency: .eur, amount: Money(units: 1_000_000_000_000),
              reference: 1))),
        .reference(
          .registerMeter(
            RegisterMeter(
              meter: MeterId(number - 1), account: account, area: AreaId(1), publicKey: publicKey,
              capacity: .max))),
      ]
    }
    return acts
  }

  func operatorClient(_ server: TextServer, _ folder: TemporaryFolder) throws -> Client {
    try Client(
      host: "127.0.0.1", port: server.binaryPort,
      credentials: Credentials(session: SessionId(1), keyFile: folder.data + "/operator.key"))
  }

  /// A session by the binary gateway; its orders stay when its connection goes.
  func binary(
    _ session: UInt32, _ server: TextServer, resume: SessionPosition? = nil
  ) throws(ClientError) -> Client {
    var options = Client.Options()
    (options.orders, options.resume, options.keepAliveMilliseconds) = (.kept, resume, 60_000)
    return try Client(
      host: "127.0.0.1", port: server.binaryPort,
      credentials: Credentials(session: SessionId(session), privateKey: key), options: options)
  }

  /// How the server is.
  func status(_ server: TextServer, _ folder: TemporaryFolder) throws -> StatusReport {
    let client = try operatorClient(server, folder)
    defer { client.close() }
    try client.requestStatus(withStateHash: false)
    return try client.wait { if case .status(let status) = $0 { status } else { nil } }
  }
}

extension NewOrder {
  static func limit(
    _ account: UInt32, _ side: Side, _ wattHours: Int64, at ticks: Int64, id: UInt64
  ) -> NewOrder {
    NewOrder(
      account: AccountId(account), instrument: InstrumentId(1), side: side,
      clientOrderId: ClientOrderId(id), price: Price(ticks: ticks),
      quantity: Energy(wattHours: wattHours))
  }
}

extension Client {
  struct Silence: Error {}

  /// Waits for the message that `match` accepts; others are skipped.
  func wait<Answer>(_ match: (ClientEvent) -> Answer?) throws -> Answer {
    try flush()
    while let message = try poll(timeoutMilliseconds: 20_000) {
      if let answer = match(message.event) { return answer }
    }
    throw Silence()
  }

  /// Waits until the command `reference` took effect.
  func settle(_ reference: UInt64) throws {
    try wait { event in
      if case .rejected(let no) = event {
        Issue.record("rejected: \(no.code.rawValue) \(no.limit)")
      }
      if case .acknowledged(reference) = event { return () }
      return nil
    }
  }

  /// Enters an order, and waits for a trade of it.
  func trade(_ order: NewOrder) throws -> TradeReport {
    try enter(order)
    return try wait { if case .trade(let trade) = $0 { trade } else { nil } }
  }
}
