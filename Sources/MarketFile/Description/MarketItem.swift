import MarketModel

/// The name of something that a market file defines.
public enum MarketItem: Hashable, Sendable, CustomStringConvertible {
  /// A market area.
  case area(AreaId)
  /// An instrument.
  case instrument(InstrumentId)
  /// A participant.
  case participant(ParticipantId)
  /// A session identity.
  case session(SessionId)
  /// An account.
  case account(AccountId)
  /// A meter.
  case meter(MeterId)
  /// An account's own cap in an area.
  case cap(AccountId, AreaId)
  /// An account's deposit with this place in the file's list, from 1.
  case deposit(AccountId, UInt16)
  /// An account's standing instruction for an instrument.
  case instruction(AccountId, InstrumentId)
  /// The operator's limit of a kind, of the participant, session or account with this number.
  case limit(LimitKind, UInt32)

  /// The item in words: "area 1", "cap of account 10 in area 1".
  public var description: String {
    switch self {
    case .area(let id): "area \(id.rawValue)"
    case .instrument(let id): "instrument \(id.rawValue)"
    case .participant(let id): "participant \(id.rawValue)"
    case .session(let id): "session \(id.rawValue)"
    case .account(let id): "account \(id.rawValue)"
    case .meter(let id): "meter \(id.rawValue)"
    case .cap(let account, let area): "cap of account \(account.rawValue) in area \(area.rawValue)"
    case .deposit(let account, let place): "deposit \(place) of account \(account.rawValue)"
    case .instruction(let account, let instrument):
      "instruction of account \(account.rawValue) for instrument \(instrument.rawValue)"
    case .limit(let kind, let number): "limit \(kind.fileName) of \(kind.owner) \(number)"
    }
  }

  /// Its place among all items: what others refer to comes before them.
  var order: (kind: Int, first: UInt64, second: UInt64) {
    switch self {
    case .area(let id): (0, UInt64(id.rawValue), 0)
    case .instrument(let id): (1, UInt64(id.rawValue), 0)
    case .participant(let id): (2, UInt64(id.rawValue), 0)
    case .session(let id): (3, UInt64(id.rawValue), 0)
    case .account(let id): (4, UInt64(id.rawValue), 0)
    case .meter(let id): (5, UInt64(id.rawValue), 0)
    case .cap(let account, let area): (6, UInt64(account.rawValue), UInt64(area.rawValue))
    case .deposit(let account, let place): (7, UInt64(account.rawValue), UInt64(place))
    case .instruction(let account, let instrument):
      (8, UInt64(account.rawValue), UInt64(instrument.rawValue))
    case .limit(let kind, let number): (9, UInt64(number), UInt64(kind.rawValue))
    }
  }
}
