// The last reports of each session, so that a short loss of its connection is made good without a
// look into the journal. Two halves:
//
//     older   [ 41 | 42 | 43 | 44 ]
//     newer   [ 45 | 46 |         ]     when it is full it becomes the older one
//
// Frames stand one behind the other; numbers are consecutive.

import Wire

/// The last reports of one session, as frames. Owned by the I/O thread.
struct RecentReports: ~Copyable {
  /// Bytes of one half; a half starts small and grows to it.
  static let half = 32 << 10
  private static let smallest = 1 << 10

  private struct Half {
    var bytes = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    var used = 0
    var first: UInt64 = 0
    var count: UInt64 = 0
  }
  private var older = Half()
  private var newer = Half()

  deinit {
    older.bytes.deallocate()
    newer.bytes.deallocate()
  }

  /// Lowest number held; `nil`: none is.
  var first: UInt64? {
    older.count > 0 ? older.first : newer.count > 0 ? newer.first : nil
  }

  /// Forgets everything: a new version begins.
  mutating func clear() {
    (older.used, older.count) = (0, 0)
    (newer.used, newer.count) = (0, 0)
  }

  /// Keeps a report; its number is one above that of the last.
  mutating func append(_ report: Frame, _ number: UInt64) {
    if newer.used + report.length > newer.bytes.count { makeRoom(report.length) }
    if newer.count == 0 { newer.first = number }
    assert(number == newer.first + newer.count)
    UnsafeMutableRawBufferPointer(rebasing: newer.bytes[newer.used...]).copyMemory(
      from: report.bytes)
    newer.used += report.length
    newer.count += 1
  }

  /// Shows the reports `from` ... `from + count - 1` that are held, in order.
  func forEach(from: UInt64, count: UInt64, _ body: (Frame) -> Void) {
    Self.show(older, from, count, body)
    Self.show(newer, from, count, body)
  }

  private static func show(_ half: Half, _ from: UInt64, _ count: UInt64, _ body: (Frame) -> Void) {
    guard let base = half.bytes.baseAddress else { return }
    var (offset, number) = (0, half.first)
    while offset < half.used {
      let frame = Frame(finished: base + offset)
      if number >= from, number - from < count { body(frame) }
      offset += frame.length
      number += 1
    }
  }

  private mutating func makeRoom(_ length: Int) {
    if newer.bytes.count < Self.half {
      let larger = UnsafeMutableRawBufferPointer.allocate(
        byteCount: max(Self.smallest, newer.bytes.count * 2), alignment: 8)
      larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: newer.bytes[..<newer.used]))
      newer.bytes.deallocate()
      newer.bytes = larger
    } else {
      swap(&older, &newer)
      (newer.used, newer.count) = (0, 0)
      // The first time around the half that comes forward has no bytes yet.
      if newer.bytes.count < length { makeRoom(length) }
    }
  }
}

/// The recent reports of every session identity. Owned by the I/O thread.
struct RecentTable: ~Copyable {
  private var rows = DirectTable<UnsafeMutablePointer<RecentReports>?>(nil)

  deinit {
    for number in 0..<rows.count {
      rows[number]?.deinitialize(count: 1)
      rows[number]?.deallocate()
    }
  }

  /// The reports of session identity number `index`; made when they are asked for.
  mutating func row(_ index: Int) -> UnsafeMutablePointer<RecentReports> {
    if let row = rows[index] { return row }
    let row = UnsafeMutablePointer<RecentReports>.allocate(capacity: 1)
    row.initialize(to: RecentReports())
    rows[index] = row
    return row
  }
}
