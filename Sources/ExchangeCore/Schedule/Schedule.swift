// All that time does: entries of (time, kind, number), the soonest first. Before each command what is due by its time
// is done, in this order, so that a replay of the commands does it again.
//
//     heap   | 3 | 9 | 4 | ...        handles, a binary heap; place 0 is unused
//     rows   handle -> time, rank, place in the heap: what leaves before it is due leaves at once
//
// The handle of an entry follows from its kind and subject: order slots for expiries, and for each kind to come its own
// numbers behind those of the kinds before it.

import MarketModel

/// What happens at a time. Entries of one time are done by kind, in this order.
enum DueKind: UInt8, CaseIterable {
  /// A good-till-time order is cancelled; its subject is the order's slot, its number the order's arrival.
  case expiry = 0

  /// Most subjects of this kind.
  func subjects(_ capacity: Capacity) -> UInt32 {
    switch self {
    case .expiry: capacity.orders
    }
  }
}

/// An entry, by its handle.
struct ScheduleEntry: BitwiseCopyable {
  /// When it is due, ns since 1970.
  fileprivate(set) var time: UInt64
  /// Order among entries of one time: the kind in the highest byte, then the entry's number.
  fileprivate(set) var rank: UInt64
  /// Where it is in the heap.
  fileprivate(set) var place: UInt32
}

/// What is due when. Insertion and removal take logarithmic time. Owned by the exchange's thread.
struct Schedule: ~Copyable {
  private let heap: Table<UInt32>
  /// By handle; only those of entries are ever touched.
  private let entries: Table<ScheduleEntry>
  /// The last handle before those of each kind.
  private let bases: InlineArray<1, UInt32>
  /// How many entries there are.
  private(set) var count: UInt32 = 0

  init(capacity: Capacity) {
    var bases = InlineArray<1, UInt32>(repeating: 0)
    var handles: UInt32 = 0
    for kind in DueKind.allCases {
      bases[Int(kind.rawValue)] = handles
      handles += kind.subjects(capacity)
    }
    self.bases = bases
    heap = Table(capacity: Int(handles) + 1)
    entries = Table(capacity: Int(handles) + 1)
  }

  /// When the first entry is due; there must be one.
  var firstTime: UInt64 { entries[heap[1]].time }

  /// The first entry that is due at `now` or before; `nil` when none is.
  func due(_ now: UInt64) -> (kind: DueKind, subject: UInt32)? {
    if count == 0 || firstTime > now { return nil }
    let handle = heap[1]
    guard let kind = DueKind(rawValue: UInt8(truncatingIfNeeded: entries[handle].rank >> 56)) else {
      preconditionFailure("an entry of a kind that there is")
    }
    return (kind, handle - base(kind))
  }

  /// When the entry of a subject is due; it must be in the schedule.
  func time(_ kind: DueKind, _ subject: UInt32) -> UInt64 { entries[base(kind) + subject].time }

  /// Adds an entry, which must not be in the schedule.
  /// - Parameter number: Order among entries of one time and kind; below 2^56.
  mutating func insert(_ kind: DueKind, _ subject: UInt32, at time: UInt64, number: UInt64) {
    let handle = base(kind) + subject
    entries[handle].time = time
    entries[handle].rank = UInt64(kind.rawValue) << 56 | number
    count += 1
    invariant(Int(count) < heap.capacity && number >> 56 == 0, "no more entries than subjects")
    put(handle, at: count)
    siftUp(count)
    invariant(heap[entries[handle].place] == handle, "an entry knows its place in the heap")
    invariant(firstTime <= time, "nothing is due before the first")
  }

  /// Removes the entry of a subject, which must be in the schedule.
  mutating func remove(_ kind: DueKind, _ subject: UInt32) {
    let handle = base(kind) + subject
    let place = entries[handle].place
    invariant(count > 0 && place <= count && heap[place] == handle, "an entry of the schedule")
    let last = heap[count]
    invariant(entries[last].place == count, "an entry knows its place in the heap")
    count -= 1
    if place > count { return }
    put(last, at: place)
    siftUp(place)
    siftDown(entries[last].place)
    invariant(heap[entries[last].place] == last, "the last knows its new place")
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
    invariant(place >= 1 && place <= start, "no entry sinks by rising")
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
    invariant(place >= start && place <= count, "no entry rises by sinking")
    put(handle, at: place)
  }
}

// MARK: - Its image and invariants

extension Schedule {
  /// What rows its image holds.
  static func add(to layout: inout StateLayout) { layout.add(ScheduleEntry.self) }

  /// Writes entries, as many as there are.
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

  /// Adds a sentence for every entry that is out of its place.
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
