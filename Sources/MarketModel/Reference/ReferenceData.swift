// Reference data built from the exchange's events, for gateways, settlement and metrics. The
// exchange itself has separate tables, which are authoritative.
//
//     participant ◀── session (key, roles)          area (currency, tariff) ◀── instrument
//          ▲                                          ▲
//          └── account ◀── meter (key) ───────────────┘
//
// Where only durable events are fed, the data lag behind the exchange, so the exchange validates
// all commands.

/// Reference data: one table for each kind of entity, with the entity's number as index. Owned by
/// one thread.
public struct ReferenceData: ~Copyable {
  /// A registered session identity.
  public struct Session: Sendable, Equatable, BitwiseCopyable {
    /// The participant for which it acts.
    public var participant: ParticipantId
    /// Its roles; empty: the identity is revoked.
    public var roles: Roles
    /// The public key that verifies Negotiate and Establish messages.
    public var key: PublicKey
  }

  /// A registered meter.
  public struct Meter: Sendable, Equatable, BitwiseCopyable {
    /// The account of its energy.
    public var account: AccountId
    /// The area in which it measures.
    public var area: AreaId
    /// The public key that verifies its readings.
    public var key: PublicKey
  }

  /// What a meter's readings may be, and who may send them. Not part of the image: the exchange has
  /// it too.
  public struct MeterTerms: Sendable, Equatable, BitwiseCopyable {
    /// The rated power of what it meters, W; 0: the default of market rules 7.
    public var capacity: Int64
    /// Whether sessions with the trading role of the account's participant may send its readings.
    public var ownReadings: Bool
    /// Who answers for its readings; of all intervals.
    public var attestation: MeterAttestation
    /// What it measures.
    public var technology: MeterTechnology
    /// Where it stands; empty: not told.
    public var place: Label

    /// The default: no rated power, readings signed by the meter, from sessions with the metering role
    /// only.
    public init(
      capacity: Int64 = 0, ownReadings: Bool = false, attestation: MeterAttestation = .device,
      technology: MeterTechnology = .unknown, place: Label = .empty
    ) {
      (self.capacity, self.ownReadings) = (capacity, ownReadings)
      (self.attestation, self.technology, self.place) = (attestation, technology, place)
    }
  }

  /// What a meter was before a change.
  public struct FormerMeter: Sendable, Equatable, BitwiseCopyable {
    /// The meter.
    public var meter: MeterId
    /// Start of the intervals for which the change holds.
    public var from: Timestamp
    /// What holds for intervals that begin before.
    public var was: Meter
  }

  /// A listed instrument.
  public struct Instrument: Sendable, Equatable, BitwiseCopyable {
    /// The definition.
    public var definition: CreateInstrument
    /// The trading state.
    public var state: InstrumentState
  }

  /// A market area.
  public struct Area: Sendable, Equatable, BitwiseCopyable {
    /// The definition, with the present prices of the grid.
    public var definition: CreateArea
    /// The default cap.
    public var defaultCap: Energy
  }

  @usableFromInline var sessions = DirectTable<Session?>(nil)
  @usableFromInline var accounts = DirectTable<ParticipantId?>(nil)
  var meters = DirectTable<Meter?>(nil)
  var meterTerms = DirectTable(MeterTerms())
  /// What meters were before their changes, the last change first.
  var formerMeters: [MeterId: [FormerMeter]] = [:]
  /// The terms of those meters before their last change. Not part of the image.
  var formerTerms: [MeterId: MeterTerms] = [:]
  private var instrumentTable = DirectTable<Instrument?>(nil)
  private var areaTable = DirectTable<Area?>(nil)
  /// What readings do in each area. Not part of the image: the exchange has it too.
  private var areaReadings = DirectTable(AreaReadings())
  /// Names of participants.
  public private(set) var participants: [ParticipantId: Label] = [:]
  /// The number of entities of each kind.
  public internal(set) var counts = Counts()

  /// The number of created entities of each kind.
  public struct Counts: Sendable, Equatable, BitwiseCopyable {
    /// Participants.
    public fileprivate(set) var participants: UInt32 = 0
    /// Accounts, including house accounts.
    public fileprivate(set) var accounts: UInt32 = 0
    /// Areas.
    public fileprivate(set) var areas: UInt32 = 0
    /// Instruments.
    public fileprivate(set) var instruments: UInt32 = 0
    /// Meters.
    public internal(set) var meters: UInt32 = 0

    /// Counts of 0.
    public init() {}
  }

  /// Empty reference data.
  public init() {}

  /// The session identity with that number.
  @inlinable @inline(__always)
  public func session(_ id: SessionId) -> Session? { sessions[Int(id.rawValue)] }

  /// The roles of the session identity; empty when it is unknown or revoked.
  @inlinable @inline(__always)
  public func roles(of id: SessionId) -> Roles { sessions[Int(id.rawValue)]?.roles ?? [] }

