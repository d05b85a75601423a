import Glibc
import JoulebookClient
import MarketModel
import Testing
import Wire

/// A market in which every command can be wrong in every way: see `prepare`.
///
/// Participant 2 has the accounts 10 (Ana) and 12 (blocked), 13 (orders up to 2 kWh), 14 (one open order), 15 (a day's
/// notional below 0.1), 16 (cash at risk below 0.1), 17 (three orders, its share), 18 (closed), 19 (a meter, no cash); the sessions 2 (trading), 4
/// (metering) and 7 (its administrator). Participant 3 has the account 11 (Ben); the sessions 3, 5 (trading) and 8
/// (its administrator). Instrument 2 has a wide band, 3 is halted, 4 is closed.
final class TableMarket: @unchecked Sendable {
  // Used by one test at a time, because its suite is serialized.
  let village = Village()
  let server: ServerProcess
  private let folder: TemporaryFolder
  private var clients: [UInt32: Client] = [:]
  private var nextId: UInt64 = 1
  /// Orders that rest: Ana's ask of 3 kWh at 0.2, of which 1 kWh was sold to Ben, and Ben's bid.
  private(set) var asked = OrderId.null
  private(set) var bid = OrderId.null

  @TaskLocal static var current: TableMarket?

  init() throws {
    folder = try TemporaryFolder()
    var options = [
      "--set", "settlement.transfers=1000000", "--set", "settlement.nanoseconds=\(1 << 61)",
      "--set", "capacity.accountOrders=3", "--set", "capacity.areas=8",
    ]
    for table in ["participants", "sessions", "accounts", "instruments", "meters", "positions"] {
      options += ["--set", "capacity.\(table)=64"]
    }
    server = try ServerProcess(data: folder.path + "/data", options: options)
    try village.setUp(on: server)
    try prepare()
    disconnect()
  }

  /// Closes all connections: between two tests a loaded machine may be silent for long.
  func disconnect() {
    for client in clients.values { client.close() }
    clients = [:]
  }

  /// The connection of a session; 1 is the operator.
  func client(_ session: UInt32) throws -> Client {
    if let known = clients[session] { return known }
    let made =
      session == 1 ? try village.operatorClient(server) : try village.trader(session, server)
    clients[session] = made
    return made
  }

  /// The hash of the state.
  func stateHash() throws -> UInt64 {
    let client = try client(1)
    while true {
      try client.requestStatus(withStateHash: true)
      let hash = try client.wait { event -> UInt64? in
        switch event {
        case .status(let status): status.stateHash
        case .rejected(let rejection) where rejection.code == .workLimit: 0
        default: nil
        }
      }
      if hash != 0 { return hash }
      usleep(20_000)
    }
  }

  /// What Ana, Ben and the account without cash have.
  func balances() throws -> [Balance] {
    let client = try client(1)
    return try [Village.ana, Village.ben, AccountId(19)].map { account in
      try client.requestBalance(of: account, in: AreaId(1))
      return try client.wait { event in
        if case .balance(let balance, _) = event, balance.account == account {
          balance
        } else {
          nil
        }
      }
    }
  }

  /// The template of the frame of a command.
  func template(of body: Command.Body) throws -> UInt16 {
    let length = try #require(CommandFrame.length(of: body))
    let bytes = try RawSession.bytes(length) {
      CommandFrame.write(body, into: $0, seqNo: 1, sendingTime: Client.wallClock())
    }
    return UInt16(bytes[6]) | UInt16(bytes[7]) << 8
  }

  /// Sends a command, whose frame `spoil` may change, and waits for its reject.
  /// - Returns: `nil` when it was accepted.
  func send(
    _ body: Command.Body, from session: UInt32,
    _ spoil: (UnsafeMutableRawPointer) -> Void = { _ in }
  ) throws -> Rejection? {
    let client = try client(session)
    let length = try #require(CommandFrame.length(of: body))
    var signature = Signature.zero
    if case .meterReading(let reading) = body {
      signature = try reading.signature(village.meterKey, for: client.market)
    }
    let reference = try client.writeFrame(length) { frame, sequence in
      CommandFrame.write(
        body, into: frame, seqNo: sequence, sendingTime: Client.wallClock(), signature: signature)
      spoil(frame)
    }
    let rejection = try answer(client, to: reference)
    if rejection?.code != .workLimit { return rejection }
    usleep(20_000)
    return try send(body, from: session, spoil)
  }

  /// The reject of the message `reference`; `nil`: it was accepted. A request that is answered after it
  /// tells that no reject comes any more.
  private func answer(_ client: Client, to reference: UInt64) throws -> Rejection? {
    let last = try client.requestStatus(withStateHash: false)
    var found: Rejection?
    _ = try client.wait { event -> Bool? in
      switch event {
      case .rejected(let rejection):
        if rejection.reference == reference { found = rejection }
        return rejection.reference == last ? true : nil
      case .status: return true
      default: return nil
      }
    }
    return found
  }

  // MARK: Making it

  private func make(_ body: Command.Body, from session: UInt32 = 1) throws {
    let rejection = try send(body, from: session)
    try #require(rejection == nil, "\(body): \(String(describing: rejection))")
  }

