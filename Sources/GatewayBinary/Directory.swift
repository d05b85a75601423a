import MarketModel

/// The gateway's picture of who is who and what is traded: for signatures, reference data, routing and
/// the permission of questions. Built from exchange events only, those of the recovery included, so it
/// trails the exchange by what is not durable yet: commands are judged by the exchange, never by it.
/// Owned by the I/O thread.
public struct Directory: Sendable, Equatable {
  /// A registered session identity.
  public struct Session: Sendable, Equatable, BitwiseCopyable {
    /// For whom it acts.
    public var participant: ParticipantId
    /// What it may do; empty: revoked.
    public var roles: Roles
    /// The key that signs Negotiate and Establish.
    public var key: PublicKey
  }

  /// A registered meter.
  public struct Meter: Sendable, Equatable, BitwiseCopyable {
    /// Whose energy.
    public var account: AccountId
    /// Where.
    public var area: AreaId
    /// The key that signs its readings.
    public var key: PublicKey
  }

  /// A listed instrument.
  public struct Instrument: Sendable, Equatable, BitwiseCopyable {
    /// As it was listed.
    public var definition: CreateInstrument
    /// Whether it trades.
    public var state: InstrumentState
  }

  /// An open area, its tariff as it is now.
  public struct Area: Sendable, Equatable, BitwiseCopyable {
    /// As it was opened; prices of the grid as they are now.
    public var definition: CreateArea
    /// Default cap.
    public var defaultCap: Energy
  }

  /// What the exchange said last of each number; ids are small, so a direct index finds them.
  private var sessions: [Session?] = []
  private var accounts: [ParticipantId?] = []
  private var meters: [Meter?] = []
  private var instrumentTable: [Instrument?] = []
  private var areaTable: [Area?] = []
  /// Names of participants.
  public private(set) var participants: [ParticipantId: Label] = [:]

  /// Knows nobody.
  public init() {}

  /// The session identity with that number.
  public func session(_ id: SessionId) -> Session? { Self.find(sessions, Int(id.rawValue)) }

  /// The participant that acts for `account`; `nil` for house accounts and unknown ones.
  public func participant(of account: AccountId) -> ParticipantId? {
    Self.find(accounts, Int(account.rawValue))
  }

  /// The meter with that number.
  public func meter(_ id: MeterId) -> Meter? { Self.find(meters, Int(id.rawValue)) }

  /// The instrument with that number.
  public func instrument(_ id: InstrumentId) -> Instrument? {
    Self.find(instrumentTable, Int(id.rawValue))
  }

  /// The area with that number.
  public func area(_ id: AreaId) -> Area? { Self.find(areaTable, Int(id.rawValue)) }

  /// All areas, by number.
  public var areas: [Area] { areaTable.compactMap { $0 } }

  /// All instruments, by number.
  public var instruments: [Instrument] { instrumentTable.compactMap { $0 } }

  /// Shows every participant's account and its owner.
  func forEachAccount(_ body: (AccountId, ParticipantId) -> Void) {
    for (number, owner) in accounts.enumerated() {
      if let owner { body(AccountId(UInt32(number)), owner) }
    }
  }

  /// Shows every session identity.
  func forEachSession(_ body: (SessionId, Session) -> Void) {
    for (number, session) in sessions.enumerated() {
      if let session { body(SessionId(UInt32(number)), session) }
    }
  }

  /// Highest number among the meters; 0: none.
  public var highestMeter: UInt32 { UInt32(max(0, meters.count - 1)) }

  /// Highest number among the areas; 0: none.
  public var highestArea: UInt16 { UInt16(max(0, areaTable.count - 1)) }

  /// Takes note of an event; most are of no concern.
  public mutating func note(_ event: Event) {
    if case .reference(let event) = event { note(event) }
  }

