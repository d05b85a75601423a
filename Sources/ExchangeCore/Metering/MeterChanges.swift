// What changed about registered meters (section 7, "Another key, another account"), from version 4 of
// the rules on.

import MarketModel

/// The last change of a meter: what holds for intervals that begin before it.
struct MeterChange: BitwiseCopyable {
  /// Start of the intervals for which the present account and key hold, ns since 1970; 0: all.
  var from: UInt64
  /// The register sequence of the last reading under the former key, where the key changed.
  var sequenceBefore: UInt64
  /// The position of earlier intervals; 0: none.
  var before: UInt32
  /// Whether the key changed, so that register sequences began anew.
  var isOtherKey: Bool
  /// Whether the meter is registered; also where it has no account any more.
  var isKnown: Bool
  /// Whether sessions with the trading role may send its readings.
  var ownReadings: Bool
}

/// Changes by meter.
struct MeterChanges: ~Copyable, StateComponent {
  private let rows: Table<MeterChange>

  init(capacity: Capacity) { rows = Table(capacity: Int(capacity.meters) + 1) }

  subscript(number: UInt32) -> MeterChange {
    @inline(__always) unsafeAddress { UnsafePointer(rows.address(of: number)) }
    @inline(__always) nonmutating unsafeMutableAddress { rows.address(of: number) }
  }

  /// The address of a meter's row, for prefetching.
  @inline(__always) func address(of meter: UInt32) -> UnsafeMutablePointer<MeterChange> {
    rows.address(of: meter)
  }

  static func add(to layout: inout StateLayout) { layout.add(MeterChange.self) }

  static func write(_ exchange: borrowing Exchange, to sink: any StateSink) {
    exchange.meterChanges.rows.write(to: sink)
  }

  static func read(_ exchange: inout Exchange, from source: any StateSource) {
    exchange.meterChanges.rows.read(from: source)
  }

  static func fold(_ exchange: borrowing Exchange, into hash: inout WordHash) {
    for number in stride(from: 1, through: exchange.capacity.meters, by: 1) {
      let row = exchange.meterChanges[number]
      if row.from != 0 || row.isKnown {
        hash.fold(UInt64(number) << 1 | (row.isOtherKey ? 1 : 0))
        hash.fold(row.from)
        hash.fold(row.sequenceBefore)
        hash.fold(row.before == 0 ? 0 : exchange.balances.positions[row.before].account)
        hash.fold(row.before == 0 ? 0 : exchange.balances.positions[row.before].asset)
        if exchange.meters[number].account == 0 {
          hash.fold(exchange.meters[number].publicKey)
          hash.fold(exchange.meters[number].lastEnd)
        }
      }
      if row.ownReadings { hash.fold(UInt64(number)) }
    }
  }
}

extension Exchange {
  /// Whether a meter is registered, also one that has no account any more.
  func isRegistered(meter number: UInt32) -> Bool {
    meters[number].account != 0 || meterChanges[number].isKnown
  }

  /// The position to which a reading of an interval that begins at `start` is booked; 0: none.
  @inline(__always) func position(ofMeter number: UInt32, at start: Timestamp) -> UInt32 {
    start.nanoseconds >= meterChanges[number].from
      ? meters[number].position : meterChanges[number].before
  }

  /// Whether sessions with the trading role may send a reading of an interval that begins at `start`.
  /// Before version 5 of the rules an announced change of that holds at once.
  @inline(__always) func mayTradersRead(meter number: UInt32, at start: Timestamp) -> Bool {
    let change = meterChanges[number]
    return rules < 5 || start.nanoseconds >= change.from
      ? change.ownReadings : readersBefore[number]
  }

  /// Whether a reading of an interval that begins at `start` belongs to a former key.
  func isUnderFormerKey(meter number: UInt32, at start: Timestamp) -> Bool {
    meterChanges[number].isOtherKey && start.nanoseconds < meterChanges[number].from
  }

  /// Whether an announced change of the meter has not come, so that another one supersedes it; since
  /// version 5.
  func isChangePending(meter number: UInt32) -> Bool {
    rules >= 5 && meterChanges[number].from > progress.now
  }

  /// Whether the command lets a change that waits come at once; since version 6.
  func comesNow(_ new: RegisterMeter) -> Bool {
    rules >= 6 && new.from.meansAtOnce && isChangePending(meter: new.meter.rawValue)
  }

