// docs/MARKET-RULES.md as the simplest possible code, slow but easy to compare with the page.
// Nothing is cached: cover is recomputed each time, and books are filtered and sorted lists of
// orders.
//
//   command -> expire -> permit -> validate (throws a Refusal) -> change, emit, touch -> drain
//
// Two numbers give an order's priority: `arrival` (of the entry or of the last replace that lost
// the priority) among the owner's orders, and `place` (of the entry into its present list) in the
// book.

import ExchangeCore
import MarketModel

/// The reference model of the market rules.
struct ReferenceModel {
  let capacity: Capacity
  /// Time of the command being applied, ns since 1970.
  var now = Timestamp(nanoseconds: 0)
  /// Number of the command being applied.
  var sequence: UInt64 = 0
  /// Events of the command being applied, so far.
  var events: [Event] = []

  var participants: [ParticipantId: CreateParticipant] = [:]
  var sessions: [SessionId: RegisterSession] = [:]
  var accounts: [AccountId: ModelAccount] = [:]
  var cash: [CashKey: ModelCash] = [:]
  var areas: [AreaId: ModelArea] = [:]
  var instruments: [InstrumentId: ModelInstrument] = [:]
  var meters: [MeterId: ModelMeter] = [:]
  /// In order of creation.
  var positions: [ModelPosition] = []
  var orders: [OrderId: ModelOrder] = [:]
  /// The queue of touched positions, first in, first out; each is in it at most once.
  var queue: [PositionKey] = []
  /// Whether the last drain reached its bound and left positions in the queue.
  var hasBacklog = false
  /// Deposits less withdrawals.
  var outside: [Currency: Int64] = [:]
  var lastBatch: UInt64 = 0
  /// The version of the rules in force.
  var rules = RulesVersion.first
  /// The account for which each price level counts, from version 3 on (section 11, "Shares").
  /// Levels without orders are removed when an order rests.
  var openers: [PriceLevel: AccountId] = [:]
  /// The participants, accounts and sessions that operators, or their administrators, blocked
  /// (section 13).
  var blockedByOperators: Set<ModelSubject> = []
  var blockedByAdministrators: Set<ModelSubject> = []
  /// Limits that operators, or administrators, set (section 14).
  var limitsOfOperators: [ModelLimit: Int64] = [:]
  var limitsOfAdministrators: [ModelLimit: Int64] = [:]
  /// The notional of the orders that a limited account entered on the day of the last one.
  var entered: [AccountId: (day: UInt64, notional: Int64)] = [:]
  /// The debt of each account in each currency as it was counted last (section 6).
  var debts: [CashKey: Int64] = [:]

  /// Changes of parameters that wait for their moment, in the order of their acceptance.
  var pendingParameters: [PendingChange] = []

  /// Readings in quarantine, ascending by number.
  var quarantine: [Quarantined] = []
  var lastQuarantined: UInt64 = 0

  /// The note of each session that waits for its next order.
  var notes: [SessionId: Note] = [:]
  /// References of deposits and withdrawals that took effect, from version 4 on.
  var knownReferences: Set<ModelReference> = []

  /// The reference of the last compensation.
  var lastCompensation: UInt64 = 0

  var lastArrival = 0
  var lastPlace = 0
  var lastTrade: UInt64 = 0
  /// Slots of orders that left the book; the last one is used first.
  var freeSlots: [UInt32] = []
  /// Number of uses of each slot.
  var generations: [UInt32: UInt32] = [:]

  init(capacity: Capacity) { self.capacity = capacity }

  /// Applies one command and returns its events.
  mutating func apply(_ command: Command) -> [Event] {
    events = []
    (now, sequence) = (command.time, command.sequence.rawValue)
    applyDue(at: command.time)
    do throws(Refusal) {
      try permit(command)
      try perform(command)
    } catch {
      let named = command.body.named
      events.append(
        .rejected(
          Rejected(
            code: error.code, limit: error.limit, session: command.session,
            clientSequence: command.clientSequence, account: named.account,
            clientOrderId: named.clientOrderId, order: named.order, field: error.field)))
      if case .meterReading(let reading) = command.body, rules >= 8 {
        quarantine(reading, error.code, command)
      }
    }
    return events
  }

