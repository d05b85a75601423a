// A small exchange with people on it: an operator (session 1), two traders (sessions 2 and 3) with an account,
// a meter, cash and energy each, an area and two instruments; or what else an input chose
// (FuzzDefinitions.swift). It is founded once; every input begins with an exchange read from that one's image.
//
// Under rules of version 1 cash has no bound: what leads there ends the process, in old journals too, and stays
// so (`serve --refuse` goes on without it). So deposits, withdrawals and readings are left out exactly where
// version 2 would have a currency beyond its bounds already: from there on they could reach 2^63. Any other
// command that ends the process is found, in both versions.

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
  /// By what they are founded with, once each; one thread's.
  private nonisolated(unsafe) static var foundations: [FuzzDefinitions: Foundation] = [:]

  /// What came of founding the market, for whoever must know it.
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
  init(_ definitions: FuzzDefinitions = .usual) {
    let foundation = Self.foundation(definitions)
    let image = MemoryImage(reading: foundation.image)
    guard let exchange = Exchange(capacity: Self.capacity, reading: image) else {
      fatalError("the exchange does not read what it wrote")
    }
    self.exchange = exchange
    last = foundation.last
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
    if case .control(.tick) = command.body {
      now = max(now, min(command.time.nanoseconds, 1 << 62))
    }
    (stamped.sequence, stamped.time) = (last, Timestamp(nanoseconds: now))
    if Self.tells { print("\(last.rawValue) session \(command.session.rawValue): \(command.body)") }
    if couldLeaveItsType(stamped.body) {
      if Self.tells { print("  left out: rules 1 have no bound for it") }
      return
    }
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

  // MARK: Rules without a bound

  /// Whether a command makes cash under rules that have no bound for it, where there is so much already that
  /// version 2 would refuse to be set: at most 2^62 are held and owed before any other, at most 2^61 come.
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

  // MARK: The foundation

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
            fatalError("market \(definitions.bits) is not founded: \(command.body): \(rejected)")
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
