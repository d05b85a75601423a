// Reads images of older programs, so that a data folder whose journal was pruned up to such a
// snapshot still opens. In these layouts positions had no assets and the tables had another order.

import MarketModel

enum FormerImage {
  /// Fingerprints of the older layouts that can be read. All but the last four lack the bounds of
  /// accounts in the capacity, the rated power of meters, and who opened a level. The first two had
  /// the tables in another order; of these, one holds the sums of each currency, the other was
  /// written before version 2 of the rules and lacks them. The third and the fourth differ from each
  /// other in the names of rows and fields. The fifth lacks what version 4 of the rules added, the
  /// sixth what version 5 added, the seventh what version 6 added, the last what version 8 added.
  static let fingerprints: [UInt64] = [
    0x52E2_E907_384F_F34E, 0xEB42_34FB_DC19_6FBD, 0xD5D0_2F15_171E_6AEB, 0x479F_D4CF_F819_2713,
    0x203D_38A6_D449_F829, 0x58F7_3922_BCB6_14EF, 0xEBC0_5843_9DC9_87CE,
    0x1208_EE16_ADD1_17B2,
  ]

  /// The capacity without the bounds of accounts.
  struct Capacity: BitwiseCopyable, Equatable {
    var participants, sessions, accounts, areas, instruments, meters: UInt32
    var positions, orders, priceLevels, cascadeSteps: UInt32

    init(_ capacity: ExchangeCore.Capacity) {
      (participants, sessions) = (capacity.participants, capacity.sessions)
      (accounts, areas) = (capacity.accounts, capacity.areas)
      (instruments, meters) = (capacity.instruments, capacity.meters)
      (positions, orders) = (capacity.positions, capacity.orders)
      (priceLevels, cascadeSteps) = (capacity.priceLevels, capacity.cascadeSteps)
    }
  }

  /// The capacity without the number of references.
  struct PreviousCapacity: BitwiseCopyable, Equatable {
    var before: Capacity
    var accountOrders, accountLevels: UInt32

    init(_ capacity: ExchangeCore.Capacity) {
      before = Capacity(capacity)
      (accountOrders, accountLevels) = (capacity.accountOrders, capacity.accountLevels)
    }
  }

  /// The capacity with the number of references, and without what version 8 of the rules added. The
  /// fingerprint contains the type's name.
  enum WithReferences {
    struct Image: BitwiseCopyable, Equatable {
      var participants, sessions, accounts, areas, instruments, meters: UInt32
      var positions, orders, priceLevels, cascadeSteps: UInt32
      var accountOrders, accountLevels: UInt32
      var cashReferences: UInt32

      init(_ capacity: ExchangeCore.Capacity) {
        (participants, sessions) = (capacity.participants, capacity.sessions)
        (accounts, areas) = (capacity.accounts, capacity.areas)
        (instruments, meters) = (capacity.instruments, capacity.meters)
        (positions, orders) = (capacity.positions, capacity.orders)
        (priceLevels, cascadeSteps) = (capacity.priceLevels, capacity.cascadeSteps)
        (accountOrders, accountLevels) = (capacity.accountOrders, capacity.accountLevels)
        cashReferences = capacity.cashReferences
      }
    }
  }

  /// A meter without a rated power.
  private struct Meter: BitwiseCopyable {
    var account: UInt32
    var position: UInt32
    var lastSequence: UInt64
    var lastEnd: UInt64
    var publicKey: PublicKey

    var withCapacity: ExchangeCore.Meter {
      ExchangeCore.Meter(
        account: account, position: position, lastSequence: lastSequence, lastEnd: lastEnd,
        publicKey: publicKey, capacity: 0)
    }
  }

  /// The counters of the first layout.
  private struct Counters: BitwiseCopyable {
    var holdings, positions: UInt32
    var trades, arrivals, settledBatch, settledSequence: UInt64
    var touchedHead, touchedTail: UInt32
    var hasBacklog: UInt64
    var rules: UInt64
    var now, lastSequence, eventHash: UInt64
  }

  /// The counters of the second layout.
  private struct FirstCounters: BitwiseCopyable {
    var holdings, positions: UInt32
    var trades, arrivals, settledBatch, settledSequence: UInt64
    var touchedHead, touchedTail: UInt32
    var hasBacklog: UInt64
    var now, lastSequence, eventHash: UInt64