  // MARK: The exchange's own commands

  mutating func tick(_ command: Command) throws(Refusal) {
    drain()
    acknowledge(command)
  }

  func checkpoint(_ checkpoint: Checkpoint, _ command: Command) throws(Refusal) {}
}

// MARK: - Section 4: cover

extension ReferenceModel {
  /// The open orders of a position's side over all open instruments, in price-time order, with
  /// `candidate` in its place.
  func priceTime(_ key: PositionKey, _ side: Side, with candidate: ModelOrder? = nil)
    -> [ModelOrder]
  {
    var list = orders.values.filter {
      $0.position == key && $0.side == side && $0.id != candidate?.id
        && instruments[$0.instrument]?.state == .open
    }
    if let candidate { list.append(candidate) }
    return list.sorted { a, b in
      a.price == b.price ? a.arrival < b.arrival : side.isBetter(a.price, than: b.price)
    }
  }

  /// The quantity that can cover a side of a position: energy for asks, headroom for bids.
  func available(_ key: PositionKey, _ side: Side) -> Int64 {
    let energy = position(key)?.energy ?? 0
    return side == .sell ? energy : max(0, cap(key) - energy)
  }

  /// cover(order) = floor to lot (clamp (available - leaves before it, 0, leaves)).
  func cover(_ order: ModelOrder) -> Int64 {
    var left = available(order.position, order.side)
    for other in priceTime(order.position, order.side, with: order) {
      if other.id == order.id { break }
      left -= other.leaves
    }
    let covered = min(max(left, 0), order.leaves)
    return covered - covered % order.lot
  }

  /// Recalculates cover: removes excess from the last order to the first, then adds cover from the
  /// first to the last.
  mutating func recalculateCover(_ key: PositionKey, _ side: Side) {
    lose(key, side)
    for id in priceTime(key, side).map(\.id) {
      guard var order = orders[id] else { continue }
      let target = cover(order)
      guard order.covered < target else { continue }
      if order.covered > 0 {
        order.covered = target
        orders[id] = order
        emit(.restated(state(order)))
        show(order)
      } else {
        gain(order, target)
      }
    }
  }

  /// Removes excess cover, from the last order to the first.
  mutating func lose(_ key: PositionKey, _ side: Side) {
    for id in priceTime(key, side).reversed().map(\.id) {
      guard var order = orders[id] else { continue }
      let target = cover(order)
      guard order.covered > target else { continue }
      order.covered = target
      if target == 0 { (order.place, order.displayedSlice) = (nextPlace(), order.display) }
      orders[id] = order
      emit(.restated(state(order)))
      show(order)
    }
  }

  /// Gives cover to an order without any: it enters the live book like a new order.
  private mutating func gain(_ order: ModelOrder, _ target: Int64) {
    if order.postOnly, bestLive(against: order) != nil {
      cancelWhole(order.id, .postOnly)
      return
    }
    var order = order
    order.covered = target
    order.isResting = false
    orders[order.id] = order
    emit(.restated(state(order)))
    match(order.id)
    rest(order.id)
  }

  /// Processes touched positions until none is left or the bound is reached.
  mutating func drain() {
    if hasBacklog {
      for key in queue {
        lose(key, .sell)
        lose(key, .buy)
      }
    }
    var steps: UInt32 = 0
    var turns = 0  // With trades.
    var counted: [PositionKey: Int] = [:]
    while !queue.isEmpty {
      if steps == capacity.cascadeSteps {
        emit(.control(.alarm(Alarm(kind: .cascadeBound, value: Int64(steps)))))
        hasBacklog = true
        return
      }
      steps += 1
      let key = queue.removeFirst()
      let isInCircle = rules >= 7 && counted[key, default: 0] >= 32
      if isInCircle, cancelCircle(key) { continue }
      let before = lastTrade
      recalculateCover(key, .sell)
      recalculateCover(key, .buy)
      if position(key)?.mustRunAgent == true {
        change(key) { $0.mustRunAgent = false }
        if !isInCircle, runAgent(key) {
          recalculateCover(key, .sell)
          recalculateCover(key, .buy)
        }
      }
      if lastTrade != before {
        turns += 1
        if turns > 32 { counted[key, default: 0] += 1 }
      }
      if position(key)?.changed == true, !queue.contains(key) {
        change(key) { $0.changed = false }
        if let balance = balance(key) { emit(.balance(balance)) }
      }
    }
    hasBacklog = false
  }

