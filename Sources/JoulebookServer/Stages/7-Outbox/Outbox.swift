// Stage 7: events between the exchange and delivery, in the order in which they happened.
//
//     emit ──▶ [ seq 41 | seq 41 | seq 42 | seq 42 | seq 43 ] ──▶ take, while seq <= durable
//                ▲ head                              ▲ tail
//
// A circular buffer whose capacity is a power of two. While `isFull`, no further command is
// applied. The events of the current command always fit: a command that emits more than the free
// space doubles the buffer, so no event is ever dropped.
//
// The reader uses an event in place. Commands may be applied while it reads, and their events may
// double the buffer; the old memory then stays allocated until the reader asks for the next event.

import MarketModel

/// An event and the command that caused it.
struct OutboxEntry: BitwiseCopyable, Equatable {
  var sequence: SequenceNumber
  var time: Timestamp
  var event: Event

  /// Offset of the event in an entry, in bytes: after two words.
  static var eventOffset: Int { 16 }
}

extension UnsafePointer<OutboxEntry> {
  /// Pointer to the entry's event.
  @inline(__always) var event: UnsafePointer<Event> {
    (UnsafeRawPointer(self) + OutboxEntry.eventOffset).assumingMemoryBound(to: Event.self)
  }
}

/// Queue of events whose commands are not yet durable or not yet delivered. Owned by the thread
/// that applies commands.
struct Outbox: ~Copyable, CommandEventSink {
  /// Number of events from which on no further command is applied.
  let bound: Int
  /// The command whose events are being emitted.
  private var sequence = SequenceNumber.none
  private var time = Timestamp(nanoseconds: 0)
  private var entries: UnsafeMutablePointer<OutboxEntry>
  private var mask: Int
  /// The capacity at the start less one, to which it returns when it is empty.
  private let leastMask: Int
  /// The old buffer that the reader still uses, if the buffer was doubled since.
  private var retired: UnsafeMutablePointer<OutboxEntry>?
  private var head = 0
  private var tail = 0

  /// Creates an empty outbox that is full at `bound` events.
  init(bound: Int) {
    precondition(bound > 0)
    precondition(MemoryLayout<OutboxEntry>.offset(of: \.event) == OutboxEntry.eventOffset)
    self.bound = bound
    // Enough for `bound` events and those of the command that exceeds it.
    let capacity = (bound + 256).roundedUpToPowerOfTwo
    entries = .allocate(capacity: capacity)
    mask = capacity - 1
    leastMask = mask
  }

  deinit {
    entries.deallocate()
    retired?.deallocate()
  }

  /// Number of events in the queue.
  var count: Int { tail - head }
  /// Whether no further command may be applied now.
  var isFull: Bool { count >= bound }
  /// The command of the first event; `nil` if the queue is empty.
  var first: SequenceNumber? { head == tail ? nil : entries[head & mask].sequence }

  /// Whether the first event is the last one of its command, `sequence`.
  func isLast(of sequence: SequenceNumber) -> Bool {
    head + 1 == tail || entries[(head + 1) & mask].sequence != sequence
  }

  /// Sets the command to which the following events belong.
  mutating func begin(_ command: borrowing Command) {
    (sequence, time) = (command.sequence, command.time)
  }

  mutating func emit(_ event: Event) {
    if tail - head > mask { grow() }
    entries[tail & mask] = OutboxEntry(sequence: sequence, time: time, event: event)
    tail += 1
  }

  /// Whether the first event's command is at or before `gate`.
  func hasEvent(through gate: SequenceNumber) -> Bool {
    head != tail && entries[head & mask].sequence <= gate
  }

  /// The first event, if its command is at or before `gate`. The pointer stays valid until `drop`,
  /// even if further events are emitted.
  /// - Returns: `nil` if there is no such event.
  mutating func front(through gate: SequenceNumber) -> UnsafePointer<OutboxEntry>? {
    if retired != nil { free() }
    return hasEvent(through: gate) ? UnsafePointer(entries + (head & mask)) : nil
  }

  /// Lets `delivery` prefetch memory for the first events, at most `most` of them.
  /// - Returns: the number of events prefetched.
  func anticipate(_ most: Int, by delivery: Delivery) -> Int {
    let shown = min(most, count)
    for place in head..<(head + shown) { delivery.anticipate(event(place)) }
    return shown
  }

  /// Pointer to the event at a position.
  @inline(__always) private func event(_ place: Int) -> UnsafePointer<Event> {
    UnsafePointer(entries + (place & mask)).event
  }

  /// Removes the first event. An empty buffer restarts at its beginning, which is still in the
  /// cache, and gives back what a command with very many events needed.
  mutating func drop() {
    head += 1
    if head != tail { return }
    (head, tail) = (0, 0)
    if mask > leastMask { shrink() }
  }

  /// Returns to the first capacity.
  @inline(never) private mutating func shrink() {
    free()
    entries.deallocate()
    entries = .allocate(capacity: leastMask + 1)
    mask = leastMask
  }

  /// Removes and returns the first event, if its command is at or before `gate`.
  /// - Returns: `nil` if there is no such event.
  mutating func take(through gate: SequenceNumber) -> OutboxEntry? {
    guard let entry = front(through: gate)?.pointee else { return nil }
    drop()
    return entry
  }

  /// Doubles the buffer. The reader may still use the present memory, unless it already uses an
  /// older one.
  private mutating func grow() {
    let capacity = (mask + 1) * 2
    let larger = UnsafeMutablePointer<OutboxEntry>.allocate(capacity: capacity)
    for index in head..<tail { larger[index & (capacity - 1)] = entries[index & mask] }
    if retired == nil { retired = entries } else { entries.deallocate() }
    (entries, mask) = (larger, capacity - 1)
  }

  /// Frees the old buffer once the reader no longer uses it.
  private mutating func free() {
    retired?.deallocate()
    retired = nil
  }
}
