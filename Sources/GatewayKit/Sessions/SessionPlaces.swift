// How many sessions may be established at a time. There are more connections than places, so that an
// administrator of the exchange can always log on:
//
//     connections + kept     may be open
//     connections            of them may hold a session without the role administration
//     perParticipant         of these may belong to one participant

import MarketModel

/// Counts established sessions without the role administration, of all and of each participant.
/// Owned by the I/O thread; all gateways share one.
public final class SessionPlaces {
  private let most: Int
  private let mostOfOne: Int
  /// The sessions that hold a place, with their participants.
  private var holders: [SessionId: ParticipantId] = [:]
  private var counts: [ParticipantId: Int] = [:]

  /// - Parameters:
  ///   - most: Sessions without the role administration that may be established at a time.
  ///   - mostOfOne: The same of one participant.
  public init(most: Int = .max, ofOneParticipant mostOfOne: Int = .max) {
    (self.most, self.mostOfOne) = (most, mostOfOne)
  }

  /// Why `session` may not be established now. Sessions with the role administration always may, and
  /// so may one that holds a place already.
  /// - Returns: 1026 or 1027 with the bound; `nil` if it may.
  public func refusal(of session: SessionId, in reference: borrowing ReferenceData) -> Refusal? {
    guard let participant = holder(session, reference), holders[session] == nil else { return nil }
    if counts[participant, default: 0] >= mostOfOne {
      return Refusal(.tooManySessions, limit: Int64(mostOfOne))
    }
    return holders.count >= most ? Refusal(.sessionsFull, limit: Int64(most)) : nil
  }

  /// `session` is established; has no effect if it was before.
  public func take(_ session: SessionId, in reference: borrowing ReferenceData) {
    guard let participant = holder(session, reference), holders[session] == nil else { return }
    holders[session] = participant
    counts[participant, default: 0] += 1
  }

  /// `session` is no longer established.
  public func leave(_ session: SessionId) {
    guard let participant = holders.removeValue(forKey: session) else { return }
    let count = counts[participant, default: 1] - 1
    counts[participant] = count > 0 ? count : nil
  }

  /// Number of sessions that hold a place.
  var count: Int { holders.count }

  /// The participant whose place `session` takes; `nil` if it takes none.
  private func holder(_ session: SessionId, _ reference: borrowing ReferenceData) -> ParticipantId?
  {
    if reference.roles(of: session).contains(.administration) { return nil }
    return reference.session(session)?.participant
  }
}
