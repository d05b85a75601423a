// Registered meters (section 7).

import MarketModel

/// A registered meter. `account` 0: the meter does not exist. Takes one cache line.
struct Meter: BitwiseCopyable {
  var account: UInt32
  var position: UInt32
  var lastSequence: UInt64
  var lastEnd: UInt64
  var publicKey: PublicKey
  /// The rated power with which it was registered, W; 0: none.
  var capacity: Int64

  /// The power that bounds its readings, W.
  var power: Int64 { capacity == 0 ? Limit.meterPower : capacity }
}

/// Meters, by number.
struct Meters: ~Copyable, StateComponent {
  private let rows: Table<Meter>

  init(capacity: Capacity) { rows = Table(capacity: Int(capacity.meters) + 1) }

  subscript(number: UInt32) -> Meter {
    @inline(__always) unsafeAddress { UnsafePointer(rows.address(of: number)) }
    @inline(__always) nonmutating unsafeMutableAddress { rows.address(of: number) }
  }

  /// The address of a meter's row, for prefetching.
  @inline(__always) func address(of number: UInt32) -> UnsafeMutablePointer<Meter> {
    rows.address(of: number)
  }

  /// Puts a meter from an image of an older program into its row.
  func restore(_ meter: Meter, _ number: UInt32) { rows[number] = meter }

  static func add(to layout: inout StateLayout) { layout.add(Meter.self) }

  static func write(_ exchange: borrowing Exchange, to sink: any StateSink) {
    exchange.meters.rows.write(to: sink)
  }

  static func read(_ exchange: inout Exchange, from source: any StateSource) {
    exchange.meters.rows.read(from: source)
  }

  static func fold(_ exchange: borrowing Exchange, into hash: inout WordHash) {
    for number in stride(from: 1, through: exchange.capacity.meters, by: 1)
    where exchange.meters[number].account != 0 {
      let meter = exchange.meters[number]
      hash.fold(UInt64(number) << 32 | UInt64(meter.account))
      hash.fold(meter.lastSequence)
      hash.fold(meter.lastEnd)
      invariant(
        exchange.balances.positions[meter.position].account == meter.account,
        "a meter and its position have one account")
      hash.fold(meter.publicKey)
      if meter.capacity != 0 { hash.fold(meter.capacity) }
    }
  }
}

extension Exchange {
  mutating func registerMeter(_ new: RegisterMeter, _ request: Request) {
    let number = new.meter.rawValue
    var refusal = validateDefinition(request, number, of: capacity.meters, .meter)
    if refusal == nil, isRegistered(meter: number) {
      if changesCapacity(new) { return changeCapacity(new, request) }
      if rules >= 4 { return changeMeter(new, request) }
      refusal = Refusal(.alreadyExists)
    }
    refusal = refusal ?? validateExistence(new.account, new.area)
    if refusal == nil { refusal = validateOpen(new.account) }
    if refusal == nil, new.capacity < 0 {
      refusal = Refusal(.badDefinition, new.capacity, .capacity)
    }
    refusal =
      refusal
      ?? validatePositionCapacity(new.account, Asset(energyOf: new.area))
    if let refusal { return reject(refusal, request, account: new.account) }
    invariant(number <= capacity.meters, "the meter is within the table")
    invariant(exists(new.account) && exists(new.area), "account and area of the meter exist")
    meters[number] = Meter(
      account: new.account.rawValue, position: findOrMake(new.account, Asset(energyOf: new.area)),
      lastSequence: 0, lastEnd: 0, publicKey: new.publicKey, capacity: new.capacity)
    meterChanges[number].from = new.from.meansAtOnce ? 0 : new.from.nanoseconds
    meterChanges[number].ownReadings = new.ownReadings
    meterSites[number].set(new)
    invariant(
      balances.positions[meters[number].position].account == meters[number].account,
      "a meter and its position have one account")
    invariant(
      balances.positions[meters[number].position].area == new.area.rawValue,
      "the position of a meter is in its area")
    emit(.reference(.meterRegistered(new)))
    acknowledge(request)
  }

  /// Whether the command names a registered meter as it is, with a capacity. Another moment of a
  /// change that waits is more than that.
  private func changesCapacity(_ new: RegisterMeter) -> Bool {
    let meter = meters[new.meter.rawValue]
    if comesNow(new) || announcesCapacity(new) { return false }
    if isChangePending(meter: new.meter.rawValue), !new.from.meansAtOnce,
      new.from.nanoseconds != meterChanges[new.meter.rawValue].from
    {
      return false
    }
    let isMore = new.capacity > 0 || !meterSites[new.meter.rawValue].agrees(with: new)
    return isMore && new.capacity >= 0 && meter.account != 0
      && new.account.rawValue == meter.account
      && new.area.rawValue == balances.positions[meter.position].area
      && new.publicKey == meter.publicKey
      && (rules < 4 || new.ownReadings == meterChanges[new.meter.rawValue].ownReadings)
  }

  private mutating func changeCapacity(_ new: RegisterMeter, _ request: Request) {
    if new.capacity > 0 { meters[new.meter.rawValue].capacity = new.capacity }
    meterChanges[new.meter.rawValue].ownReadings = new.ownReadings
    meterSites[new.meter.rawValue].set(new)
    var event = new
    event.capacity = meters[new.meter.rawValue].capacity
    emit(.reference(.meterRegistered(event)))
    acknowledge(request)
  }
}