  /// The participant that acts for `account`; `nil` for house accounts and unknown ones.
  @inlinable @inline(__always)
  public func participant(of account: AccountId) -> ParticipantId? {
    accounts[Int(account.rawValue)]
  }

  /// The instrument with that number.
  public func instrument(_ id: InstrumentId) -> Instrument? { instrumentTable[Int(id.rawValue)] }

  /// The area with that number.
  public func area(_ id: AreaId) -> Area? { areaTable[Int(id.rawValue)] }

  /// What readings do in the area; the default when there is no such area.
  public func readings(of id: AreaId) -> AreaReadings { areaReadings[Int(id.rawValue)] }

  /// Sets what readings do in all areas, after an image was read. Linear in the number of areas.
  package mutating func setAreaReadings(_ readings: (AreaId) -> AreaReadings?) {
    for number in 0..<areaTable.count {
      if let found = readings(AreaId(UInt16(number))) { areaReadings[number] = found }
    }
  }

  /// The area of `instrument` and the area's currency.
  /// - Returns: `nil` when the instrument or the area is unknown.
  public func market(of instrument: InstrumentId) -> (area: AreaId, currency: Currency)? {
    guard let row = instrumentTable.pointer(Int(instrument.rawValue))?.pointee,
      let area = areaTable.pointer(Int(row.definition.area.rawValue))?.pointee
    else { return nil }
    return (row.definition.area, area.definition.currency)
  }

  /// The currency of `area`; `nil` when the area is unknown.
  public func currency(of area: AreaId) -> Currency? {
    areaTable.pointer(Int(area.rawValue))?.pointee?.definition.currency
  }

  /// The currency of each area, by the area's number; 0 for numbers without an area.
  package var currencies: [Currency] {
    areaTable.all.map { $0?.definition.currency ?? Currency(0) }
  }

  /// The area of each instrument, by the instrument's number; null for numbers without an
  /// instrument.
  package var areasOfInstruments: [AreaId] {
    instrumentTable.all.map { $0?.definition.area ?? .null }
  }

  /// All areas, by number.
  public var areas: [Area] { areaTable.all.compactMap { $0 } }

  /// All instruments, by number.
  public var instruments: [Instrument] { instrumentTable.all.compactMap { $0 } }

  /// All session identities, by number.
  package var sessionIdentities: [(session: SessionId, is: Session)] {
    sessions.all.enumerated().compactMap { number, row in
      row.map { (SessionId(UInt32(number)), $0) }
    }
  }

  /// All participants' accounts with their owners, by number.
  package var accountOwners: [(account: AccountId, participant: ParticipantId)] {
    accounts.all.enumerated().compactMap { number, owner in
      owner.map { (AccountId(UInt32(number)), $0) }
    }
  }

  /// All registered meters, by number.
  package var registeredMeters: [(meter: MeterId, is: Meter)] {
    meters.all.enumerated().compactMap { number, row in
      row.map { (MeterId(UInt32(number)), $0) }
    }
  }

  /// The highest meter number; 0 when there is no meter.
  package var highestMeter: UInt32 { UInt32(max(0, meters.count - 1)) }

  /// The highest account of a participant; 0 when there is none.
  package var highestAccount: UInt32 { UInt32(max(0, accounts.count - 1)) }

  /// The highest session identity; 0 when there is none.
  package var highestSession: UInt32 { UInt32(max(0, sessions.count - 1)) }

  /// The highest participant; 0 when there is none. Linear.
  package var highestParticipant: UInt32 { participants.keys.map(\.rawValue).max() ?? 0 }

  /// The highest area number; 0 when there is no area.
  package var highestArea: UInt16 { UInt16(max(0, areaTable.count - 1)) }

  /// The highest instrument number; 0 when there is no instrument.
  public var highestInstrument: UInt32 { UInt32(max(0, instrumentTable.count - 1)) }

  /// Updates the data with an event of a command at `time`. Only reference events have an effect.
  public mutating func note(_ event: borrowing Event, at time: Timestamp) {
    if case .reference(let event) = copy event { note(event, at: time) }
  }