  /// Replaces a registered meter's key, moves it to another account or area, or ends it. A change
  /// whose moment is at or after the new one, or has not come, is superseded: what held before it
  /// remains what held before.
  mutating func changeMeter(_ new: RegisterMeter, _ request: Request) {
    let number = new.meter.rawValue
    if let refusal = validateChange(new) {
      return reject(refusal, request, account: new.account)
    }
    let from = moment(of: new)
    var change = meterChanges[number]
    let isSuperseding = isSuperseding(new)
    let isOtherKey = new.publicKey != meters[number].publicKey
    if rules >= 8 {
      if isSuperseding {
        supersedeHolders(ofMeter: number, from: from)
      } else {
        keepFormerHolder(ofMeter: number)
      }
      change = meterChanges[number]
    }
    if !isSuperseding {
      // A meter has one former account: who changes it at once gives up what is older and not read.
      if (6...7).contains(rules), isUnread(change, number) { meters[number].lastEnd = change.from }
      change.before = meters[number].position
      change.sequenceBefore = meters[number].lastSequence
      change.isOtherKey = isOtherKey
      readersBefore[number] = change.ownReadings
    } else if isOtherKey, !change.isOtherKey {
      change.sequenceBefore = meters[number].lastSequence
      change.isOtherKey = true
    }
    (change.from, change.isKnown, change.ownReadings) = (from, true, new.ownReadings)
    meterChanges[number] = change
    meters[number].account = new.account.rawValue
    meters[number].position =
      new.account == .null ? 0 : findOrMake(new.account, Asset(energyOf: new.area))
    if isOtherKey { meters[number].lastSequence = 0 }
    meters[number].publicKey = new.publicKey
    if rules < 5 || new.capacity != 0 { meters[number].capacity = new.capacity }
    meterSites[number].set(new)
    invariant(from >= meters[number].lastEnd, "no reading was booked behind the change")
    var event = new
    event.from = Timestamp(nanoseconds: from)
    event.capacity = meters[number].capacity
    emit(.reference(.meterRegistered(event)))
    acknowledge(request)
  }

  /// Whether the last change of the meter is at or after the new one, or has not come.
  private func isSuperseding(_ new: RegisterMeter) -> Bool {
    let from = meterChanges[new.meter.rawValue].from
    return from != 0 && (from >= moment(of: new) || isChangePending(meter: new.meter.rawValue))
  }

  /// From when a change holds, ns since 1970: at once means after the last reading and not before
  /// now.
  private func moment(of new: RegisterMeter) -> UInt64 {
    new.from.meansAtOnce
      ? max(progress.now, meters[new.meter.rawValue].lastEnd) : new.from.nanoseconds
  }

  private func validateChange(_ new: RegisterMeter) -> Refusal? {
    if new.account != .null,
      let refusal = validateExistence(new.account, new.area) ?? validateOpen(new.account)
    {
      return refusal
    }
    if new.capacity < 0 { return Refusal(.badDefinition, new.capacity, .capacity) }
    let last = meters[new.meter.rawValue].lastEnd
    if !new.from.meansAtOnce, new.from.nanoseconds < last {
      return Refusal(.overlappingInterval, last)
    }
    if isUnchanged(new) { return Refusal(.alreadyExists) }
    if rules >= 6, let refusal = validateHistory(new) { return refusal }
    if rules >= 8, !isSuperseding(new), let refusal = validateFormerCapacity(new.meter.rawValue) {
      return refusal
    }
    return new.account == .null
      ? nil : validatePositionCapacity(new.account, Asset(energyOf: new.area))
  }

  /// Refuses what would need more than one former account or a future rated power, which the
  /// exchange does not keep.
  private func validateHistory(_ new: RegisterMeter) -> Refusal? {
    if new.from.meansAtOnce { return nil }
    let (meter, from) = (new.meter.rawValue, new.from.nanoseconds)
    let change = meterChanges[meter]
    if (6...7).contains(rules), !isChangePending(meter: meter), from > change.from,
      isUnread(change, meter)
    {
      return Refusal(.formerReadingsMissing, change.from)
    }
    return announcesCapacity(new) ? Refusal(.badDefinition, new.capacity, .capacity) : nil
  }

  /// Whether the command gives a registered meter another rated power from a later moment on, which is
  /// refused since version 6.
  func announcesCapacity(_ new: RegisterMeter) -> Bool {
    rules >= 6 && !new.from.meansAtOnce && new.from.nanoseconds > progress.now && new.capacity != 0
      && new.capacity != meters[new.meter.rawValue].capacity
  }

  /// Whether intervals from before a change of the meter may still be read, for a former account.
  private func isUnread(_ change: MeterChange, _ meter: UInt32) -> Bool {
    change.before != 0 && change.from > meters[meter].lastEnd
  }

  /// Whether the command names the meter as it is. Since version 6 a change that waits can come at
  /// once.
  private func isUnchanged(_ new: RegisterMeter) -> Bool {
    let meter = meters[new.meter.rawValue]
    if comesNow(new) { return false }
    if rules >= 5, !new.from.meansAtOnce,
      new.from.nanoseconds != meterChanges[new.meter.rawValue].from
    {
      return false
    }
    let isSameArea =
      meter.position == 0 || new.area.rawValue == balances.positions[meter.position].area
    return new.account.rawValue == meter.account && isSameArea && new.publicKey == meter.publicKey
      && new.ownReadings == meterChanges[new.meter.rawValue].ownReadings
      && meterSites[new.meter.rawValue].agrees(with: new)
  }
}