    var withRules: Counters {
      Counters(
        holdings: holdings, positions: positions, trades: trades, arrivals: arrivals,
        settledBatch: settledBatch, settledSequence: settledSequence, touchedHead: touchedHead,
        touchedTail: touchedTail, hasBacklog: hasBacklog, rules: UInt64(RulesVersion.first),
        now: now, lastSequence: lastSequence, eventHash: eventHash)
    }
  }

  /// The expiry of an order; rows were in order of slots.
  private struct Expiry: BitwiseCopyable {
    var time: UInt64
    var index: UInt32
  }

  /// Reads the part of the image between the capacity and the end word.
  /// - Parameter layout: The index of the image's fingerprint.
  static func read(_ exchange: inout Exchange, from source: any StateSource, layout: Int) {
    if layout >= beforeRules5 {
      return Exchange.forEachComponent {
        let isMissing =
          isOfRules8($0) || (layout < beforeRules8 && isOfRules6($0))
          || (layout == beforeRules5 && isOfRules5($0))
        if !isMissing { $0.read(&exchange, from: source) }
      }
    }
    if layout < 2 {
      readFirst(&exchange, from: source, knowsCirculation: layout == 0)
    } else {
      Progress.read(&exchange, from: source)
      Reference.read(&exchange, from: source)
      Accounts.read(&exchange, from: source)
      if layout < beforeRules4 {
        readMeters(&exchange, from: source)
      } else {
        Meters.read(&exchange, from: source)
      }
      Products.read(&exchange, from: source)
      Books.read(&exchange, from: source)
      Currencies.read(&exchange, from: source)
      Balances.read(&exchange, from: source)
      OrderPool.read(&exchange, from: source)
      Touched.read(&exchange, from: source)
      readSchedule(&exchange, from: source)
    }
    if !source.isWhole { return }
    exchange.reference.clearAdditions()
    exchange.countDefinitions()
    Shares.read(&exchange, from: source)
    if layout < beforeRules4 { exchange.reassignLevels() }
  }

  /// Whether version 5 of the rules added the component.
  static func isOfRules5(_ component: any (StateComponent & ~Copyable).Type) -> Bool {
    component == SpentPower.self || component == AccountTerms.self
      || component == ReadersBefore.self
  }

  /// Whether version 6 of the rules added the component.
  static func isOfRules6(_ component: any (StateComponent & ~Copyable).Type) -> Bool {
    component == AreaUses.self || component == LossRests.self
  }

  /// Whether version 8 of the rules added the component.
  static func isOfRules8(_ component: any (StateComponent & ~Copyable).Type) -> Bool {
    component == TariffHistory.self || component == KeptReadings.self
      || component == FormerHolders.self || component == Quarantine.self
      || component == MeterSites.self || component == Unsettled.self
      || component == Compensations.self
  }

  /// The index of the layout that has rated powers and who opened a level.
  static let beforeRules4 = 4
  /// The index of the layout that has all but what readings took beyond their power, and labels and
  /// closed accounts, and who sent readings before a change.
  static let beforeRules5 = 5
  /// The index of the layout that has all but own use, local first and carried losses.
  static let beforeRules6 = 6
  /// The index of the layout that has all but kept readings, the history of tariffs, former accounts of
  /// meters and quarantine.
  static let beforeRules8 = 7

  /// Reads a schedule in which expiries had the lowest handles.
  private static func readSchedule(_ exchange: inout Exchange, from source: any StateSource) {
    let count = source.get(UInt32.self)
    let most = Int(exchange.capacity.orders) + 1
    let heap = source.get(UInt32.self, most: most)
    let entries = source.get(ScheduleEntry.self, most: most)
    if !source.isWhole { return }
    for slot in heap.dropFirst().prefix(Int(count)) where Int(slot) < entries.count {
      exchange.schedule.insert(
        .expiry, slot, at: entries[Int(slot)].time,
        number: entries[Int(slot)].rank & (1 << 56 - 1))
    }
  }

  private static func readMeters(_ exchange: inout Exchange, from source: any StateSource) {
    let meters = source.get(Meter.self, most: Int(exchange.capacity.meters) + 1)
    for (number, meter) in meters.enumerated() {
      exchange.meters.restore(meter.withCapacity, UInt32(number))
    }
  }

