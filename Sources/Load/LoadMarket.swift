// The part of a market that a load trades in, created by an operator's session: an area,
// instruments, and for each session a participant with two accounts that have ample cash, energy
// and headroom.

import Crypto
import JoulebookClient
import MarketModel

/// The load's part of a market. All of its numbers start at `base`.
struct LoadMarket: Sendable {
  /// Cash, energy and cap of each account: enough for any run and far below the exchange's limits.
  private static let cash = Money(units: 1 << 50)
  private static let energy = Energy(wattHours: 1 << 40)
  private static let cap = Energy(wattHours: 1 << 44)
  /// Most unanswered commands while the market is created.
  private static let window = 1_024

  /// First number of sessions, participants, accounts, meters and instruments.
  let base: UInt32
  /// Number of sessions that trade.
  let traders: Int
  /// Number of sessions that send nothing.
  let idle: Int
  /// Number of accounts of all traders together.
  let accounts: Int
  /// Number of instruments.
  let instruments: Int
  /// Lowest price in ticks.
  let lowest: Int64
  /// Highest price in ticks.
  let highest: Int64
  /// Seed of the sessions' and meters' keys.
  let seed: UInt64

  /// The area of all instruments.
  var area: AreaId { AreaId(UInt16(truncatingIfNeeded: base % 60_000)) }

  /// The `index`-th instrument.
  func instrument(_ index: Int) -> InstrumentId { InstrumentId(base + UInt32(index)) }

  /// The `index`-th account.
  func account(_ index: Int) -> AccountId { AccountId(base + UInt32(index)) }

  /// The meter of the `index`-th account.
  func meter(_ index: Int) -> MeterId { MeterId(base + UInt32(index)) }

  /// Index of the trader that owns the `index`-th account. Accounts 2n and 2n + 1 have one owner.
  func trader(of index: Int) -> Int { index / 2 % traders }

  /// The credentials of the `index`-th session; the traders' sessions come first.
  func credentials(_ index: Int) -> Credentials {
    Credentials(
      session: SessionId(base + UInt32(index)), privateKey: key(UInt64(base) + UInt64(index)))
  }

  /// The key that all meters of the load share.
  var meterKey: Curve25519.Signing.PrivateKey { key(0) }

  private func key(_ stream: UInt64) -> Curve25519.Signing.PrivateKey {
    var random = SeededRandom(seed: seed ^ (stream << 20))
    let bytes = (0..<32).map { _ in UInt8.random(in: 0...255, using: &random) }
    do {
      return try Curve25519.Signing.PrivateKey(rawRepresentation: bytes)
    } catch {
      preconditionFailure("32 bytes are an Ed25519 key: \(error)")
    }
  }

  // MARK: Creation

  /// Creates all of the market that does not exist yet, except the energy.
  /// - Throws: `.setUp` when the exchange rejects a command; `.client`.
  func make(by administrator: Client) throws(LoadError) {
    var window = CommandWindow(administrator)
    try window.send { client throws(ClientError) in
      try client.submit(
        .reference(
          .createArea(
            CreateArea(
              area: area, currency: .eur, code: .empty, storageCost: Money(units: 300),
              storagePrice: Money(units: 200), feedInPrice: .zero, retailPrice: .zero))))
    }
    for index in 0..<instruments {
      try window.send { client throws(ClientError) in
        try client.submit(
          .reference(
            .createInstrument(
              CreateInstrument(
                instrument: instrument(index), area: area, symbol: .empty, tick: Price(ticks: 1),
                lot: Energy(wattHours: 1), lowestPrice: Price(ticks: lowest),
                highestPrice: Price(ticks: highest), makerFee: Rate(partsPerMillion: 100),
                takerFee: Rate(partsPerMillion: 200)))))
      }
    }
    for index in 0..<(traders + idle) { try makeSession(index, &window) }
    for index in 0..<accounts { try makeAccount(index, &window) }
    try window.finish()
  }

  private func makeSession(_ index: Int, _ window: inout CommandWindow) throws(LoadError) {
    let credentials = credentials(index)
    let participant = ParticipantId(base + UInt32(index))
    try window.send { client throws(ClientError) in
      try client.submit(
        .reference(.createParticipant(CreateParticipant(participant: participant, name: .empty))))
    }
    try window.send { client throws(ClientError) in
      try client.submit(
        .reference(
          .registerSession(
            RegisterSession(
              session: credentials.session, participant: participant, roles: .trading,
              publicKey: credentials.publicKey))))
    }
  }

  private func makeAccount(_ index: Int, _ window: inout CommandWindow) throws(LoadError) {
    let account = account(index)
    try window.send { client throws(ClientError) in
      try client.submit(
        .reference(
          .createAccount(
            CreateAccount(
              account: account, participant: ParticipantId(base + UInt32(trader(of: index)))))))
    }
    try window.send { client throws(ClientError) in
      try client.submit(.reference(.setCap(SetCap(account: account, area: area, cap: Self.cap))))
    }
    // References have to increase from run to run, so they are taken from the clock.
    try window.send { client throws(ClientError) in
      try client.submit(
        .cash(
          .deposit(
            CashMovement(
              account: account, currency: .eur, amount: Self.cash,
              reference: Client.wallClock().nanoseconds))))
    }
    let key = PublicKey(meterKey.publicKey)
    try window.send { client throws(ClientError) in
      try client.submit(
        .reference(
          .registerMeter(
            RegisterMeter(
              meter: meter(index), account: account, area: area, publicKey: key, capacity: .max,
              ownReadings: true))))
    }
  }

  /// Credits energy to every account with a reading of its meter, sent on its trader's session.
  /// - Throws: `.setUp` when the exchange rejects a reading; `.client`.
  func creditEnergy(over clients: [Client]) throws(LoadError) {
    let now = Client.wallClock().nanoseconds
    let key = meterKey
    for trader in 0..<traders {
      var window = CommandWindow(clients[trader])
      for index in 0..<accounts where self.trader(of: index) == trader {
        try window.send { client throws(ClientError) in
          try client.send(
            MeterReading(
              meter: meter(index), registerSequence: now,
              intervalStart: Timestamp(nanoseconds: now - 1_001_000),
              intervalEnd: Timestamp(nanoseconds: now - 1_000), produced: Self.energy,
              consumed: .zero),
            key: key)
        }
      }
      try window.finish()
    }
  }

  /// Sends commands of one session, a bounded number of them unanswered. Every reject except
  /// `alreadyExists` is an error.
  private struct CommandWindow {
    let client: Client
    private var open = 0

    init(_ client: Client) { self.client = client }

    /// Sends a command, and waits while too many are unanswered.
    mutating func send(
      _ command: (Client) throws(ClientError) -> UInt64
    ) throws(LoadError) {
      do throws(ClientError) {
        _ = try command(client)
      } catch {
        throw .client(error)
      }
      open += 1
      while open >= LoadMarket.window { try take() }
    }

    /// Waits for all answers.
    mutating func finish() throws(LoadError) {
      while open > 0 { try take() }
    }

    private mutating func take() throws(LoadError) {
      let message: ClientMessage?
      do throws(ClientError) {
        message = try client.poll(timeoutMilliseconds: 10_000)
      } catch {
        throw .client(error)
      }
      switch message?.event {
      case .acknowledged, .metered, .corrected: open -= 1
      // A previous load with these numbers has created it.
      case .rejected(let rejection) where rejection.code == .alreadyExists: open -= 1
      case .rejected(let rejection): throw .setUp(rejection.code, limit: rejection.limit)
      case nil: throw .client(.timedOut)
      default: break
      }
    }
  }
}
