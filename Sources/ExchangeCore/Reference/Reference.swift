// Participants and their session identities.

import MarketModel

/// Participants and sessions, by number.
struct Reference: ~Copyable, StateComponent {
  let participants: Table<Participant>
  let sessions: Table<Session>

  init(capacity: Capacity) {
    participants = Table(capacity: Int(capacity.participants) + 1)
    sessions = Table(capacity: Int(capacity.sessions) + 1)
  }

  static func add(to layout: inout StateLayout) {
    layout.add(Participant.self)
    layout.add(Session.self)
  }

  static func write(_ exchange: borrowing Exchange, to sink: any StateSink) {
    exchange.reference.participants.write(to: sink)
    exchange.reference.sessions.write(to: sink)
  }

  static func read(_ exchange: inout Exchange, from source: any StateSource) {
    exchange.reference.participants.read(from: source)
    exchange.reference.sessions.read(from: source)
  }

  /// Sets the fields of sessions that older images lack.
  func clearAdditions() {
    for number in 0..<UInt32(sessions.capacity) {
      sessions[number].clearAdditions()
    }
  }

  static func fold(_ exchange: borrowing Exchange, into hash: inout WordHash) {
    exchange.reference.fold(into: &hash)
  }

  private func fold(into hash: inout WordHash) {
    for number in 1..<UInt32(participants.capacity) where participants[number].exists {
      hash.fold(number)
      hash.fold(participants[number].name.low)
      hash.fold(participants[number].name.high)
    }
    for number in 1..<UInt32(sessions.capacity) where sessions[number].exists {
      hash.fold(UInt64(number) << 8 | UInt64(sessions[number].roles))
      hash.fold(sessions[number].participant)
      invariant(
        participants[sessions[number].participant].exists, "the participant of a session exists")
      hash.fold(sessions[number].publicKey)
      if sessions[number].selfTrade != .account {
        hash.fold(UInt64(sessions[number].selfTrade.rawValue))
      }
    }
  }
}

extension WordHash {
  /// Folds a public key.
  mutating func fold(_ key: PublicKey) {
    for word in [key.word0, key.word1, key.word2, key.word3] { fold(word) }
  }
}
