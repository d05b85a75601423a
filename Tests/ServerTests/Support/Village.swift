import Crypto
import JoulebookClient
import JoulebookServer
import MarketModel
import Testing

/// A market of two traders on a running server: Ana (account 10, meter 1) and Ben (account 11) in
/// area 1, with instrument 1, whose lot is 1 kWh and tick 0.001.
struct Village {
  static let ana = AccountId(10)
  static let ben = AccountId(11)
  let key = Curve25519.Signing.PrivateKey()
  let meterKey = Curve25519.Signing.PrivateKey()

  /// Sets the market up with the operator's key.
  func setUp(on server: ServerProcess) throws {
    let client = try operatorClient(server)
    defer { client.close() }
    try client.settle(
      client.submit(
        .reference(
          .createArea(
            CreateArea(
              area: AreaId(1), currency: .eur, code: #require(Label("11XEXAMPLE")),
              storageCost: Money(units: 300), storagePrice: Money(units: 20),
              feedInPrice: Price(ticks: 8_000), retailPrice: Price(ticks: 32_000))))))
    try client.settle(
      client.submit(
        .reference(
          .createInstrument(
            CreateInstrument(
              instrument: InstrumentId(1), area: AreaId(1), kind: .spot,
              symbol: #require(Label("SPOT")), tick: Price(ticks: 100),
              lot: Energy(wattHours: 1_000),
              lowestPrice: .zero, highestPrice: Price(ticks: 100_000), makerFee: .zero,
              takerFee: .zero)))))
    for (number, account) in [(UInt32(2), Self.ana), (3, Self.ben)] {
      let participant = ParticipantId(number)
      try client.settle(
        client.submit(
          .reference(
            .createParticipant(
              CreateParticipant(participant: participant, name: #require(Label("trader")))))))
      try client.settle(
        client.submit(
          .reference(
            .registerSession(
              RegisterSession(
                session: SessionId(number), participant: participant, roles: [.trading, .metering],
                publicKey: PublicKey(key.publicKey))))))
      try client.settle(
        client.submit(
          .reference(.createAccount(CreateAccount(account: account, participant: participant)))))
      try client.settle(
        client.submit(
          .cash(
            .deposit(
              CashMovement(
                account: account, currency: .eur, amount: Money(units: 1_000_000_000_000),
                reference: 1)))))
    }
    try client.settle(
      client.submit(
        .reference(
          .registerMeter(
            RegisterMeter(
              meter: MeterId(1), account: Self.ana, area: AreaId(1),
              publicKey: PublicKey(meterKey.publicKey), capacity: .max)))))
  }

  /// Registers a further session of a participant, with the traders' key.
  func register(
    _ session: SessionId, of participant: UInt32, _ roles: Roles, on server: ServerProcess
  ) throws {
    let client = try operatorClient(server)
    defer { client.close() }
    try client.settle(
      client.submit(
        .reference(
          .registerSession(
            RegisterSession(
              session: session, participant: ParticipantId(participant), roles: roles,
              publicKey: PublicKey(key.publicKey))))))
  }

  /// Logs on as Ana (session 2) or Ben (session 3).
  func trader(
    _ number: UInt32, _ server: ServerProcess, orders: OrdersOnDisconnect = .kept,
    resume: SessionPosition? = nil
  ) throws -> Client {
    var options = Client.Options()
    (options.orders, options.resume) = (orders, resume)
    // A long interval, since a loaded machine may be silent for long; keep-alive has its own tests.
    options.keepAliveMilliseconds = 60_000
    return try Client(
      host: "127.0.0.1", port: server.port,
      credentials: Credentials(session: SessionId(number), privateKey: key), options: options)
  }

  /// Logs on as the operator.
  func operatorClient(_ server: ServerProcess) throws -> Client {
    try Client(
      host: "127.0.0.1", port: server.port, credentials: operatorCredentials(server))
  }

  /// The operator's credentials.
  func operatorCredentials(_ server: ServerProcess) throws(ClientError) -> Credentials {
    try Credentials(session: SessionId(1), keyFile: DataFolder(server.data).operatorKey)
  }

  /// The server's status with the state hash.
  func status(_ server: ServerProcess) throws -> StatusReport {
    let client = try operatorClient(server)
    defer { client.close() }
    try client.requestStatus(withStateHash: true)
    return try client.wait { if case .status(let status) = $0 { status } else { nil } }
  }
}

extension NewOrder {
  /// A limit order of whole kWh at thousandths of the currency.
  static func limit(
    _ account: AccountId, _ side: Side, kilowattHours: Int64, at milli: Int64, id: UInt64
  ) -> NewOrder {
    NewOrder(
      account: account, instrument: InstrumentId(1), side: side,
      clientOrderId: ClientOrderId(id), price: Price(ticks: milli * 100),
      quantity: Energy(wattHours: kilowattHours * 1_000))
  }
}

extension Client {
  struct Silence: Error {}

  /// Waits for the first message that `match` accepts; others are skipped.
  func wait<Answer>(_ match: (ClientEvent) -> Answer?) throws -> Answer {
    try flush()
    while let message = try poll(timeoutMilliseconds: 10_000) {
      if let answer = match(message.event) { return answer }
    }
    throw Silence()
  }

  /// Waits until the command with the sequence number `reference` was acknowledged.
  func settle(_ reference: UInt64) throws {
    try wait { event in
      switch event {
      case .acknowledged(reference): return ()
      case .rejected(let rejection) where rejection.reference == reference:
        Issue.record("rejected with \(rejection.code.rawValue), limit \(rejection.limit)")
        return ()
      default: return nil
      }
    }
  }
}