  /// Reads the tables in the order of the first layouts.
  /// - Parameter knowsCirculation: Whether the image has the sums of each currency.
  private static func readFirst(
    _ exchange: inout Exchange, from source: any StateSource, knowsCirculation: Bool
  ) {
    let counters =
      knowsCirculation ? source.get(Counters.self) : source.get(FirstCounters.self).withRules
    exchange.progress.read(
      Progress.Image(
        trades: counters.trades, arrivals: counters.arrivals, settledBatch: counters.settledBatch,
        settledSequence: counters.settledSequence, rules: counters.rules, now: counters.now,
        lastSequence: counters.lastSequence, eventHash: counters.eventHash))
    (exchange.touched.head, exchange.touched.tail) = (counters.touchedHead, counters.touchedTail)
    exchange.touched.hasBacklog = counters.hasBacklog != 0
    Reference.read(&exchange, from: source)
    Accounts.read(&exchange, from: source)
    exchange.balances.readRows(
      from: source, holdings: counters.holdings, positions: counters.positions)
    readMeters(&exchange, from: source)
    Products.read(&exchange, from: source)
    exchange.currencies.totals.read(from: source)
    if knowsCirculation {
      exchange.currencies.circulation.read(from: source)
      exchange.balances.debts.read(from: source)
    }
    exchange.books.sides.read(from: source)
    OrderPool.read(&exchange, from: source)
    exchange.books.ladder.read(from: source)
    let expiries = expiries(from: source, orders: exchange.capacity.orders)
    if !source.isWhole { return }
    if !knowsCirculation { exchange.countCirculation() }
    exchange.assignAssets()
    exchange.schedule(expiries)
  }

  /// - Returns: The expire time of each slot, ns since 1970; meaningful for good-till-time orders
  ///   only.
  private static func expiries(from source: any StateSource, orders: UInt32) -> [UInt64] {
    _ = source.get(UInt32.self)
    _ = source.get(UInt32.self, most: Int(orders) + 1)
    return source.get(Expiry.self, most: Int(orders) + 1).map(\.time)
  }
}

extension Exchange {
  /// Counts the accounts and sessions of each participant, for an image that lacks the numbers.
  fileprivate mutating func countDefinitions() {
    for number in stride(from: 1, through: capacity.accounts, by: 1)
    where accounts[number].exists {
      restrictions.countAccount(of: accounts[number].participant)
    }
    for number in stride(from: 1, through: capacity.sessions, by: 1)
    where reference.sessions[number].exists {
      restrictions.countSession(of: reference.sessions[number].participant)
    }
  }

  /// Counts the circulation of each currency from the rows, for an image that lacks it.
  fileprivate mutating func countCirculation() {
    for row in 0..<UInt32(Currencies.capacity) where currencies.totals[row].isUsed {
      currencies.circulation[UInt32(currencies.totals[row].currency)].supply = Int128(
        currencies.totals[row].supply)
    }
    for number in stride(from: 1, through: capacity.areas, by: 1)
    where products.areas[number].exists {
      currencies.circulation[UInt32(products.areas[number].currency)].grid += Int128(
        products.areas[number].grid)
    }
    for number in stride(from: 1, through: balances.holdingCount, by: 1) {
      balances.holdings[number].owes = false
    }
    countDebts()
  }

  /// Sets the assets of positions and instruments, which were all of their area's energy.
  fileprivate mutating func assignAssets() {
    balances.assignAssets()
    balances.index(accounts)
    for number in stride(from: 1, through: capacity.instruments, by: 1)
    where products.instruments[number].exists {
      products.instruments.row(number).tradesEnergyOfItsArea()
    }
  }

  /// Adds the expiries of open orders to the schedule.
  fileprivate mutating func schedule(_ times: [UInt64]) {
    for slot in stride(from: 1, through: orders.used, by: 1)
    where orders[slot].marks.isOpen && orders[slot].timeInForce == .goodTillTime {
      guard Int(slot) < times.count else { continue }
      schedule.insert(
        .expiry, slot, at: times[Int(slot)], number: orders.links[slot].arrival)
    }
  }
}
