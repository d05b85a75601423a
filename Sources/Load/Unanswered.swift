// The messages of one session that are on their way, in order. The exchange answers a session's commands
// in order, so the answer is nearly always the head's; what the gateway rejects by itself is found by its
// sequence number.
//
//     head ▼                     ▼ end        place of a message = its sequence number, modulo capacity
//     [ 41 | 42 | 43 | ... | 57 |     ]

import MarketModel

/// A queue of messages that wait for their answers. Owned by the load's thread.
struct Unanswered: ~Copyable {
  /// What a message asked.
  enum Kind: UInt8 {
    case enter, cancel, replace, reading
  }

  struct Entry {
    var id: UInt64
    /// When it was due to be sent, monotonic ns.
    var due: UInt64
    var kind: Kind
    var isAnswered = false
  }

  private let entries: UnsafeMutablePointer<Entry>
  private let mask: UInt64
  private var head: UInt64
  private var end: UInt64
  /// Messages that wait.
  private(set) var count = 0

  /// Nothing, for a session whose next message has the number `next`.
  init(capacity: Int, next: UInt64) {
    var size = 1
    // Gaps of answered messages behind a late head take places too.
    while size < 2 * capacity { size *= 2 }
    entries = .allocate(capacity: size)
    mask = UInt64(size - 1)
    (head, end) = (next, next)
  }

  deinit { entries.deallocate() }

  /// Whether another message may be sent.
  var hasPlace: Bool { end - head <= mask }

  /// A message was sent, with the number behind that of the last.
  mutating func add(_ sequence: UInt64, _ kind: Kind, id: UInt64, due: UInt64) {
    assert(sequence == end)
    (entries + Int(sequence & mask)).initialize(to: Entry(id: id, due: due, kind: kind))
    end += 1
    count += 1
  }

  /// Takes the head if it is this message.
  /// - Returns: When it was due; `nil`: this does not answer the head.
  mutating func answer(_ kind: Kind, id: UInt64) -> UInt64? {
    guard head != end else { return nil }
    let entry = entries[Int(head & mask)]
    guard entry.kind == kind, entry.id == id else { return nil }
    count -= 1
    advance()
    return entry.due
  }

  /// Takes the message with a sequence number.
  /// - Returns: `nil` when it does not wait.
  mutating func answer(_ sequence: UInt64) -> Entry? {
    guard sequence >= head, sequence < end else { return nil }
    let place = Int(sequence & mask)
    guard !entries[place].isAnswered else { return nil }
    entries[place].isAnswered = true
    let entry = entries[place]
    count -= 1
    if sequence == head { advance() }
    return entry
  }

  /// The next message that waits becomes the head.
  private mutating func advance() {
    repeat { head += 1 } while head != end && entries[Int(head & mask)].isAnswered
  }
}
