// What accounts hold: cash, positions, and for each position its open orders and its standing instruction.

import MarketModel

/// Holdings and positions, by number.
struct Balances: ~Copyable, StateComponent {
  let holdings: Table<Holding>
  let positions: Table<Position>
  /// Both sides of position p at `p << 1 | side`.
  let owned: Table<PositionSide>
  /// The standing instruction of each position.
  let agents: Table<Agent>
  /// What each holding owes, as it was counted last; only those of debtors are ever touched.
  let debts: Table<UInt64>
  /// Holdings 1 ... `holdingCount` have been used.
  var holdingCount: UInt32 = 0
  /// Positions 1 ... `positionCount` have been used; those given back since are nobody's.
  var positionCount: UInt32 = 0
  /// The first of the positions that were given back; 0: none.
  var freePosition: UInt32 = 0
  /// Positions that an account does not find by walking (Positions.swift).
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
      "a position takes a line, and each of its sides")
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

  /// Reads what all layouts have.
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
  /// Energy is conserved: what an area's accounts hold is what was produced, less what left.
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
      invariant(holding.reserved >= 0, "what is reserved is not negative")
      invariant(exchange.exists(AccountId(holding.account)), "cash is somebody's")
    }
  }

  private func fold(position number: UInt32, _ hash: inout WordHash) {
    let position = positions[number]
    invariant(position.level >= 0 && position.ceiling >= 0, "nobody holds less than nothing")
    invariant(holdings[position.holding].account == position.account, "a position's own cash")
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