  /// Updates the data with a reference event.
  /// - Parameters:
  ///   - event: What happened.
  ///   - time: That of its command; tells whether an announced change has come.
  public mutating func note(_ event: ReferenceEvent, at time: Timestamp) {
    switch event {
    case .participantCreated(let made):
      participants[made.participant] = made.name
      counts.participants += 1
    case .sessionRegistered(let made):
      sessions[Int(made.session.rawValue)] = Session(
        participant: made.participant, roles: made.roles, key: made.publicKey)
    case .accountCreated(let made):
      if !made.account.isHouse { accounts[Int(made.account.rawValue)] = made.participant }
      counts.accounts += 1
    case .areaCreated(let made):
      areaTable[Int(made.definition.area.rawValue)] = Area(
        definition: made.definition, defaultCap: made.defaultCap)
      areaReadings[Int(made.definition.area.rawValue)] = made.readings
      counts.areas += 1
    case .tariffSet(let made): set(made)
    case .parameterSet(let made): set(made)
    case .instrumentCreated(let made):
      instrumentTable[Int(made.instrument.rawValue)] = Instrument(definition: made, state: .open)
      counts.instruments += 1
    case .instrumentStateChanged(let made):
      instrumentTable.pointer(Int(made.instrument.rawValue))?.pointee?.state = made.state
    case .meterRegistered(let made):
      set(made, at: time)
    case .capSet: break  // Balance events contain the cap.
    case .blockSet, .limitSet, .accountSet: break  // The exchange alone judges commands.
    case .meterPlaceSet(let made): meterTerms[Int(made.meter.rawValue)].place = made.place
    case .numbersReset: break  // Numbers are no reference data.
    }
  }

  private mutating func set(_ tariff: SetTariff) {
    guard let row = areaTable.pointer(Int(tariff.area.rawValue)) else { return }
    row.pointee?.definition.feedInPrice = tariff.feedInPrice
    row.pointee?.definition.retailPrice = tariff.retailPrice
  }

  private mutating func set(_ made: ParameterSet) {
    switch made.change.subject {
    case .area:
      guard let row = areaTable.pointer(Int(made.change.number)) else { return }
      row.pointee?.defaultCap = made.defaultCap
      row.pointee?.definition.set(made.change)
      areaReadings.pointer(Int(made.change.number))?.pointee.set(made.change)
    case .instrument:
      guard let row = instrumentTable.pointer(Int(made.change.number)) else { return }
      row.pointee?.definition.set(made.change)
    case .link, .pool: break
    }
  }

  /// Whether both have equal data. Linear in their size.
  package func isSame(as other: borrowing ReferenceData) -> Bool {
    sessions.all == other.sessions.all && accounts.all == other.accounts.all
      && meters.all == other.meters.all && instrumentTable.all == other.instrumentTable.all
      && areaTable.all == other.areaTable.all && participants == other.participants
      && formerMeters == other.formerMeters && meterTerms.all == other.meterTerms.all
      && counts == other.counts
  }
}

// MARK: - Its image

extension ReferenceData {
  /// An upper bound of all numbers, which limits the memory that a damaged image can request.
  static let most = 1 << 26

  private struct Name: BitwiseCopyable {
    var participant: ParticipantId
    var name: Label
  }

  /// Adds the row types of the image.
  package static func add(to layout: inout StateLayout) {
    layout.add(Session.self)
    layout.add(ParticipantId.self)
    layout.add(Meter.self)
    layout.add(Instrument.self)
    layout.add(Area.self)
    layout.add(Name.self)
  }

  /// Writes all data; participants in the order of their numbers.
  package func write(to sink: any StateSink) {
    Self.write(sessions, to: sink)
    Self.write(accounts, to: sink)
    Self.write(meters, to: sink)
    Self.write(instrumentTable, to: sink)
    Self.write(areaTable, to: sink)
    let names = participants.map { Name(participant: $0.key, name: $0.value) }
    sink.put(names.sorted { $0.participant.rawValue < $1.participant.rawValue })
  }

  /// Reads data that `write` wrote.
  /// - Parameter counts: The counts, which the image stores in another place.
  package mutating func read(from source: any StateSource, counts: Counts) {
    self.counts = counts
    sessions = Self.read(from: source)
    accounts = Self.read(from: source)
    meters = Self.read(from: source)
    instrumentTable = Self.read(from: source)
    areaTable = Self.read(from: source)
    for row in source.get(Name.self, most: Self.most) { participants[row.participant] = row.name }
  }

  /// Writes the size of a table, the number of entries, and each entry after its number.
  private static func write<Entry: BitwiseCopyable>(
    _ table: borrowing DirectTable<Entry?>, to sink: any StateSink
  ) {
    sink.put(UInt64(table.count))
    sink.put(UInt64((0..<table.count).count { table[$0] != nil }))
    for index in 0..<table.count {
      guard let entry = table[index] else { continue }
      sink.put(UInt64(index))
      sink.put(entry)
    }
  }

  private static func read<Entry: BitwiseCopyable>(
    from source: any StateSource
  ) -> DirectTable<Entry?> {
    var table = DirectTable<Entry?>(nil)
    let count = source.count(most: most)
    for _ in 0..<source.count(most: count) {
      let index = Int(truncatingIfNeeded: source.get(UInt64.self))
      let entry = source.get(Entry.self)
      guard (0..<count).contains(index) else {
        source.reject("entry \(index) is outside a table of \(count)")
        break
      }
      table[index] = entry
    }
    return table
  }
}