  /// Takes note of who and what there is from now on.
  mutating func note(_ event: ReferenceEvent) {
    switch event {
    case .participantCreated(let made): participants[made.participant] = made.name
    case .sessionRegistered(let made):
      Self.put(
        &sessions, Int(made.session.rawValue),
        Session(participant: made.participant, roles: made.roles, key: made.publicKey))
    case .accountCreated(let made):
      if !made.account.isHouse {
        Self.put(&accounts, Int(made.account.rawValue), made.participant)
      }
    case .areaCreated(let made):
      Self.put(
        &areaTable, Int(made.definition.area.rawValue),
        Area(definition: made.definition, defaultCap: made.defaultCap))
    case .tariffSet(let made): set(made)
    case .instrumentCreated(let made):
      Self.put(
        &instrumentTable, Int(made.instrument.rawValue),
        Instrument(definition: made, state: .open))
    case .instrumentStateChanged(let made):
      let index = Int(made.instrument.rawValue)
      if index < instrumentTable.count { instrumentTable[index]?.state = made.state }
    case .meterRegistered(let made):
      Self.put(
        &meters, Int(made.meter.rawValue),
        Meter(account: made.account, area: made.area, key: made.publicKey))
    // Of the others nothing is looked up here.
    default: break
    }
  }

  private mutating func set(_ tariff: SetTariff) {
    let index = Int(tariff.area.rawValue)
    guard index < areaTable.count else { return }
    areaTable[index]?.definition.feedInPrice = tariff.feedInPrice
    areaTable[index]?.definition.retailPrice = tariff.retailPrice
  }

  private static func find<Entry>(_ table: [Entry?], _ index: Int) -> Entry? {
    index < table.count ? table[index] : nil
  }

  private static func put<Entry>(_ table: inout [Entry?], _ index: Int, _ entry: Entry) {
    while table.count <= index { table.append(nil) }
    table[index] = entry
  }
}

// MARK: - Its image (GatewayHistory.swift)

extension Directory {
  /// No number is higher: a bound for what is read.
  private static let most = 1 << 26

  private struct Name: BitwiseCopyable {
    var participant: ParticipantId
    var name: Label
  }

  /// What rows its image holds.
  static func add(to layout: inout StateLayout) {
    layout.add(Session.self)
    layout.add(ParticipantId.self)
    layout.add(Meter.self)
    layout.add(Instrument.self)
    layout.add(Area.self)
    layout.add(Name.self)
  }

  /// Writes everything; participants in the order of their numbers.
  func write(to sink: any StateSink) {
    Self.write(sessions, to: sink)
    Self.write(accounts, to: sink)
    Self.write(meters, to: sink)
    Self.write(instrumentTable, to: sink)
    Self.write(areaTable, to: sink)
    let names = participants.map { Name(participant: $0.key, name: $0.value) }
    sink.put(names.sorted { $0.participant.rawValue < $1.participant.rawValue })
  }

  /// Reads what `write` wrote.
  mutating func read(from source: any StateSource) {
    sessions = Self.read(from: source)
    accounts = Self.read(from: source)
    meters = Self.read(from: source)
    instrumentTable = Self.read(from: source)
    areaTable = Self.read(from: source)
    for row in source.get(Name.self, most: Self.most) { participants[row.participant] = row.name }
  }

  /// The entries that there are, each behind its number.
  private static func write<Entry: BitwiseCopyable>(_ table: [Entry?], to sink: any StateSink) {
    sink.put(UInt64(table.count))
    sink.put(UInt64(table.count { $0 != nil }))
    for (index, entry) in table.enumerated() {
      guard let entry else { continue }
      sink.put(UInt64(index))
      sink.put(entry)
    }
  }

  private static func read<Entry: BitwiseCopyable>(from source: any StateSource) -> [Entry?] {
    var table = [Entry?](repeating: nil, count: source.count(most: most))
    for _ in 0..<source.count(most: table.count) {
      let index = Int(truncatingIfNeeded: source.get(UInt64.self))
      let entry = source.get(Entry.self)
      guard table.indices.contains(index) else {
        source.reject("an entry \(index) of \(table.count)")
        break
      }
      table[index] = entry
    }
    return table
  }
}
