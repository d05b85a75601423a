// A small exchange with people on it, the same for every input: an operator (session 1), two traders
// (sessions 2 and 3) with an account, a meter, cash and energy each, an area and two instruments. It is
// founded once; every input begins with an exchange read from that one's image.

import ExchangeCore
import Glibc
import Journaling
import MarketModel
import Wire

/// The real exchange, small.
struct FuzzMarket: ~Copyable {
  /// The time of the first command.
  static let beginning: UInt64 = 1_780_272_000_000_000_000
  private static let capacity = Capacity(
    participants: 6, sessions: 8, accounts: 6, areas: 3, instruments: 4, meters: 4, positions: 12,
    orders: 24, priceLevels: 24, cascadeSteps: 200)

  /// Keys of the sessions 1 to 4, which are also the meters'.
  static let keys: [PublicKey] = (UInt64(1)...4).map { PublicKey($0, $0, $0, $0) }

  /// Whether commands and events are printed: TELL=1, to see what an input does.
  private static let tells = getenv("TELL") != nil
  private static let foundation = Foundation()

  /// What came of founding the market, for whoever must know it.
  static var founding: [Told] { foundation.events }

  /// An event and its command.
  struct Told {
    let event: Event
    let sequence: SequenceNumber

    init(_ event: borrowing Event, _ sequence: SequenceNumber) {
      (self.event, self.sequence) = (copy event, sequence)
    }
  }

  /// Shows the event of a row where it stands.
  static func withEvent(
    of rows: UnsafeBufferPointer<Told>, at place: Int, _ body: (UnsafePointer<Event>) -> Void
  ) {
    guard let row = rows.baseAddress?.advanced(by: place),
      let event = UnsafePointer<Event>(row.pointer(to: \.event))
    else { return }
    body(event)
  }

  var exchange: Exchange
  /// Number of the last command.
  private(set) var last: SequenceNumber
  /// The exchange's time, ns.
  var now = FuzzMarket.beginning

  /// The founded market.
  init() {
    let image = MemoryImage(reading: Self.foundation.image)
    guard let exchange = Exchange(capacity: Self.capacity, reading: image) else {
      fatalError("the exchange does not read what it wrote")
    }
    self.exchange = exchange
    last = Self.foundation.last
  }

  /// An empty one, to be founded.
  private init(empty: ()) {
    exchange = Exchange(capacity: Self.capacity)
    last = .none
  }

  /// Applies a command after a look at the journal's copy of it.
  mutating func apply(_ command: Command, _ tell: (borrowing Event, SequenceNumber) -> Void) {
    var stamped = command
    last = SequenceNumber(last.rawValue + 1)
    if case .tick = command.body { now = max(now, min(command.time.nanoseconds, 1 << 62)) }
    (stamped.sequence, stamped.time) = (last, Timestamp(nanoseconds: now))
    if Self.tells { print("\(last.rawValue) session \(command.session.rawValue): \(command.body)") }
    let events = exchange.execute(JournalCopy.of(stamped))
    for place in events.indices {
      if Self.tells { print("  \(events[place])") }
      tell(events[place], last)
    }
  }

  /// Ends the process when the exchange is not sound.
  func check() {
    if let broken = exchange.invariantViolations().first { fatalError(broken) }
  }

  // MARK: The foundation

  private struct Foundation {
    let image: [UInt8]
    let events: [Told]
    let last: SequenceNumber

    init() {
      var market = FuzzMarket(empty: ())
      var told: [Told] = []
      for command in FuzzMarket.foundationCommands() {
        market.apply(command) { told.append(Told($0, $1)) }
      }
      market.check()
      let image = MemoryImage()
      market.exchange.write(to: image)
      (self.image, events, last) = (image.bytes, told, market.last)
    }
  }

  private static func foundationCommands() -> [Command] {
    var bodies: [Command.Body] = [
      .createParticipant(CreateParticipant(participant: ParticipantId(1), name: .empty)),
      session(1, .administration), area(1), instrument(1), instrument(2),
    ]
    for number in UInt32(2)...3 { bodies += trader(number) }
    return bodies.map { Command(session: .exchange, body: $0) }
  }

  private static func trader(_ number: UInt32) -> [Command.Body] {
    let account = AccountId(number)
    return [
      .createParticipant(CreateParticipant(participant: ParticipantId(number), name: .empty)),
      session(number, [.trading, .metering]),
      .createAccount(CreateAccount(account: account, participant: ParticipantId(number))),
      .registerMeter(
        RegisterMeter(
          meter: MeterId(number), account: account, area: AreaId(1),
          publicKey: keys[Int(number) - 1])),
      .deposit(
        CashMovement(
          account: account, currency: .eur, amount: Money(units: 40_000_000_000), reference: 1)),
      .meterReading(
        MeterReading(
          meter: MeterId(number), registerSequence: 1,
          intervalStart: Timestamp(nanoseconds: beginning - 1_800_000_000_000),
          intervalEnd: Timestamp(nanoseconds: beginning - 900_000_000_000),
          produced: Energy(wattHours: 5_000), consumed: .zero)),
    ]
  }

  private static func session(_ number: UInt32, _ roles: Roles) -> Command.Body {
    .registerSession(
      RegisterSession(
        session: SessionId(number), participant: ParticipantId(number), roles: roles,
        publicKey: keys[Int(number) - 1]))
  }

  private static func area(_ number: UInt16) -> Command.Body {
    .createArea(
      CreateArea(
        area: AreaId(number), currency: .eur, code: .empty, storageCost: Money(units: 300),
        storagePrice: Money(units: 20), feedInPrice: Price(ticks: 8_000),
        retailPrice: Price(ticks: 32_000), lossFactor: Rate(partsPerMillion: 20_000)))
  }

  private static func instrument(_ number: UInt32) -> Command.Body {
    .createInstrument(
      CreateInstrument(
        instrument: InstrumentId(number), area: AreaId(1), symbol: .empty, tick: Price(ticks: 100),
        lot: Energy(wattHours: 100), lowestPrice: .zero, highestPrice: Price(ticks: 40_000),
        makerFee: Rate(partsPerMillion: 1_000), takerFee: Rate(partsPerMillion: 2_000)))
  }
}
