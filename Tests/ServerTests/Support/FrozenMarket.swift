import Crypto
import JoulebookClient
import MarketModel
import Testing

/// A market that bad input must not change: a real server with Ana's energy and resting ask, Ben's
/// resting bid, and one instrument in each state. No settlement batch closes during the tests, so
/// only the input could change the state.
final class FrozenMarket: @unchecked Sendable {
  // Used by one test at a time, because its suites are serialized.
  let village = Village()
  let server: ServerProcess
  private let folder: TemporaryFolder

  /// A wide price band and a lot of 1 Wh, so that amounts can overflow.
  static let wide = InstrumentId(2)
  static let halted = InstrumentId(3)
  static let closed = InstrumentId(4)
  /// Ana's session for meter readings.
  static let meterBox = SessionId(4)
  /// A session of Ben's that tests may lock.
  static let spare = SessionId(5)
  static let accounts: Int64 = 64

  @TaskLocal static var current: FrozenMarket?

  init() throws {
    folder = try TemporaryFolder()
    server = try ServerProcess(
      data: folder.path + "/data",
      options: [
        "--set", "settlement.transfers=1000000",
        "--set", "settlement.nanoseconds=\(1 << 61)", "--set", "capacity.accounts=64",
        "--set", "capacity.orders=1024", "--set", "capacity.positions=64",
        "--set", "capacity.instruments=64",
      ])
    try village.setUp(on: server)
    try prepare()
  }

  private func prepare() throws {
    let client = try village.operatorClient(server)
    defer { client.close() }
    for (instrument, tick) in [(Self.wide, Int64(1 << 16)), (Self.halted, 100), (Self.closed, 100)]
    {
      try client.settle(
        client.submit(
          .reference(
            .createInstrument(
              CreateInstrument(
                instrument: instrument, area: AreaId(1), kind: .spot,
                symbol: #require(Label("SPOT\(instrument.rawValue)")), tick: Price(ticks: tick),
                lot: Energy(wattHours: 1), lowestPrice: .zero,
                highestPrice: Price(ticks: tick << 20),
                makerFee: .zero, takerFee: .zero)))))
    }
    try client.settle(
      client.submit(
        .reference(.setInstrumentState(SetInstrumentState(instrument: Self.halted, state: .halted)))
      ))
    try client.settle(
      client.submit(
        .reference(.setInstrumentState(SetInstrumentState(instrument: Self.closed, state: .closed)))
      ))
    try client.settle(
      client.submit(
        .reference(
          .setCap(SetCap(account: Village.ben, area: AreaId(1), cap: Energy(wattHours: 1_000))))))
    for (session, participant, roles) in [
      (Self.meterBox, UInt32(2), Roles.metering), (Self.spare, 3, .trading),
    ] {
      try client.settle(
        client.submit(
          .reference(
            .registerSession(
              RegisterSession(
                session: session, participant: ParticipantId(participant), roles: roles,
                publicKey: PublicKey(village.key.publicKey))))))
    }
    let (ana, ben) = (try village.trader(2, server), try village.trader(3, server))
    defer {
      ana.close()
      ben.close()
    }
    try ana.send(Self.reading(1), key: village.meterKey)
    try ana.wait { if case .metered = $0 { () } else { nil } }
    try ana.enter(.limit(Village.ana, .sell, kilowattHours: 2, at: 200, id: 7))
    try ana.wait { if case .accepted = $0 { () } else { nil } }
    try ben.enter(.limit(Village.ben, .buy, kilowattHours: 1, at: 50, id: 7))
    try ben.wait { if case .accepted = $0 { () } else { nil } }
  }

  /// The `number`-th quarter-hour reading of Ana's meter: 5 kWh produced.
  static func reading(_ number: UInt64) -> MeterReading {
    let quarter: UInt64 = 900_000_000_000
    return MeterReading(
      meter: MeterId(1), registerSequence: number,
      intervalStart: Timestamp(nanoseconds: MeterTime.start + (number - 1) * quarter),
      intervalEnd: Timestamp(nanoseconds: MeterTime.start + number * quarter),
      produced: Energy(wattHours: 5_000),
      consumed: .zero)
  }

  /// The state that bad input must not change, as an operator can query it.
  struct StateSummary: Equatable {
    var stateHash: UInt64
    var openOrders: UInt32
    var trades: UInt64
    var balances: [Balance]
  }

  /// The present state.
  func summary() throws -> StateSummary {
    let status = try village.status(server)
    let client = try village.operatorClient(server)
    defer { client.close() }
    let balances = try [Village.ana, Village.ben].map { account in
      try client.requestBalance(of: account, in: AreaId(1))
      return try client.wait { if case .balance(let balance, _) = $0 { balance } else { nil } }
    }
    return StateSummary(
      stateHash: status.stateHash, openOrders: status.openOrderCount, trades: status.tradeCount,
      balances: balances)
  }
}

/// Runs a suite on one shared market.
struct OnFrozenMarket: SuiteTrait, TestScoping {
  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    let market = try FrozenMarket()
    try await FrozenMarket.$current.withValue(market) { try await function() }
  }
}

extension Trait where Self == OnFrozenMarket {
  /// Shares one server with a market among the tests of the suite.
  static var onFrozenMarket: OnFrozenMarket { OnFrozenMarket() }
}
