import GatewayBinary
import MarketModel

/// How many of everything there are, counted from events. Owned by the I/O thread.
struct Census {
  private(set) var participants: UInt32 = 0
  private(set) var accounts: UInt32 = 0
  private(set) var areas: UInt32 = 0
  private(set) var instruments: UInt32 = 0
  private(set) var meters: UInt32 = 0

  /// Counts what an event created; most create nothing.
  mutating func note(_ event: borrowing Event) {
    if case .reference(let event) = copy event { note(event) }
  }

  private mutating func note(_ event: ReferenceEvent) {
    switch event {
    case .participantCreated: participants += 1
    case .accountCreated: accounts += 1
    case .areaCreated: areas += 1
    case .instrumentCreated: instruments += 1
    case .meterRegistered: meters += 1
    default: break
    }
  }

  /// Fills in the counts.
  func report(in status: inout ServerStatus) {
    (status.participantCount, status.accountCount) = (participants, accounts)
    (status.areaCount, status.instrumentCount) = (areas, instruments)
    status.meterCount = meters
  }
}
