// What a session said about its next order (section 5, "Notes").

import MarketModel

/// A note that waits for its order. Notes are kept by session; `Session.hasNote` says whether one
/// waits.
struct Notes: ~Copyable, StateComponent {
  private let rows: Table<Note>
  /// The note about the order that is being entered or replaced.
  private(set) var current = NoteText(0, 0, 0, 0, 0)

  init(capacity: Capacity) { rows = Table(capacity: Int(capacity.sessions) + 1) }

  /// Keeps the note of a session, in place of an earlier one.
  fileprivate func keep(_ note: Note, of session: UInt32) { rows[session] = note }

  /// Makes the note of a session the current one.
  /// - Returns: Whether it is about an order with the client order id.
  fileprivate mutating func take(of session: UInt32, for id: ClientOrderId) -> Bool {
    current = rows[session].text
    let expected = rows[session].clientOrderId
    return expected == .engine || expected == id
  }

  static func add(to layout: inout StateLayout) { layout.add(Note.self) }

  static func write(_ exchange: borrowing Exchange, to sink: any StateSink) {
    exchange.notes.rows.write(to: sink)
  }

  static func read(_ exchange: inout Exchange, from source: any StateSource) {
    exchange.notes.rows.read(from: source)
  }

  static func fold(_ exchange: borrowing Exchange, into hash: inout WordHash) {
    for session in stride(from: 1, through: exchange.capacity.sessions, by: 1)
    where exchange.reference.sessions[session].hasNote {
      let note = exchange.notes.rows[session]
      hash.fold(UInt64(session))
      hash.fold(note.clientOrderId.rawValue)
      for word in [
        note.text.word0, note.text.word1, note.text.word2, note.text.word3, note.text.word4,
      ] {
        hash.fold(word)
      }
    }
  }
}

extension Exchange {
  /// Keeps a note for the session's next order. It has no answer of its own.
  mutating func note(_ new: Note, _ request: Request) {
    if let refusal = permission(request, .trading) {
      return reject(refusal, request, clientOrderId: new.clientOrderId)
    }
    // The exchange itself says nothing about its orders.
    if request.isExchange { return }
    notes.keep(new, of: request.session.rawValue)
    reference.sessions[request.session.rawValue].hasNote = true
  }

  /// Whether a note of the sender waits.
  @inline(__always) func hasNote(_ request: Request) -> Bool {
    request.session.rawValue <= capacity.sessions
      && reference.sessions[request.session.rawValue].hasNote
  }

  /// Takes the waiting note of the sender, which is then gone.
  /// - Returns: Whether it is about an order with the client order id.
  mutating func takeNote(_ request: Request, for id: ClientOrderId) -> Bool {
    reference.sessions[request.session.rawValue].hasNote = false
    return notes.take(of: request.session.rawValue, for: id)
  }
}
