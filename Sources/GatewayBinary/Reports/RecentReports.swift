// Cache of the latest reports of each session, so that a short disconnection needs no read of the
// journal. Two halves:
//
//     older   [ 41 | 42 | 43 | 44 ]
//     newer   [ 45 | 46 |         ]     when full, it replaces the older half
//
// Frames are stored consecutively; their numbers are consecutive.

import MarketModel
import Wire

/// The latest reports of one session, as frames. Owned by the I/O thread.
struct RecentReports: ~Copyable {
  /// Maximum size of one half, in bytes; a half starts smaller and grows.
  static let half = 32 << 10
  private static let smallest = 1 << 10
  /// Upper bound of the length of a report or market-data message, in bytes.
  static let longestReport = 256

  private struct Half {
    var bytes = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    var used = 0
    var first: UInt64 = 0
    var count: UInt64 = 0
  }
  /// The session version of the stored reports.
  private var version: UInt64 = 0
  private var older = Half()
  private var newer = Half()

  deinit {
    older.bytes.deallocate()
    newer.bytes.deallocate()
  }

  /// Lowest report number stored of `version`; `nil` if none is.
  func first(of version: UInt64) -> UInt64? {
    if version != self.version { return nil }
    return older.count > 0 ? older.first : newer.count > 0 ? newer.first : nil
  }

  /// Forgets all reports, of whatever version.
  mutating func clear() { begin(0) }

  /// Clears the cache for a new version.
  private mutating func begin(_ version: UInt64) {
    self.version = version
    (older.used, older.count) = (0, 0)
    (newer.used, newer.count) = (0, 0)
  }

  /// Stores a report, whose number follows the last one or begins a new version.
  /// - Parameter write: Writes the frame, at most `longestReport` bytes.
  /// - Returns: the frame, valid until the next call.
  @inline(__always) mutating func append(
    _ number: UInt64, of version: UInt64, _ write: (UnsafeMutableRawPointer) -> Frame
  ) -> Frame {
    if version != self.version { begin(version) }
    if newer.used + Self.longestReport > newer.bytes.count { makeRoom(Self.longestReport) }
    if newer.count == 0 { newer.first = number }
    assert(number == newer.first + newer.count)
    guard let start = newer.bytes.baseAddress else { preconditionFailure("there is room") }
    let frame = write(start + newer.used)
    newer.used += frame.length
    newer.count += 1
    return frame
  }

  /// Calls `body` with the stored reports from number `from` to `from + count - 1`, in order.
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
      // On the first swap the other half has no memory yet.
      if newer.bytes.count < length { makeRoom(length) }
    }
  }
}

/// Recent reports of all sessions. Owned by the I/O thread.
struct RecentTable: ~Copyable {
  private var rows = DirectTable<UnsafeMutablePointer<RecentReports>?>(nil)

  deinit {
    for number in 0..<rows.count {
      rows[number]?.deinitialize(count: 1)
      rows[number]?.deallocate()
    }
  }

  /// The reports of session number `index`; created when first used.
  mutating func row(_ index: Int) -> UnsafeMutablePointer<RecentReports> {
    if let row = rows[index] { return row }
    let row = UnsafeMutablePointer<RecentReports>.allocate(capacity: 1)
    row.initialize(to: RecentReports())
    rows[index] = row
    return row
  }
}
