import MarketModel

/// What the customers of a community reach without an exchange, from the same readings and the same
/// tariff.
///
/// There are three: each customer alone; the community netted in each interval, without any
/// storage; and one shared battery that stores each surplus and gives it to the next lack. Nobody
/// could do better than the last one with the same storage, not even with perfect forecasts, as long
/// as the tariff is the same at all times.
public struct Baseline: Sendable {
  /// Totals of each customer over the run. What a shared battery holds belongs to no customer.
  public let customers: [EnergyTotals]
  /// Totals of the community for each interval; `heldAtEnd` is the energy at the end of the
  /// interval.
  public let intervals: [EnergyTotals]
  /// What each customer pays less what it receives.
  public let netCost: [Money]
  /// What the shared battery pays for energy less what it receives for it; zero without one.
  public let batteryCost: Money

  /// Totals of the community over the run.
  public var total: EnergyTotals {
    var total = customers.reduce(into: EnergyTotals()) { $0 += $1 }
    total.heldAtEnd = intervals.last?.heldAtEnd ?? 0
    return total
  }

  /// What all customers and the shared battery pay together: what the grid charges less what it
  /// pays.
  public var cost: Money { Money(units: netCost.reduce(batteryCost.units) { $0 + $1.units }) }

  init(
    customers: [EnergyTotals], intervals: [EnergyTotals], netCost: [Money],
    batteryCost: Money = .zero
  ) {
    (self.customers, self.intervals) = (customers, intervals)
    (self.netCost, self.batteryCost) = (netCost, batteryCost)
  }
}

// MARK: - Each customer alone

extension Baseline {
  /// Computes the run of `model` with each customer alone, with its roof and its storage.
  ///
  /// In each interval a customer uses what it produces. What is left of the production is stored up
  /// to the cap, and the rest exported; what is left of the consumption is taken from the storage,
  /// and the rest imported (market rules 7).
  public init(of model: CommunityModel) {
    var customers: [EnergyTotals] = []
    var intervals = Array(repeating: EnergyTotals(), count: model.intervals)
    for index in model.customers.indices {
      let alone = Self.alone(
        model.customers[index], cap: model.cap(of: index).wattHours, into: &intervals)
      customers.append(alone)
    }
    self.init(
      customers: customers, intervals: intervals,
      netCost: customers.map { $0.gridCost(model.terms) })
  }

  /// Computes one customer and adds its intervals to the community's `intervals`.
  private static func alone(
    _ customer: Customer, cap: Int64, into intervals: inout [EnergyTotals]
  ) -> EnergyTotals {
    var total = EnergyTotals()
    var storage = Storage(capacity: cap)
    for index in 0..<customer.consumption.count {
      var step = EnergyTotals()
      step.produced = customer.production[index].wattHours
      step.consumed = customer.consumption[index].wattHours
      let own = min(step.produced, step.consumed)
      step.exported = step.produced - own - storage.charge(step.produced - own)
      step.imported = step.consumed - own - storage.discharge(step.consumed - own)
      step.heldAtEnd = storage.held
      intervals[index] += step
      step.heldAtEnd = 0
      total += step
    }
    total.heldAtEnd = storage.held
    return total
  }
}

// MARK: - Together

extension Baseline {
  /// Computes the run of `model` as one community behind one meter, with a shared battery.
  ///
  /// In each interval surplus and lack of the customers are netted. The battery takes what is left of
  /// the surplus, up to its capacity, and gives what is missing. Exports and imports are divided
  /// between the customers by their surplus and by their lack of the interval, to the Wh. The rest
  /// of each is paid at the mean of feed-in and retail price, also by the battery and to it.
  ///
  /// - Parameters:
  ///   - model: The community. Its customers have no storage of their own.
  ///   - capacity: Capacity of the battery; zero: the community is netted without one.
  public init(of model: CommunityModel, sharing capacity: Energy) {
    var shared = SharedStorage(model, Storage(capacity: capacity.wattHours))
    var intervals: [EnergyTotals] = []
    for index in 0..<model.intervals { intervals.append(shared.advance(index)) }
    self.init(
      customers: shared.customers, intervals: intervals, netCost: shared.netCost,
      batteryCost: shared.batteryCost)
  }
}

