// Participants: the firms and households that sessions and accounts belong to (section 11,
// "Definitions").

import MarketModel

/// A participant.
struct Participant: BitwiseCopyable {
  var exists: Bool
  var name: Label
}

extension Exchange {
  @inline(__always) func exists(_ participant: ParticipantId) -> Bool {
    participant.rawValue >= 1 && participant.rawValue <= capacity.participants
      && reference.participants[participant.rawValue].exists
  }

  /// Refuses a definition without one of the roles or with a number that is out of range.
  func validateDefinition(
    _ request: Request, _ number: UInt32, of capacity: UInt32, _ field: RejectField,
    _ roles: Roles = .administration
  ) -> Refusal? {
    if let refusal = permission(request, roles) { return refusal }
    return number >= 1 && number <= capacity ? nil : Refusal(.outOfRange, capacity, field)
  }

  mutating func createParticipant(_ new: CreateParticipant, _ request: Request) {
    var refusal = validateDefinition(
      request, new.participant.rawValue, of: capacity.participants, .participant)
    if refusal == nil, exists(new.participant) { refusal = Refusal(.alreadyExists) }
    if let refusal { return reject(refusal, request) }
    invariant(
      new.participant.rawValue <= capacity.participants, "the participant is within the table")
    reference.participants[new.participant.rawValue] = Participant(exists: true, name: new.name)
    invariant(exists(new.participant), "the created participant exists")
    emit(.reference(.participantCreated(new)))
    acknowledge(request)
  }
}
