// What an area's trades were worth that the ledger has not confirmed (section 16): in parts of consecutive
// commands, so that a confirmation, which names a command, takes out what it covers.
//
//     part   | last command, notional | ...  oldest first, at most 64 of an area
//
// Two trades are in one part when their commands' numbers agree after division by the area's span, a power
// of two. A 65th part doubles the span, and parts that then agree become one; a confirmation that leaves 16
// or fewer halves it.

import MarketModel

/// The limit of an area and what counts against it. All zeros: no limit, and nothing is counted.
struct AreaUnsettled: BitwiseCopyable {
  /// Above this new exposure is refused, 1e-8; 0: no limit.
  fileprivate(set) var limit: Int64
  /// What the parts are worth together, 1e-8; at most `Unsettled.most`.
  fileprivate(set) var notional: Int64
  /// The span of a part is 2^`spanBits` commands.
  fileprivate var spanBits: UInt32
  fileprivate(set) var parts: UInt32

  /// Whether new exposure is refused.
  var isOver: Bool { limit != 0 && notional > limit }
}

/// Trades of consecutive commands.
struct UnsettledPart: BitwiseCopyable {
  /// The command of the last trade.
  var last: UInt64
  /// 1e-8.
  var notional: Int64
}

/// What is not settled, by area.
struct Unsettled: ~Copyable, StateComponent {
  private let areas: Table<AreaUnsettled>
  private let parts: Table<UnsettledPart>
  /// How many areas have a limit, and how many are above theirs. They follow from the rows.
  private var limited: UInt32 = 0
  private var over: UInt32 = 0

  /// The most that is counted of an area, 1e-8.
  static let most: Int64 = 1 << 62
  /// The values that a limit may have, 1e-8; 0 is none.
  static let limits: ClosedRange<Int64> = 0...(1 << 62) - 1
  /// The most parts of an area.
  private static let mostParts: UInt32 = 64
  /// With this number of parts or fewer the span is halved.
  private static let fewParts: UInt32 = 16

  init(capacity: Capacity) {
    areas = Table(capacity: Int(capacity.areas) + 1)
    parts = Table(capacity: (Int(capacity.areas) + 1) * Int(Unsettled.mostParts))
  }

  /// Whether an area has a limit, so that trades are counted.
  @inline(__always) var isCounting: Bool { limited != 0 }
  /// Whether an area is above its limit.
  @inline(__always) var isAnyOver: Bool { over != 0 }

  subscript(area: UInt32) -> AreaUnsettled { areas[area] }

  private func part(_ area: UInt32, _ index: UInt32) -> UnsafeMutablePointer<UnsettledPart> {
    parts.address(of: area * Unsettled.mostParts + index)
  }

  /// Sets a limit, which is in range; 0 removes it with all that was counted. Constant time.
  mutating func setLimit(_ limit: Int64, _ area: UInt32) {
    change(area) { unsettled in
      if limit == 0 { unsettled.forget(area) }
      unsettled.areas[area].limit = limit
    }
  }

  private func forget(_ area: UInt32) {
    for index in 0..<areas[area].parts {
      part(area, index).pointee = UnsettledPart(last: 0, notional: 0)
    }
    (areas[area].parts, areas[area].spanBits, areas[area].notional) = (0, 0, 0)
  }

  /// Counts a trade of an area with a limit; `notional` is at least 0, 1e-8. Constant time; linear in the
  /// parts when the span doubles.
  mutating func count(_ notional: Int64, _ area: UInt32, command: UInt64) {
    if areas[area].limit == 0 { return }
    change(area) { unsettled in
      let counted = min(notional, Unsettled.most - unsettled.areas[area].notional)
      while !unsettled.add(counted, area, command) { unsettled.widen(area) }
      unsettled.areas[area].notional += counted
    }
  }

  /// - Returns: `false` when it needs a further part and there is no room.
  private func add(_ notional: Int64, _ area: UInt32, _ command: UInt64) -> Bool {
    let state = areas[area]
    if state.parts > 0 {
      let newest = part(area, state.parts - 1)
      invariant(command >= newest.pointee.last, "commands are counted in their order")
      if newest.pointee.last >> state.spanBits == command >> state.spanBits {
        newest.pointee.notional += notional
        newest.pointee.last = command
        return true
      }
    }
    if state.parts == Unsettled.mostParts { return false }
    part(area, state.parts).pointee = UnsettledPart(last: command, notional: notional)
    areas[area].parts += 1
    return true
  }

  /// Doubles the span, and makes one part of those that then belong together.
  private func widen(_ area: UInt32) {
    areas[area].spanBits += 1
    let (bits, before) = (areas[area].spanBits, areas[area].parts)
    invariant(bits < 64 && before > 0, "parts agree at the latest with a span of 2^63")
    var kept: UInt32 = 0
    for index in 1..<before {
      let (one, next) = (part(area, kept), part(area, index).pointee)
      if one.pointee.last >> bits == next.last >> bits {
        one.pointee.notional += next.notional
        one.pointee.last = next.last
      } else {
        kept += 1
        part(area, kept).pointee = next
      }
    }
    for index in (kept + 1)..<max(before, kept + 1) {
      part(area, index).pointee = UnsettledPart(last: 0, notional: 0)
    }
    areas[area].parts = kept + 1
  }

  /// Takes out the parts that a confirmation covers, of all areas. Linear in areas and parts.
  mutating func confirm(through command: UInt64, areas number: UInt32) {
    for area in stride(from: 1, through: number, by: 1) where areas[area].limit != 0 {
      change(area) { $0.confirm(area, through: command) }
    }
  }

