// The rest of a meter's losses (section 7, "Own use, carried losses"). A loss is a part of a Wh seldom a whole
// number of them: what is left over counts with the meter's next reading.
//
//     n = rest + lossFactor x produced     lost = n / 10^6     rest = n mod 10^6

import MarketModel

/// The rest of the losses of each meter, in 1e-6 Wh, below 10^6. Carried since version 6 of the rules.
struct LossRests: ~Copyable, StateComponent {
  struct LossRest: BitwiseCopyable {
    var rest: Int64
  }

  private let rows: Table<LossRest>

  init(capacity: Capacity) { rows = Table(capacity: Int(capacity.meters) + 1) }

  subscript(meter: UInt32) -> Int64 {
    get { rows[meter].rest }
    nonmutating set { rows[meter].rest = newValue }
  }

  /// The address of a meter's row, for prefetching.
  @inline(__always) func address(of meter: UInt32) -> UnsafeMutablePointer<LossRest> {
    rows.address(of: meter)
  }

  static func add(to layout: inout StateLayout) { layout.add(LossRest.self) }

  static func write(_ exchange: borrowing Exchange, to sink: any StateSink) {
    exchange.lossRests.rows.write(to: sink)
  }

  static func read(_ exchange: inout Exchange, from source: any StateSource) {
    exchange.lossRests.rows.read(from: source)
  }

  static func fold(_ exchange: borrowing Exchange, into hash: inout WordHash) {
    for number in stride(from: 1, through: exchange.capacity.meters, by: 1)
    where exchange.lossRests[number] != 0 {
      hash.fold(UInt64(number))
      hash.fold(exchange.lossRests[number])
    }
  }

  static func check(_ exchange: borrowing Exchange, _ violations: inout [String]) {
    for number in stride(from: 1, through: exchange.capacity.meters, by: 1)
    where !(0..<wattHour).contains(exchange.lossRests[number]) {
      violations.append("meter \(number): a rest of \(exchange.lossRests[number]) of its losses")
    }
  }

  /// 1 Wh, in 1e-6 Wh.
  static let wattHour: Int64 = 1_000_000
}

extension Exchange {
  /// The loss of `produced` Wh at a meter, Wh; carries the rest since version 6 of the rules.
  /// - Parameter factor: The loss factor of the interval, 1e-6.
  func loss(ofMeter meter: UInt32, _ factor: UInt32, produced: Int64) -> Int64 {
    if rules < 6 {
      guard let lost = Rate(partsPerMillion: factor).roundedUp(of: produced) else {
        preconditionFailure("a loss below the production fits")
      }
      return lost
    }
    // A factor is at most 500,000 and a reading at most 2^40 Wh.
    let all = lossRests[meter] + Int64(factor) * produced
    let (lost, rest) = all.quotientAndRemainder(dividingBy: LossRests.wattHour)
    lossRests[meter] = rest
    return lost
  }
  /// What more is lost when a version produces `difference` Wh more, which may be negative; Wh, floored,
  /// and the rest to carry. Within +-`difference`, and of its sign or 0.
  func lossDifference(
    ofMeter meter: UInt32, _ factor: UInt32, produced difference: Int64
  ) -> (lost: Int64, rest: Int64) {
    // A factor is at most 500,000 and a difference within +-2^40 Wh.
    let all = lossRests[meter] + Int64(factor) * difference
    let (lost, rest) = all.quotientAndRemainder(dividingBy: LossRests.wattHour)
    return rest < 0 ? (lost - 1, rest + LossRests.wattHour) : (lost, rest)
  }
}
