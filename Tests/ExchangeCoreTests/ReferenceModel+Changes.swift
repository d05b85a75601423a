// Section 5, "Notes"; section 6, "References"; section 7, "Another key, another account".

import ExchangeCore
import MarketModel

// MARK: - Notes

extension ReferenceModel {
  mutating func note(_ new: Note, _ command: Command) throws(Refusal) {
    if command.session != .exchange { notes[command.session] = new }
  }

  /// Takes the sender's note.
  /// - Returns: Its text; `nil` when there is none, or when it is about another order.
  mutating func takeNote(_ command: Command, for id: ClientOrderId) -> NoteText? {
    guard let note = notes.removeValue(forKey: command.session) else { return nil }
    return note.clientOrderId == .engine || note.clientOrderId == id ? note.text : nil
  }

  mutating func note(_ order: ModelOrder, _ text: NoteText) {
    emit(
      .order(
        .noted(
          Noted(
            order: order.id, clientOrderId: order.clientOrderId, account: order.account,
            session: order.session, text: text))))
  }
}

// MARK: - References

/// A reference of a deposit or withdrawal, with what numbers it.
struct ModelReference: Hashable {
  let source: UInt16
  /// The account, for source 0.
  let account: AccountId
  let reference: UInt64

  init(_ movement: CashMovement) {
    source = movement.source
    account = movement.source == 0 ? movement.account : .null
    reference = movement.reference
  }
}

extension ReferenceModel {
  func requireReference(_ movement: CashMovement) throws(Refusal) {
    let last = accounts[movement.account]?.lastReference ?? 0
    if rules < 4 {
      try require(movement.source == 0, .badDefinition, Int64(movement.source), .source)
      try require(movement.reference > last, .referenceReplayed, Int64(bitPattern: last))
      return
    }
    let floor = movement.source == 0 ? last : 0
    try require(movement.reference > floor, .referenceReplayed, Int64(bitPattern: floor))
    try require(
      !knownReferences.contains(ModelReference(movement)), .referenceReplayed,
      Int64(bitPattern: movement.reference))
    let limit = Int64(capacity.cashReferences)
    try require(knownReferences.count < limit, .capacityExhausted, limit)
  }

  mutating func keepReference(_ movement: CashMovement) {
    if rules < 4 {
      accounts[movement.account]?.lastReference = movement.reference
    } else {
      knownReferences.insert(ModelReference(movement))
    }
  }
}

// MARK: - Meters

extension ModelMeter {
  /// What holds for the interval of a reading; `nil` when it has no account.
  func definition(for reading: MeterReading) -> RegisterMeter? {
    let held = reading.intervalStart >= from ? definition : before
    return held?.account == .null ? nil : held
  }

  /// Whether intervals from before the last change, which had an account, may still be read.
  var hasUnreadBefore: Bool {
    guard let before, before.account != .null else { return false }
    return from > lastEnd
  }

  /// Whether a reading belongs to a key that was replaced.
  func isUnderFormerKey(_ reading: MeterReading) -> Bool {
    sequenceBefore != nil && reading.intervalStart < from
  }
}

extension ReferenceModel {
  private func isAtOnce(_ time: Timestamp) -> Bool { time.nanoseconds == 0 || time == .never }

