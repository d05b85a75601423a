// Lines of a file of any length, in a fixed amount of memory.
//
//     [ consumed | line \n line \n beginning of a line | free ]
//                ^ begin                               ^ end

import Glibc

/// Bytes of a line or of a cell. They are valid until the next line is read.
typealias Bytes = UnsafeBufferPointer<UInt8>

/// Reads lines. Owned by one thread.
struct LineReader: ~Copyable {
  /// Longest line, in bytes.
  static let longest = 1 << 20

  /// Reads up to the size of a buffer. Returns the number of bytes; 0 at the end.
  typealias Source = (UnsafeMutableRawBufferPointer) throws(ImportError) -> Int

  private let buffer = UnsafeMutablePointer<UInt8>.allocate(capacity: LineReader.longest)
  private var (begin, end) = (0, 0)
  private var isAtEnd = false
  private let source: Source
  /// Number of the last line, from 1.
  private(set) var number = 0
  /// Bytes of all lines so far.
  private(set) var consumed: UInt64 = 0

  init(_ source: @escaping Source) { self.source = source }

  deinit { buffer.deallocate() }

  /// The next line, without its end (LF or CR LF); the last one need not have an end.
  /// - Returns: `nil` at the end of the file.
  /// - Throws: `.io`; `.content` when a line is too long, or the file is no text.
  mutating func next() throws(ImportError) -> Bytes? {
    var scanned = begin
    while true {
      if let found = memchr(buffer + scanned, 0x0A, end - scanned) {
        let at = UnsafeMutablePointer(found.assumingMemoryBound(to: UInt8.self)) - buffer
        return try line(upTo: at, next: at + 1)
      }
      if isAtEnd { return begin < end ? try line(upTo: end, next: end) : nil }
      scanned = end - begin
      try fill()
    }
  }

  private mutating func line(upTo last: Int, next: Int) throws(ImportError) -> Bytes {
    var line = Bytes(start: buffer + begin, count: last - begin)
    consumed += UInt64(next - begin)
    begin = next
    number += 1
    if line.last == 0x0D { line = Bytes(rebasing: line.dropLast()) }
    if number == 1 {
      if let words = Self.otherKind(line) { throw ImportError(.content, words) }
      if line.starts(with: [0xEF, 0xBB, 0xBF]) { line = Bytes(rebasing: line.dropFirst(3)) }
    }
    return line
  }

  /// Moves the beginning of a line to the front, and reads behind it.
  private mutating func fill() throws(ImportError) {
    if begin > 0 {
      memmove(buffer, buffer + begin, end - begin)
      (begin, end) = (0, end - begin)
    }
    guard end < Self.longest else {
      throw ImportError(
        .content,
        "line \(number + 1) is longer than \(Self.longest) bytes: this is no file of meter readings"
      )
    }
    let count = try source(
      UnsafeMutableRawBufferPointer(start: buffer + end, count: Self.longest - end))
    if count == 0 { isAtEnd = true }
    end += count
  }

  /// What a file is that begins with these bytes and is no text; `nil` when it may be one.
  private static func otherKind(_ line: Bytes) -> String? {
    if line.starts(with: [0x1F, 0x8B]) {
      return "the file is compressed; unpack it: zcat FILE | joulebook import - ..."
    }
    if line.starts(with: [0x50, 0x4B, 0x03, 0x04]) || line.starts(with: [0xD0, 0xCF, 0x11, 0xE0]) {
      return "the file is a workbook, not text; save its sheet as CSV"
    }
    if line.starts(with: [0xFF, 0xFE]) || line.starts(with: [0xFE, 0xFF]) || line.contains(0) {
      return "the file is in UTF-16 or no text; save it as CSV in UTF-8"
    }
    return nil
  }
}
