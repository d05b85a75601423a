// What a load needs of an exchange, made by an operator's session: an area, instruments, and for each
// session a participant with two accounts, cash, energy and headroom for whatever comes.

import Crypto
import JoulebookClient
import MarketModel

/// The load's part of a market: numbers from `base` upwards.
struct LoadMarket: Sendable {
  /// Ample for any run, far below the exchange's limits.
  private static let cash = Money(units: 1 << 50)
  private static let energy = Energy(wattHours: 1 << 40)
  private static let cap = Energy(wattHours: 1 << 44)
  /// Commands that may be unanswered while the market is made.
  private static let window = 1_024

  /// First number.
  let base: UInt32
  /// Sessions that trade.
  let traders: Int
  /// Sessions that are silent.
  let idle: Int
  /// Accounts in all, dealt out to the traders in turn.
  let accounts: Int
  /// Instruments.
  let instruments: Int
  /// Price band in ticks.
  let lowest: Int64
  let highest: Int64
  /// Keys follow from it.
  let seed: UInt64

  /// The one area.
  var area: AreaId { AreaId(UInt16(truncatingIfNeeded: base % 60_000)) }

  /// The `index`-th instrument.
  func instrument(_ index: Int) -> InstrumentId { InstrumentId(base + UInt32(index)) }

  /// The `index`-th account.
  func account(_ index: Int) -> AccountId { AccountId(base + UInt32(index)) }

  /// The meter of the `index`-th account.
  func meter(_ index: Int) -> MeterId { MeterId(base + UInt32(index)) }

  /// Which trader acts for the `index`-th account: pairs of neighbours belong together.
  func trader(of index: Int) -> Int { index / 2 % traders }

  /// The credentials of the `index`-th session, traders first.
  func credentials(_ index: Int) -> Credentials {
    Credentials(
      session: SessionId(base + UInt32(index)), privateKey: key(UInt64(base) + UInt64(index)))
  }

  /// The key that all meters share: they are one load's.
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

  // MARK: Making it

  /// Makes everything that is not there yet, but the energy.
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
    // The operator's references rise over runs, like the clock.
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
            RegisterMeter(meter: meter(index), account: account, area: area, publicKey: key))))
    }
  }

  /// Gives every account its energy, read by its own meter, over its own session.
  func fill(_ clients: [Client]) throws(LoadError) {
    let now = Client.wallClock().nanoseconds
    let key = meterKey
    for trader in 0..<traders {
      var window = CommandWindow(clients[trader])
      for index in 0..<accounts where self.trader(of: index) == trader {
        try window.send { client throws(ClientError) in
          try client.send(
            MeterReading(
              meter: meter(index), registerSequence: now,
              intervalStart: Timestamp(nanoseconds: now - 2_000),
              intervalEnd: Timestamp(nanoseconds: now - 1_000), produced: Self.energy,
              consumed: .zero),
            key: key)
        }
      }
      try window.finish()
    }
  }

  /// An operator's window of commands, each of which must be answered well.
  private struct CommandWindow {
    let client: Client
    private var open = 0

    init(_ client: Client) { self.client = client }

    /// Sends one, and waits while too many are unanswered.
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
      case .acknowledged, .metered: open -= 1
      // A load that runs again finds what it made the last time.
      case .rejected(let rejection) where rejection.code == .alreadyExists: open -= 1
      case .rejected(let rejection): throw .setUp(rejection.code, limit: rejection.limit)
      case nil: throw .client(.timedOut)
      default: break
      }
    }
  }
}