  mutating func registerMeter(_ new: RegisterMeter, _ command: Command) throws(Refusal) {
    try requireNumber(new.meter.rawValue, capacity.meters, .meter)
    guard let meter = meters[new.meter] else { return try registerFirst(new, command) }
    let known = meter.definition
    let isSameHolder =
      known.account == new.account && known.publicKey == new.publicKey
      && (new.account == .null || known.area == new.area)
      && (rules < 4 || known.ownReadings == new.ownReadings)
    let isSameSite =
      known.attestation == new.attestation
      && known.technology == new.technology
    let isSame = isSameHolder && isSameSite
    let isMoved =
      rules >= 5 && meter.from > now && !isAtOnce(new.from) && new.from != meter.from
    let isNow = rules >= 6 && meter.from > now && isAtOnce(new.from)
    let isLater =
      rules >= 6 && !isAtOnce(new.from) && new.from > now && new.capacity != 0
      && new.capacity != known.capacity
    if isSameHolder, !isMoved, !isNow, !isLater, new.account != .null, new.capacity >= 0,
      new.capacity > 0 || !isSameSite
    {
      var changed = new
      if new.capacity == 0 { changed.capacity = known.capacity }
      meters[new.meter]?.definition = changed
      emit(.reference(.meterRegistered(changed)))
      return acknowledge(command)
    }
    try require(rules >= 4, .alreadyExists)
    if new.account != .null {
      try requireAccount(new.account)
      try requireArea(new.area)
      try requireOpen(new.account)
    }
    try requireValue(new.capacity, in: 0...Int64.max, .capacity)
    try require(
      isAtOnce(new.from) || new.from >= meter.lastEnd, .overlappingInterval,
      Int64(bitPattern: meter.lastEnd.nanoseconds))
    let isSameMoment = rules < 5 || isAtOnce(new.from) || new.from == meter.from
    try require(!isSame || !isSameMoment || isNow, .alreadyExists)
    if rules >= 6, !isAtOnce(new.from) {
      let isMissing =
        (6...7).contains(rules) && meter.from <= now && new.from > meter.from
        && meter.hasUnreadBefore
      try require(
        !isMissing, .formerReadingsMissing, Int64(bitPattern: meter.from.nanoseconds))
      if isLater { try requireValue(new.capacity, in: 0...0, .capacity) }
    }
    try change(meter, to: new)
    acknowledge(command)
  }

  mutating func setMeterPlace(_ new: SetMeterPlace, _ command: Command) throws(Refusal) {
    try requireNumber(new.meter.rawValue, capacity.meters, .meter)
    try require(meters[new.meter] != nil, .unknownMeter, Int64(capacity.meters))
    emit(.reference(.meterPlaceSet(new)))
    acknowledge(command)
  }

  private mutating func registerFirst(_ new: RegisterMeter, _ command: Command) throws(Refusal) {
    try requireAccount(new.account)
    try requireArea(new.area)
    try requireOpen(new.account)
    try requireValue(new.capacity, in: 0...Int64.max, .capacity)
    let key = PositionKey(account: new.account, area: new.area)
    try requirePosition(key)
    change(key) { _ in }
    meters[new.meter] = ModelMeter(
      definition: new, from: isAtOnce(new.from) ? Timestamp(nanoseconds: 0) : new.from)
    emit(.reference(.meterRegistered(new)))
    acknowledge(command)
  }

  private mutating func change(_ meter: ModelMeter, to new: RegisterMeter) throws(Refusal) {
    var changed = meter
    let from = isAtOnce(new.from) ? max(now, meter.lastEnd) : new.from
    let isOtherKey = new.publicKey != meter.definition.publicKey
    let isPending = rules >= 5 && meter.from > now
    let supersedes = meter.from.nanoseconds != 0 && (meter.from >= from || isPending)
    if rules >= 8 {
      try changeHolders(&changed, from: from.nanoseconds, supersedes: supersedes)
    }
    if !supersedes {
      if (6...7).contains(rules), meter.hasUnreadBefore { changed.lastEnd = meter.from }
      changed.before = meter.definition
      changed.sequenceBefore = nil
    }
    if isOtherKey, changed.sequenceBefore == nil { changed.sequenceBefore = meter.lastSequence }
    if isOtherKey { changed.lastSequence = 0 }
    changed.from = from
    changed.definition = new
    if rules >= 5, new.capacity == 0 {
      changed.definition.capacity = meter.definition.capacity
    }
    if new.account != .null {
      let key = PositionKey(account: new.account, area: new.area)
      try requirePosition(key)
      change(key) { _ in }
    }
    meters[new.meter] = changed
    var event = new
    event.from = from
    event.capacity = changed.definition.capacity
    emit(.reference(.meterRegistered(event)))
  }
}