  private func confirm(_ area: UInt32, through command: UInt64) {
    let before = areas[area].parts
    var settled: UInt32 = 0
    while settled < before, part(area, settled).pointee.last <= command {
      areas[area].notional -= part(area, settled).pointee.notional
      settled += 1
    }
    let left = before - settled
    for index in 0..<before where settled > 0 {
      part(area, index).pointee =
        index < left
        ? part(area, index + settled).pointee : UnsettledPart(last: 0, notional: 0)
    }
    areas[area].parts = left
    if left == 0 {
      areas[area].spanBits = 0
    } else if left <= Unsettled.fewParts, areas[area].spanBits > 0 {
      areas[area].spanBits -= 1
    }
    invariant(areas[area].notional >= 0, "what is not settled is at least 0")
  }

  /// Changes an area and the numbers of areas that follow from it.
  private mutating func change(_ area: UInt32, _ body: (borrowing Unsettled) -> Void) {
    let (wasLimited, wasOver) = (areas[area].limit != 0, areas[area].isOver)
    body(self)
    if wasLimited { limited -= 1 }
    if wasOver { over -= 1 }
    if areas[area].limit != 0 { limited += 1 }
    if areas[area].isOver { over += 1 }
  }

  static func add(to layout: inout StateLayout) {
    layout.add(AreaUnsettled.self)
    layout.add(UnsettledPart.self)
  }

  static func write(_ exchange: borrowing Exchange, to sink: any StateSink) {
    exchange.unsettled.areas.write(to: sink)
    exchange.unsettled.parts.write(to: sink)
  }

  static func read(_ exchange: inout Exchange, from source: any StateSource) {
    exchange.unsettled.areas.read(from: source)
    exchange.unsettled.parts.read(from: source)
    if !source.isWhole { return }
    for area in stride(from: 1, through: exchange.capacity.areas, by: 1) {
      if exchange.unsettled.areas[area].limit != 0 { exchange.unsettled.limited += 1 }
      if exchange.unsettled.areas[area].isOver { exchange.unsettled.over += 1 }
    }
  }

  static func fold(_ exchange: borrowing Exchange, into hash: inout WordHash) {
    if !exchange.unsettled.isCounting { return }
    for area in stride(from: 1, through: exchange.capacity.areas, by: 1)
    where exchange.unsettled[area].limit != 0 {
      let state = exchange.unsettled[area]
      hash.fold(UInt64(area) << 32 | UInt64(state.spanBits))
      hash.fold(state.limit)
      for index in 0..<state.parts {
        hash.fold(exchange.unsettled.part(area, index).pointee.last)
        hash.fold(exchange.unsettled.part(area, index).pointee.notional)
      }
    }
  }

  static func check(_ exchange: borrowing Exchange, _ violations: inout [String]) {
    var (limited, over) = (UInt32(0), UInt32(0))
    for area in stride(from: 1, through: exchange.capacity.areas, by: 1) {
      let state = exchange.unsettled[area]
      if state.limit != 0 { limited += 1 }
      if state.isOver { over += 1 }
      if state.limit == 0, state.parts != 0 || state.notional != 0 {
        violations.append("area \(area): \(state.notional) not settled without a limit")
      }
      var (sum, last) = (Int64(0), UInt64(0))
      for index in 0..<min(state.parts, mostParts) {
        let part = exchange.unsettled.part(area, index).pointee
        sum &+= part.notional
        if part.notional < 0 || part.last <= last {
          violations.append("area \(area): part \(index) of what is not settled is out of order")
        }
        last = part.last
      }
      if state.parts > mostParts || sum != state.notional || sum < 0 || sum > most {
        violations.append("area \(area): \(state.notional) not settled, in parts \(sum)")
      }
    }
    if (limited, over) != (exchange.unsettled.limited, exchange.unsettled.over) {
      violations.append("\(limited) areas have a limit of the unsettled, \(over) are above it")
    }
  }
}

extension Exchange {
  /// Counts a trade in an area against its limit of what is not settled.
  @inline(never) mutating func countUnsettled(_ notional: Int64, _ area: UInt32) {
    unsettled.count(abs(notional), area, command: progress.lastSequence.rawValue)
  }

  /// Refuses an order that enters, or is replaced with a loss of its place, above the limit of its area: a
  /// bid, and an ask that would wait.
  @inline(never) func validateUnsettled(
    _ area: UInt16, _ side: Side, mayRest: Bool, covered: Int64, leaves: Int64
  ) -> Refusal? {
    let state = unsettled[UInt32(area)]
    if !state.isOver { return nil }
    if side == .sell, !mayRest || covered == leaves { return nil }
    return Refusal(.unsettledLimit, state.limit)
  }
}

/// How far the areas are with their limits of what is not settled.
public struct UnsettledUse: Sendable, Equatable {
  /// Areas above their limit: bids are refused there.
  public var areasOver: UInt32 = 0
  /// The highest part of a limit that is not settled, in thousandths; 0 without limits.
  public var permille: Int64 = 0

  /// No area has a limit.
  public init() {}
}

extension Exchange {
  /// How far the areas are with their limits of what is not settled. Linear in the areas.
  public var unsettledUse: UnsettledUse {
    var use = UnsettledUse()
    if !unsettled.isCounting { return use }
    for area in stride(from: 1, through: capacity.areas, by: 1) where unsettled[area].limit != 0 {
      let state = unsettled[area]
      if state.isOver { use.areasOver += 1 }
      let part = Int128(state.notional) * 1_000 / Int128(state.limit)
      use.permille = max(use.permille, Int64(clamping: part))
    }
    return use
  }
}
