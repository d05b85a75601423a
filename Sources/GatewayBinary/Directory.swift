import MarketModel

/// The gateway's picture of who is who and what is traded: for signatures, reference data, routing and
/// the permission of questions. Built from exchange events only, those of the recovery included, so it
/// trails the exchange by what is not durable yet: commands are judged by the exchange, never by it.
/// Owned by the I/O thread.
public struct Directory: Sendable {
  /// A registered session identity.
  public struct Session: Sendable {
    /// For whom it acts.
    public var participant: ParticipantId
    /// What it may do; empty: revoked.
    public var roles: Roles
    /// The key that signs Negotiate and Establish.
    public var key: PublicKey
  }

  /// A registered meter.
  public struct Meter: Sendable {
    /// Whose energy.
    public var account: AccountId
    /// Where.
    public var area: AreaId
    /// The key that signs its readings.
    public var key: PublicKey
  }

  /// A listed instrument.
  public struct Instrument: Sendable {
    /// As it was listed.
    public var definition: CreateInstrument
    /// Whether it trades.
    public var state: InstrumentState
  }

  /// An open area, its tariff as it is now.
  public struct Area: Sendable {
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

  /// Highest number among the meters; 0: none.
  public var highestMeter: UInt32 { UInt32(max(0, meters.count - 1)) }

  /// Highest number among the areas; 0: none.
  public var highestArea: UInt16 { UInt16(max(0, areaTable.count - 1)) }

  /// Takes note of an event; most are of no concern.
  public mutating func note(_ event: Event) {
    switch event {
    case .participantCreated(let made): participants[made.participant] = made.name
    case .sessionRegistered(let made):
      Self.put(
        &sessions, Int(made.session.rawValue),
        Session(participant: made.participant, roles: made.roles, key: made.publicKey))
    case .accountCreated(let made) where !made.account.isHouse:
      Self.put(&accounts, Int(made.account.rawValue), made.participant)
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
    case .accountCreated, .accepted, .replaced, .restated, .canceled, .trade, .rejected,
      .massCanceled, .balance,
      .metered, .transferred, .deposited, .withdrawn, .agentSet, .acknowledged, .capSet,
      .settlementConfirmed, .sessionBegan, .sessionEnded, .alarm:
      break
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
