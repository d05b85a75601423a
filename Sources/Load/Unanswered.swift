// The unanswered messages of one session, in order. The exchange answers the commands of a session
// in order, so nearly every answer belongs to the head. A message that the gateway rejects is found
// by its sequence number.
//
//     head ▼                     ▼ end     index = sequence number modulo capacity
//     [ 41 | 42 | 43 | ... | 57 |     ]

import MarketModel

/// A ring of unanswered messages. Owned by the load's thread.
struct Unanswered: ~Copyable {
  /// Kind of a message.
  enum Kind: UInt8 {
    case enter, cancel, replace, reading
  }

  struct Entry {
    var id: UInt64
    /// Monotonic time in ns when the message was due to be sent.
    var due: UInt64
    var kind: Kind
    var isAnswered = false
  }

  private let entries: UnsafeMutablePointer<Entry>
  private let mask: UInt64
  private var head: UInt64
  private var end: UInt64
  /// Number of unanswered messages.
  private(set) var count = 0

  /// An empty ring.
  /// - Parameters:
  ///   - capacity: Most unanswered messages.
  ///   - next: Sequence number of the session's next message.
  init(capacity: Int, next: UInt64) {
    var size = 1
    // Answered messages after an unanswered head occupy entries too, hence twice the capacity.
    while size < 2 * capacity { size *= 2 }
    entries = .allocate(capacity: size)
    mask = UInt64(size - 1)
    (head, end) = (next, next)
  }

  deinit { entries.deallocate() }

  /// Whether the ring has an entry for another message.
  var hasFreeEntry: Bool { end - head <= mask }

  /// Adds a sent message.
  /// - Parameter sequence: The sequence number after that of the last added message.
  mutating func add(_ sequence: UInt64, _ kind: Kind, id: UInt64, due: UInt64) {
    assert(sequence == end)
    (entries + Int(sequence & mask)).initialize(to: Entry(id: id, due: due, kind: kind))
    end += 1
    count += 1
  }

  /// Removes the head if it is the message of this kind with this client order id.
  /// - Returns: The time when it was due; `nil` when the head is another message.
  mutating func answer(_ kind: Kind, id: UInt64) -> UInt64? {
    guard head != end else { return nil }
    let entry = entries[Int(head & mask)]
    guard entry.kind == kind, entry.id == id else { return nil }
    count -= 1
    advance()
    return entry.due
  }

  /// Removes the message with this sequence number.
  /// - Returns: `nil` when it is not unanswered.
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

  /// Makes the next unanswered message the head.
  private mutating func advance() {
    repeat { head += 1 } while head != end && entries[Int(head & mask)].isAnswered
  }
}
