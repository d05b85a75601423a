// The schedule: entries of (time, kind, number), the earliest first. Before each command the
// entries that are due at its time are applied in this order, so a replay of the commands applies
// them at the same points.
//
//     heap      | 3 | 9 | 4 | ...     handles, a binary heap; index 0 is unused
//     entries   handle -> time, rank, index in the heap, so that any entry can be removed
//
// The handle of an entry is the base of its kind plus its subject. The subject of an expiry is the
// order's slot, that of a parameter the row of the change. Kinds with few subjects have the lowest
// handles, so that an image, which contains the entries up to the highest handle in use, is short.

import MarketModel

/// The kinds of scheduled entries. Entries of equal time are applied in the order of their kinds.
enum DueKind: UInt8, CaseIterable {
  /// Cancels a good-till-time order. The subject is the order's slot, the number is its arrival.
  case expiry = 0
  /// A changed parameter takes effect. The subject is its row, the number counts these changes.
  case parameter = 6

  /// The highest subject of this kind.
  func subjects(_ capacity: Capacity) -> UInt32 {
    switch self {
    case .expiry: capacity.orders
    case .parameter: Limit.pendingParameters
    }
  }
}

/// An entry of the schedule.
struct ScheduleEntry: BitwiseCopyable {
  /// The time at which it is due, ns since 1970.
  fileprivate(set) var time: UInt64
  /// Order among entries of equal time: the kind in the highest byte, then the entry's number.
  fileprivate(set) var rank: UInt64
  /// Its index in the heap.
  fileprivate(set) var place: UInt32
}

/// A priority queue of scheduled entries. Insertion and removal take logarithmic time. Owned by the
/// exchange's thread.
struct Schedule: ~Copyable {
  private let heap: Table<UInt32>
  /// Entries by handle; rows of unused handles are never written.
  private let entries: Table<ScheduleEntry>
  /// The base handle of each kind, by its raw value.
  private let bases: InlineArray<7, UInt32>
  /// Number of entries.
  private(set) var count: UInt32 = 0

  init(capacity: Capacity) {
    var bases = InlineArray<7, UInt32>(repeating: 0)
    var handles: UInt32 = 0
    for kind in [DueKind.parameter, .expiry] {
      bases[Int(kind.rawValue)] = handles
      handles += kind.subjects(capacity)
    }
    self.bases = bases
    heap = Table(capacity: Int(handles) + 1)
    entries = Table(capacity: Int(handles) + 1)
  }

  /// The time of the earliest entry, ns since 1970.
  /// - Precondition: the schedule is not empty.
  var firstTime: UInt64 { entries[heap[1]].time }

  /// The earliest entry if it is due at `now` (ns since 1970) or before; otherwise `nil`.
  func due(_ now: UInt64) -> (kind: DueKind, subject: UInt32)? {
    if count == 0 || firstTime > now { return nil }
    let handle = heap[1]
    guard let kind = DueKind(rawValue: UInt8(truncatingIfNeeded: entries[handle].rank >> 56)) else {
      preconditionFailure("an entry of a kind that there is")
    }
    return (kind, handle - base(kind))
  }

  /// The time of the entry of a subject, ns since 1970.
  /// - Precondition: the entry is in the schedule.
  func time(_ kind: DueKind, _ subject: UInt32) -> UInt64 { entries[base(kind) + subject].time }

  /// Adds an entry, which must not be in the schedule.
  /// - Parameter number: Order among entries of equal time and kind; below 2^56.
  mutating func insert(_ kind: DueKind, _ subject: UInt32, at time: UInt64, number: UInt64) {
    let handle = base(kind) + subject
    entries[handle].time = time
    entries[handle].rank = UInt64(kind.rawValue) << 56 | number
    count += 1
    invariant(
      Int(count) < heap.capacity && number >> 56 == 0,
      "there are at most as many entries as handles, and the number is below 2^56")
    put(handle, at: count)
    siftUp(count)
    invariant(heap[entries[handle].place] == handle, "an entry has its index in the heap")
    invariant(firstTime <= time, "the first entry is the earliest")
  }

  /// Removes the entry of a subject, which must be in the schedule.
  mutating func remove(_ kind: DueKind, _ subject: UInt32) {
    let handle = base(kind) + subject
    let place = entries[handle].place
    invariant(count > 0 && place <= count && heap[place] == handle, "the entry is in the schedule")
    let last = heap[count]
    invariant(entries[last].place == count, "an entry has its index in the heap")
    count -= 1
    if place > count { return }
    put(last, at: place)
    siftUp(place)
    siftDown(entries[last].place)
    invariant(heap[entries[last].place] == last, "the moved entry has its index in the heap")
  }

  private func base(_ kind: DueKind) -> UInt32 { bases[Int(kind.rawValue)] }

  private func put(_ handle: UInt32, at place: UInt32) {
    heap[place] = handle
    entries[handle].place = place
  }

  private func isBefore(_ a: UInt32, _ b: UInt32) -> Bool {
    (entries[a].time, entries[a].rank) < (entries[b].time, entries[b].rank)
  }

  private func siftUp(_ start: UInt32) {
    var place = start
    let handle = heap[place]
    while place > 1, isBefore(handle, heap[place / 2]) {
      put(heap[place / 2], at: place)
      place /= 2
    }
    invariant(place >= 1 && place <= start, "the index falls while an entry moves up")
    put(handle, at: place)
  }

  private func siftDown(_ start: UInt32) {
    var place = start
    let handle = heap[place]
    while place * 2 <= count {
      var child = place * 2
      if child < count, isBefore(heap[child + 1], heap[child]) { child += 1 }
      if !isBefore(heap[child], handle) { break }
      put(heap[child], at: place)
      place = child
    }
    invariant(place >= start && place <= count, "the index rises while an entry moves down")
    put(handle, at: place)
  }
}

// MARK: - Its image and invariants

extension Schedule {
  /// Adds the row type of the schedule's image.
  static func add(to layout: inout StateLayout) { layout.add(ScheduleEntry.self) }

  /// Writes the count, the heap and the entries up to the highest handle in use.
  func write(to sink: any StateSink) {
    sink.put(count)
    heap.write(to: sink, used: Int(count) + 1)
    var highest: UInt32 = 0
    for place in stride(from: 1, through: count, by: 1) { highest = max(highest, heap[place]) }
    entries.write(to: sink, used: Int(highest) + 1)
  }

  /// Reads what `write` wrote.
  mutating func read(from source: any StateSource) {
    count = source.get(UInt32.self)
    heap.read(from: source)
    entries.read(from: source)
  }

  /// Appends a sentence for each entry that is out of order.
  func check(_ violations: inout [String]) {
    for place in stride(from: 1, through: count, by: 1) {
      if entries[heap[place]].place != place
        || (place > 1 && isBefore(heap[place], heap[place / 2]))
      {
        violations.append("schedule: the entry in place \(place) is out of order")
      }
    }
  }
}
