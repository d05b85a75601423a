// Stage 7: events between the exchange and its readers, in the order in which they happened.
//
//     emit ──▶ [ seq 41 | seq 41 | seq 42 | seq 42 | seq 43 ] ──▶ take, while seq <= durable
//                ▲ head                              ▲ tail
//
// A circle of a power of two. The exchange stops being fed when `isFull`; the events of the command in
// hand always fit, so nothing is ever dropped: a command with more events than the bound doubles it.
//
// The reader is shown an event where it stands. Commands may be applied while it reads, and their events may
// double the circle: the memory that the reader was shown then stays until it asks for the next event.

import MarketModel

/// One event and the command that caused it.
struct OutboxEntry: BitwiseCopyable, Equatable {
  var sequence: SequenceNumber
  var time: Timestamp
  var event: Event

  /// Where the event begins, behind two words.
  static var eventOffset: Int { 16 }
}

extension UnsafePointer<OutboxEntry> {
  /// Where the entry's event stands.
  @inline(__always) var event: UnsafePointer<Event> {
    (UnsafeRawPointer(self) + OutboxEntry.eventOffset).assumingMemoryBound(to: Event.self)
  }
}

/// The queue of events that wait for their command to be durable. Owned by the I/O thread.
struct Outbox: ~Copyable, CommandEventSink {
  /// Events at which no further command is fed.
  let bound: Int
  /// The command whose events are being emitted.
  private var sequence = SequenceNumber.none
  private var time = Timestamp(nanoseconds: 0)
  private var entries: UnsafeMutablePointer<OutboxEntry>
  private var mask: Int
  /// The circle in which the reader was shown an event, when it has been doubled since.
  private var retired: UnsafeMutablePointer<OutboxEntry>?
  private var head = 0
  private var tail = 0

  /// An empty outbox that is full with `bound` events.
  init(bound: Int) {
    precondition(bound > 0)
    precondition(MemoryLayout<OutboxEntry>.offset(of: \.event) == OutboxEntry.eventOffset)
    self.bound = bound
    var capacity = 1
    // Room for the bound and the events of the command that reaches it.
    while capacity < bound + 256 { capacity *= 2 }
    entries = .allocate(capacity: capacity)
    mask = capacity - 1
  }

  deinit {
    entries.deallocate()
    retired?.deallocate()
  }

  /// Events that wait.
  var count: Int { tail - head }
  /// Whether the exchange must not be fed now.
  var isFull: Bool { count >= bound }
  /// The command of the first event that waits.
  var first: SequenceNumber? { head == tail ? nil : entries[head & mask].sequence }

  /// Whether the first event is the last of its command, `sequence`.
  func isLast(of sequence: SequenceNumber) -> Bool {
    head + 1 == tail || entries[(head + 1) & mask].sequence != sequence
  }

  /// Names the command whose events come next.
  mutating func begin(_ command: borrowing Command) {
    (sequence, time) = (command.sequence, command.time)
  }

  mutating func emit(_ event: Event) {
    if tail - head > mask { grow() }
    entries[tail & mask] = OutboxEntry(sequence: sequence, time: time, event: event)
    tail += 1
  }

  /// Whether the first event's command is at or below the gate.
  func hasEvent(through gate: SequenceNumber) -> Bool {
    head != tail && entries[head & mask].sequence <= gate
  }

  /// The first event if its command is at or below the gate. It stands where it is until `drop`, whatever is
  /// emitted meanwhile.
  /// - Returns: `nil` when there is none.
  mutating func front(through gate: SequenceNumber) -> UnsafePointer<OutboxEntry>? {
    if retired != nil { free() }
    return hasEvent(through: gate) ? UnsafePointer(entries + (head & mask)) : nil
  }

  /// Shows `delivery` the first events, `most` of them if there are so many.
  /// - Returns: How many.
  func anticipate(_ most: Int, by delivery: Delivery) -> Int {
    let shown = min(most, count)
    for place in head..<(head + shown) { delivery.anticipate(event(place)) }
    return shown
  }

  /// Where an event stands.
  @inline(__always) private func event(_ place: Int) -> UnsafePointer<Event> {
    UnsafePointer(entries + (place & mask)).event
  }

  /// The first event was taken. An empty circle begins anew at its start, which the caches still hold.
  mutating func drop() {
    head += 1
    if head == tail { (head, tail) = (0, 0) }
  }

  /// Takes the first event if its command is at or below the gate.
  /// - Returns: `nil` when there is none.
  mutating func take(through gate: SequenceNumber) -> OutboxEntry? {
    guard let entry = front(through: gate)?.pointee else { return nil }
    drop()
    return entry
  }

  /// Doubles the circle. The present one was shown to the reader, unless another was since its last event.
  private mutating func grow() {
    let capacity = (mask + 1) * 2
    let larger = UnsafeMutablePointer<OutboxEntry>.allocate(capacity: capacity)
    for index in head..<tail { larger[index & (capacity - 1)] = entries[index & mask] }
    if retired == nil { retired = entries } else { entries.deallocate() }
    (entries, mask) = (larger, capacity - 1)
  }

  /// Gives the memory back in which the reader is done.
  private mutating func free() {
    retired?.deallocate()
    retired = nil
  }
}