  private func enter(
    _ account: UInt32, _ side: Side, _ kilowattHours: Int64, at milli: Int64, from session: UInt32,
    in instrument: UInt32 = 1
  ) throws -> OrderId {
    let client = try client(session)
    nextId += 1
    let id = ClientOrderId(nextId)
    var order = NewOrder.limit(
      AccountId(account), side, kilowattHours: kilowattHours, at: milli, id: nextId)
    order.instrument = InstrumentId(instrument)
    try client.enter(order)
    return try client.wait {
      if case .accepted(let order) = $0, order.clientOrderId == id { order.order } else { nil }
    }
  }

  private func prepare() throws {
    for (session, participant, roles) in [
      (UInt32(4), UInt32(2), Roles.metering), (5, 3, .trading), (7, 2, .participantAdministration),
      (8, 3, .participantAdministration),
    ] { try village.register(SessionId(session), of: participant, roles, on: server) }
    for (instrument, tick) in [(UInt32(2), Int64(1 << 16)), (3, 100), (4, 100)] {
      try make(
        .reference(
          .createInstrument(
            CreateInstrument(
              instrument: InstrumentId(instrument), area: AreaId(1),
              symbol: try #require(Label("SPOT")), tick: Price(ticks: tick),
              lot: Energy(wattHours: 1), lowestPrice: .zero,
              highestPrice: Price(ticks: tick << 20)))))
    }
    for (instrument, state) in [(UInt32(3), InstrumentState.halted), (4, .closed)] {
      let change = SetInstrumentState(instrument: InstrumentId(instrument), state: state)
      try make(.reference(.setInstrumentState(change)))
    }
    for account in UInt32(12)...17 {
      try make(
        .reference(
          .createAccount(
            CreateAccount(account: AccountId(account), participant: ParticipantId(2)))))
      try make(
        .cash(
          .deposit(
            CashMovement(
              account: AccountId(account), currency: .eur, amount: Money(units: 1_000_000_000),
              reference: 1))))
    }
    try prepareOrders()
    try prepareLimits()
    try prepareClosing()
    try prepareUnsettled()
  }

  private func prepareClosing() throws {
    for account in UInt32(18)...19 { try make(Allowed.account(account, of: 2)) }
    try make(.reference(.setAccount(SetAccount(account: AccountId(18), state: .closed))))
    try make(
      Allowed.meter(self) { ($0.meter, $0.account) = (MeterId(3), AccountId(19)) })
    try make(Allowed.meter(self) { ($0.meter, $0.account) = (MeterId(5), Village.ana) })
    try make(
      Allowed.meter(self) {
        ($0.meter, $0.account, $0.from) = (MeterId(5), Village.ben, Timestamp(nanoseconds: 1_000))
      })
  }

  /// An area in which more was traded than its limit of what is not settled; no batch closes.
  private func prepareUnsettled() throws {
    try make(Allowed.area { $0.area = AreaId(6) })
    try make(Allowed.instrument { ($0.instrument, $0.area) = (InstrumentId(6), AreaId(6)) })
    try make(Allowed.meter(self) { ($0.meter, $0.area) = (MeterId(4), AreaId(6)) })
    try make(Allowed.parameter(.unsettledLimit, 9_999_999, number: 6))
    var reading = FrozenMarket.reading(1)
    reading.meter = MeterId(4)
    try make(.meterReading(reading), from: 2)
    _ = try enter(10, .sell, 1, at: 100, from: 2, in: 6)
    _ = try enter(11, .buy, 1, at: 100, from: 3, in: 6)
  }

  private func prepareOrders() throws {
    let meter = RegisterMeter(
      meter: MeterId(2), account: Village.ben, area: AreaId(1),
      publicKey: PublicKey(village.meterKey.publicKey), capacity: 1_000)
    try make(.reference(.registerMeter(meter)))
    try make(.meterReading(FrozenMarket.reading(1)), from: 2)
    asked = try enter(10, .sell, 3, at: 200, from: 2)
    _ = try enter(11, .buy, 1, at: 200, from: 3)
    bid = try enter(11, .buy, 1, at: 50, from: 3)
    _ = try enter(14, .buy, 1, at: 1, from: 2)
    for _ in 0..<3 { _ = try enter(17, .buy, 1, at: 1, from: 2) }
    let cap = SetCap(account: Village.ben, area: AreaId(1), cap: Energy(wattHours: 1_000))
    try make(.reference(.setCap(cap)))
  }

  private func prepareLimits() throws {
    try make(.reference(.setBlock(SetBlock(account: AccountId(12)))))
    for (account, kind, value) in [
      (UInt32(13), LimitKind.orderQuantity, Int64(2_000)), (14, .openOrders, 1),
      (15, .dailyNotional, 9_999_999), (16, .cashAtRisk, 9_999_999),
    ] {
      try make(
        .reference(.setLimit(SetLimit(account: AccountId(account), kind: kind, value: value))))
    }
    try make(
      .reference(.setLimit(SetLimit(participant: ParticipantId(3), kind: .accounts, value: 1))))
    // All changes that may wait.
    for number in 0..<UInt64(1_024) {
      let change = SetParameter(
        subject: .area, number: 1, parameter: .lossFactor, value: 0,
        from: Timestamp(nanoseconds: 7_000_000_000_000_000_000 + number))
      try make(.reference(.setParameter(change)))
    }
  }
}

/// Runs a suite on one shared market.
struct OnTableMarket: SuiteTrait, TestScoping {
  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    let market = try TableMarket()
    try await TableMarket.$current.withValue(market) { try await function() }
  }
}

extension Trait where Self == OnTableMarket {
  /// Shares one server with a market among the tests of the suite.
  static var onTableMarket: OnTableMarket { OnTableMarket() }
}
