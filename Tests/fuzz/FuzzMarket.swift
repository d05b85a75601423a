// A small exchange with an operator (session 1), two traders (sessions 2 and 3) with an account, a meter, cash
// and energy each, an area and two instruments; or another set-up that an input chooses (FuzzDefinitions.swift).
// It is set up once; every input starts with an exchange that is read from its image.
//
// Under version 1 of the rules cash is unbounded, and a command that exceeds 64 bits ends the process. This
// behaviour is kept for old journals (`serve --refuse` skips the command). The fuzzer therefore omits deposits,
// withdrawals and readings once a currency exceeds the bounds of version 2, from where they could reach 2^63.
// Every other command that ends the process is found, in both versions.

import ExchangeCore
import Glibc
import Journaling
import MarketModel
import Wire

/// A real exchange with a small capacity.
struct FuzzMarket: ~Copyable {
  /// Time of the first command.
  static let beginning: UInt64 = 1_780_272_000_000_000_000
  private static let capacity = Capacity(
    participants: 6, sessions: 8, accounts: 6, areas: 3, instruments: 4, meters: 4, positions: 12,
    orders: 24, priceLevels: 24, cascadeSteps: 200)

  /// Public keys of sessions 1 to 4; the meters have them too.
  static let keys: [PublicKey] = (UInt64(1)...4).map { PublicKey($0, $0, $0, $0) }

  /// Whether commands and events are printed (TELL=1 in the environment).
  private static let tells = getenv("TELL") != nil
  /// Images of the set-up markets. Used by one thread.
  private nonisolated(unsafe) static var foundations: [FuzzDefinitions: Foundation] = [:]

  /// Events of the set-up, for reference data.
  static func founding(_ definitions: FuzzDefinitions = .usual) -> [Told] {
    foundation(definitions).events
  }

  /// An event and its command.
  struct Told {
    let event: Event
    let sequence: SequenceNumber

    init(_ event: borrowing Event, _ sequence: SequenceNumber) {
      (self.event, self.sequence) = (copy event, sequence)
    }
  }

  /// The event of a row, read in place.
  static func withEvent(
    of rows: UnsafeBufferPointer<Told>, at place: Int, _ body: (UnsafePointer<Event>) -> Void
  ) {
    guard let row = rows.baseAddress?.advanced(by: place),
      let event = UnsafePointer<Event>(row.pointer(to: \.event))
    else { return }
    body(event)
  }

  var exchange: Exchange
  /// Sequence number of the last command.
  private(set) var last: SequenceNumber
  /// Time of the exchange in ns.
  var now = FuzzMarket.beginning

  /// A market after its set-up.
  init(_ definitions: FuzzDefinitions = .usual) {
    let foundation = Self.foundation(definitions)
    let image = MemoryImage(reading: foundation.image)
    guard let exchange = Exchange(capacity: Self.capacity, reading: image) else {
      fatalError("the exchange cannot read its own image")
    }
    self.exchange = exchange
    last = foundation.last
  }

  /// An empty market before its set-up.
  private init(empty: ()) {
    exchange = Exchange(capacity: Self.capacity)
    last = .none
  }

  /// Applies a command after it was written to a journal record and read back.
  mutating func apply(_ command: Command, _ tell: (borrowing Event, SequenceNumber) -> Void) {
    var stamped = command
    last = SequenceNumber(last.rawValue + 1)
    if case .control(.tick) = command.body {
      now = max(now, min(command.time.nanoseconds, 1 << 62))
    }
    (stamped.sequence, stamped.time) = (last, Timestamp(nanoseconds: now))
    if Self.tells { print("\(last.rawValue) session \(command.session.rawValue): \(command.body)") }
    if couldLeaveItsType(stamped.body) {
      if Self.tells { print("  omitted: unbounded under rules 1") }
      return
    }
    let events = exchange.execute(JournalCopy.of(stamped))
    for place in events.indices {
      if Self.tells { print("  \(events[place])") }
      tell(events[place], last)
    }
  }

  /// Ends the process if an invariant of the exchange is violated.
  func check() {
    if let broken = exchange.invariantViolations().first { fatalError(broken) }
  }

  // MARK: Unbounded cash of rules 1

  /// Whether a command creates cash under rules of version 1 while a currency exceeds the bounds of version 2.
  /// Before any other command at most 2^62 are held and owed, and a command adds at most 2^61.
  private func couldLeaveItsType(_ body: Command.Body) -> Bool {
    guard exchange.rules < 2 else { return false }
    switch body {
    case .cash(.deposit), .cash(.withdraw), .meterReading: break
    default: return false
    }
    var sums: [Currency: (held: Int128, owed: Int128)] = [:]
    for row in exchange.cash() {
      let free = Int128(row.free.units)
      sums[row.currency, default: (0, 0)].held += max(free, 0) + Int128(row.reserved.units)
      sums[row.currency, default: (0, 0)].owed += max(-free, 0)
    }
    let fees = (1...UInt16(Self.capacity.areas)).reduce(Int128(0)) { sum, area in
      sum + Int128(exchange.totals(of: AreaId(area))?.fees.units ?? 0)
    }
    return sums.contains { currency, sum in
      sum.held + fees > Int128(Limit.cash) || sum.owed > Int128(Limit.cash)
        || exchange.supply(of: currency).units < -Limit.total
    }
  }

  // MARK: Set-up

  private struct Foundation {
    let image: [UInt8]
    let events: [Told]
    let last: SequenceNumber

    init(_ definitions: FuzzDefinitions) {
      var market = FuzzMarket(empty: ())
      var told: [Told] = []
      for command in definitions.foundation {
        market.apply(command) { event, sequence in
          if case .rejected(let rejected) = copy event {
            fatalError("market \(definitions.bits) cannot be set up: \(command.body): \(rejected)")
          }
          told.append(Told(event, sequence))
        }
      }
      market.check()
      let image = MemoryImage()
      market.exchange.write(to: image)
      (self.image, events, last) = (image.bytes, told, market.last)
    }
  }

  private static func foundation(_ definitions: FuzzDefinitions) -> Foundation {
    if let known = foundations[definitions] { return known }
    let made = Foundation(definitions)
    foundations[definitions] = made
    return made
  }
}