  /// Cancels the orders of a position that trades in a circle; `false`: it has none.
  private mutating func cancelCircle(_ key: PositionKey) -> Bool {
    let before = orders.count
    cancelAll(key, .circle) { _ in true }
    return orders.count < before
  }

  /// Appends a position to the queue unless it is in it.
  mutating func touch(_ key: PositionKey) {
    if !queue.contains(key) { queue.append(key) }
  }
}

// MARK: - Books

extension ReferenceModel {
  /// The best live order on the opposite side if it is within the limit of `order`.
  func bestLive(against order: ModelOrder) -> ModelOrder? {
    liveWithin(order).first
  }

  /// The live orders on the opposite side within the limit of `order`, the best first.
  func liveWithin(_ order: ModelOrder) -> [ModelOrder] {
    let side = order.side.opposite
    return orders.values.filter {
      $0.instrument == order.instrument && $0.side == side && $0.isResting && $0.covered > 0
        && !side.isBetter(order.price, than: $0.price)
    }.sorted { a, b in
      a.price == b.price ? a.place < b.place : side.isBetter(a.price, than: b.price)
    }
  }

  /// All orders of a book: bids from best to worst, then asks from best to worst. At each price,
  /// live orders precede waiting ones, each in the order of their lists.
  func bookOrder(_ instrument: InstrumentId) -> [OrderId] {
    orders.values.filter { $0.instrument == instrument }.sorted { a, b in
      if a.side != b.side { return a.side == .buy }
      if a.price != b.price { return a.side.isBetter(a.price, than: b.price) }
      if (a.covered > 0) != (b.covered > 0) { return a.covered > 0 }
      return a.place < b.place
    }.map(\.id)
  }

  /// The next place at the tail of a list.
  mutating func nextPlace() -> Int {
    lastPlace += 1
    return lastPlace
  }
}

// MARK: - Events

extension ReferenceModel {
  mutating func emit(_ event: Event) { events.append(event) }

  /// Acknowledges an operator's command. Commands of the exchange itself get no acknowledgement.
  mutating func acknowledge(_ command: Command) {
    if command.session == .exchange { return }
    emit(
      .control(
        .acknowledged(
          Acknowledged(session: command.session, clientSequence: command.clientSequence))))
  }

  /// The order as an event reports it.
  func state(_ order: ModelOrder) -> OrderState {
    let reason: WaitReason =
      order.leaves == order.covered
      ? .none
      : instruments[order.instrument]?.state == .halted
        ? .halted : order.side == .sell ? .awaitingEnergy : .awaitingHeadroom
    return OrderState(
      order: order.id, account: order.account, instrument: order.instrument,
      session: order.session, clientOrderId: order.clientOrderId, side: order.side,
      type: order.type, timeInForce: order.timeInForce, waitReason: reason,
      price: Price(ticks: order.price), quantity: Energy(wattHours: order.quantity),
      leaves: Energy(wattHours: order.leaves), covered: Energy(wattHours: order.covered))
  }

  /// The balances of a position.
  func balance(_ key: PositionKey) -> Balance? {
    guard let position = position(key), let area = areas[key.area] else { return nil }
    let held = cash[CashKey(key.account, area.definition.currency)] ?? ModelCash()
    let asks = orders.values.filter { $0.position == key && $0.side == .sell }
    let bids = orders.values.filter { $0.position == key && $0.side == .buy }
    func sum(_ list: [ModelOrder], _ field: KeyPath<ModelOrder, Int64>) -> Energy {
      Energy(wattHours: list.reduce(0) { $0 + $1[keyPath: field] })
    }
    return Balance(
      account: key.account, area: key.area, currency: area.definition.currency,
      free: Money(units: held.free), reserved: Money(units: held.reserved),
      energy: Energy(wattHours: position.energy), cap: Energy(wattHours: cap(key)),
      coveredAsks: sum(asks, \.covered), coveredBids: sum(bids, \.covered),
      openAsks: sum(asks, \.leaves), openBids: sum(bids, \.leaves))
  }
}