/// A storage without losses; all amounts in Wh.
struct Storage {
  let capacity: Int64
  private(set) var held: Int64 = 0

  init(capacity: Int64) { self.capacity = capacity }

  /// Stores `wattHours` as far as there is room, and returns how much that is.
  mutating func charge(_ wattHours: Int64) -> Int64 {
    let taken = min(wattHours, capacity - held)
    held += taken
    return taken
  }

  /// Gives `wattHours` as far as they are held, and returns how much that is.
  mutating func discharge(_ wattHours: Int64) -> Int64 {
    let given = min(wattHours, held)
    held -= given
    return given
  }
}

/// The customers of a community with one battery, interval by interval.
private struct SharedStorage {
  let model: CommunityModel
  var storage: Storage
  var customers: [EnergyTotals]
  var netCost: [Money]
  var batteryCost = Money.zero

  init(_ model: CommunityModel, _ storage: Storage) {
    (self.model, self.storage) = (model, storage)
    customers = Array(repeating: EnergyTotals(), count: model.customers.count)
    netCost = Array(repeating: .zero, count: model.customers.count)
  }

  /// Computes interval `index`; the result is the community's total.
  mutating func advance(_ index: Int) -> EnergyTotals {
    let produced = model.customers.map { $0.production[index].wattHours }
    let consumed = model.customers.map { $0.consumption[index].wattHours }
    let surplus = zip(produced, consumed).map { max(0, $0 - $1) }
    let lack = zip(produced, consumed).map { max(0, $1 - $0) }
    let direct = min(surplus.reduce(0, +), lack.reduce(0, +))
    let charged = storage.charge(surplus.reduce(0, +) - direct)
    let discharged = storage.discharge(lack.reduce(0, +) - direct)
    let exported = surplus.reduce(0, +) - direct - charged
    let imported = lack.reduce(0, +) - direct - discharged
    let exports = exported.divided(by: surplus)
    let imports = imported.divided(by: lack)
    let (terms, middle) = (model.terms, model.terms.middle.ticks)
    var total = EnergyTotals()
    for customer in model.customers.indices {
      var step = EnergyTotals()
      (step.produced, step.consumed) = (produced[customer], consumed[customer])
      (step.exported, step.imported) = (exports[customer], imports[customer])
      customers[customer] += step
      total += step
      let bought = lack[customer] - step.imported
      let sold = surplus[customer] - step.exported
      netCost[customer].units += step.gridCost(terms).units + middle * (bought - sold)
    }
    batteryCost.units += middle * (charged - discharged)
    total.heldAtEnd = storage.held
    return total
  }
}

extension Int64 {
  /// This amount divided in proportion to `weights`, by largest remainder: each part is its share
  /// rounded down, and the units that are left go one each to the largest remainders, of equal ones
  /// to the first. The parts add up to the amount; without weights all are zero.
  /// - Precondition: The amount and all weights are 0 or more.
  func divided(by weights: [Int64]) -> [Int64] {
    precondition(self >= 0 && weights.allSatisfy { $0 >= 0 }, "amount and weights are 0 or more")
    let sum = Int128(weights.reduce(0, +))
    guard sum > 0 else { return weights.map { _ in 0 } }
    let exact = weights.map { (Int128(self) * Int128($0)).quotientAndRemainder(dividingBy: sum) }
    var parts = exact.map { Int64($0.quotient) }
    let left = Int(self - parts.reduce(0, +))
    let order = weights.indices.sorted {
      (exact[$1].remainder, $0) < (exact[$0].remainder, $1)
    }
    for index in order.prefix(left) { parts[index] += 1 }
    return parts
  }
}
