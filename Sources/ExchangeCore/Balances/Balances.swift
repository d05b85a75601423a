// The balances of accounts: cash holdings, positions, and for each position its open orders and its
// standing instruction.

import MarketModel

/// Holdings and positions, by number.
struct Balances: ~Copyable, StateComponent {
  let holdings: Table<Holding>
  let positions: Table<Position>
  /// Both sides of position p at `p << 1 | side`.
  let owned: Table<PositionSide>
  /// The standing instruction of each position.
  let agents: Table<Agent>
  /// The debt of each holding as it was counted last, 1e-8. Only rows of debtors are ever written.
  let debts: Table<UInt64>
  /// The highest holding in use.
  var holdingCount: UInt32 = 0
  /// The highest position that was ever used; freed positions below it have account 0.
  var positionCount: UInt32 = 0
  /// Head of the list of freed positions; 0: the list is empty.
  var freePosition: UInt32 = 0
  /// Index of the positions behind the first few of an account (Positions.swift).
  var index: IndexTable

  init(capacity: Capacity) {
    holdings = Table(capacity: Int(capacity.positions) + 1)
    positions = Table(capacity: Int(capacity.positions) + 1)
    owned = Table(capacity: (Int(capacity.positions) + 1) * 2)
    agents = Table(capacity: Int(capacity.positions) + 1)
    debts = Table(capacity: Int(capacity.positions) + 1)
    index = IndexTable(capacity: capacity.positions)
    invariant(
      MemoryLayout<Position>.stride == 64 && MemoryLayout<PositionSide>.stride == 64,
      "a position takes one cache line, and each of its sides another")
  }
}

// MARK: - Its image

extension Balances {
  struct Counters: BitwiseCopyable {
    var holdings, positions, freePosition: UInt32
  }

  static func add(to layout: inout StateLayout) {
    layout.add(Counters.self)
    layout.add(Holding.self)
    layout.add(Position.self)
    layout.add(PositionSide.self)
    layout.add(Agent.self)
  }

  static func write(_ exchange: borrowing Exchange, to sink: any StateSink) {
    exchange.balances.write(to: sink)
  }

  private func write(to sink: any StateSink) {
    invariant(Int(positionCount) < positions.capacity, "positions within their table")
    sink.put(
      Counters(
        holdings: holdingCount, positions: positionCount, freePosition: freePosition))
    holdings.write(to: sink, used: Int(holdingCount) + 1)
    positions.write(to: sink, used: Int(positionCount) + 1)
    owned.write(to: sink, used: (Int(positionCount) + 1) * 2)
    agents.write(to: sink, used: Int(positionCount) + 1)
    debts.write(to: sink, used: Int(holdingCount) + 1)
  }

  static func read(_ exchange: inout Exchange, from source: any StateSource) {
    exchange.balances.read(from: source)
    if source.isWhole { exchange.balances.index(exchange.accounts) }
  }

  private mutating func read(from source: any StateSource) {
    let counters = source.get(Counters.self)
    freePosition = counters.freePosition
    readRows(from: source, holdings: counters.holdings, positions: counters.positions)
    debts.read(from: source)
  }

  /// Reads the tables that every layout of images has.
  mutating func readRows(from source: any StateSource, holdings: UInt32, positions: UInt32) {
    (holdingCount, positionCount) = (holdings, positions)
    self.holdings.read(from: source)
    self.positions.read(from: source)
    owned.read(from: source)
    agents.read(from: source)
  }
}

// MARK: - Its hash and invariants

extension Balances {
  /// Checks that energy is conserved: an area's accounts hold what was produced, less what was
  /// burned, exported and lost.
  static func check(_ exchange: borrowing Exchange, _ violations: inout [String]) {
    for number in stride(from: 1, through: exchange.capacity.areas, by: 1)
    where exchange.products.areas[number].exists {
      let area = exchange.products.areas[number]
      var held: Int64 = 0
      for position in stride(from: 1, through: exchange.balances.positionCount, by: 1)
      where UInt32(exchange.balances.positions[position].asset) == number {
        held += exchange.balances.positions[position].level
      }
      if area.produced != held + area.burned + area.exported + area.lost {
        violations.append("area \(number): energy is not conserved: \(held) held, \(area)")
      }
    }
  }

  static func fold(_ exchange: borrowing Exchange, into hash: inout WordHash) {
    for number in stride(from: 1, through: exchange.balances.positionCount, by: 1)
    where exchange.balances.positions[number].account != 0 {
      exchange.balances.fold(position: number, &hash)
    }
    for number in stride(from: 1, through: exchange.balances.holdingCount, by: 1) {
      let holding = exchange.balances.holdings[number]
      hash.fold(UInt64(holding.account) << 32 | UInt64(holding.currency))
      hash.fold(holding.free)
      hash.fold(holding.reserved)
      if exchange.rules > RulesVersion.first { hash.fold(exchange.balances.debts[number]) }
      invariant(holding.reserved >= 0, "reserved cash is at least 0")
      invariant(exchange.exists(AccountId(holding.account)), "the account of a holding exists")
    }
  }

  private func fold(position number: UInt32, _ hash: inout WordHash) {
    let position = positions[number]
    invariant(
      position.level >= 0 && position.ceiling >= 0, "level and cap of a position are at least 0")
    invariant(
      holdings[position.holding].account == position.account,
      "a position and its holding have one account")
    hash.fold(UInt64(position.account) << 32 | UInt64(position.area))
    hash.fold(position.level)
    hash.fold(position.ceiling)
    hash.fold(position.hasOwnCap)
    if position.floor != 0 { hash.fold(position.floor) }
    let agent = agents[number]
    hash.fold(UInt64(agent.instrument) << 32 | UInt64(agent.session))
    if agent.instrument == 0 { return }
    hash.fold(agent.sells)
    hash.fold(agent.buys)
    for word in [
      agent.sellPrice, agent.sellAbove, agent.buyPrice, agent.buyBelow, agent.target,
    ] {
      hash.fold(word)
    }
  }
}
