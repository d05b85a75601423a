// A file of meter readings, from bytes to readings, in memory that does not grow with its lines but by
// the four bytes that `Coverage` keeps of each interval.
//
//     bytes ─▶ lines ─▶ cells ─▶ times and values ─▶ readings and faults ─▶ next()

import Glibc
import MarketModel

/// Reads a file. Owned by one thread.
public final class MeterFile {
  /// Where the bytes come from.
  public enum Input: Sendable {
    /// A file. It may be read twice.
    case path(String)
    /// Standard input.
    case standardInput
    /// Bytes in memory.
    case bytes([UInt8])
  }

  private let sink: ReadingSink
  private var reader: LineReader
  /// The parser of the profile; the other one is `nil`.
  private var (columns, records): (ColumnParser?, NEM12Parser?)
  private var isAtEnd = false
  private let isReadOnce: Bool

  /// Opens a file. A file whose lines have one register of several is read once to know the registers
  /// of each meter.
  /// - Throws: `.missing`, `.io`; `.content` when the file is none of the profile; `.option` when an
  ///   option does not fit it.
  public init(_ input: Input, _ options: ImportOptions) throws(ImportError) {
    sink = try ReadingSink(options)
    if case .standardInput = input { isReadOnce = true } else { isReadOnce = false }
    if options.profile == .nem12, isReadOnce {
      throw ImportError(.option, "a file of NEM12 is read twice: give its name instead of -")
    }
    if !isReadOnce {
      var first = LineReader(try Self.open(input))
      try Self.scan(&first, sink)
    }
    reader = LineReader(try Self.open(input))
    columns = options.profile == .nem12 ? nil : ColumnParser(sink)
    records = options.profile == .nem12 ? NEM12Parser(sink) : nil
  }

  /// Bytes that were read so far.
  public var bytesRead: UInt64 { reader.consumed }

  /// What was found; complete when `next` has returned `nil`.
  public var report: ImportReport { sink.report }

  /// The next reading or fault, in the order of the file.
  /// - Returns: `nil` at the end.
  /// - Throws: `.io`; `.content` when the rest cannot be read.
  public func next() throws(ImportError) -> ImportItem? {
    while true {
      if let item = sink.pop() { return item }
      if isAtEnd { return nil }
      try step()
    }
  }

  /// Takes a line, or the end.
  private func step() throws(ImportError) {
    guard let line = try reader.next() else {
      isAtEnd = true
      try columns?.end()
      try records?.end()
      sink.report.lines = reader.number
      return try sink.end()
    }
    let number = reader.number
    try columns?.take(line, number: number)
    try records?.take(line, number: number)
    if isReadOnce, columns?.hasRegisterOfLine == true {
      throw ImportError(
        .option, "a file with a register in each line is read twice: give its name instead of -")
    }
  }

  /// Notes the registers of each meter.
  private static func scan(
    _ reader: inout LineReader, _ sink: ReadingSink
  ) throws(ImportError) {
    if sink.options.profile == .nem12 {
      var records = NEM12Parser(sink, isScan: true)
      while let line = try reader.next() { try records.take(line, number: reader.number) }
      return
    }
    guard sink.options.profile == .german else { return }
    var columns = ColumnParser(sink, isScan: true)
    while columns.hasRegisterOfLine != false, let line = try reader.next() {
      try columns.take(line, number: reader.number)
    }
    sink.chooseRegisters()
  }

  // MARK: Bytes

  /// Closes its descriptor with the last reference.
  private final class Descriptor: Sendable {
    let number: Int32
    init(_ number: Int32) { self.number = number }
    deinit { if number != STDIN_FILENO { close(number) } }
  }

  private static func open(_ input: Input) throws(ImportError) -> LineReader.Source {
    switch input {
    case .bytes(let bytes):
      var at = 0
      return { buffer in
        let count = min(buffer.count, bytes.count - at)
        buffer.copyBytes(from: bytes[at..<at + count])
        at += count
        return count
      }
    case .standardInput: return source(Descriptor(STDIN_FILENO), "standard input")
    case .path(let path):
      let number = Glibc.open(path, O_RDONLY | O_CLOEXEC)
      guard number >= 0 else {
        throw ImportError(
          errno == ENOENT ? .missing : .io,
          "\(path) cannot be read: \(String(cString: strerror(errno)))"
        )
      }
      return source(Descriptor(number), path)
    }
  }

  private static func source(_ descriptor: Descriptor, _ name: String) -> LineReader.Source {
    { (buffer) throws(ImportError) in
      while true {
        let count = read(descriptor.number, buffer.baseAddress, buffer.count)
        if count >= 0 { return count }
        if errno != EINTR {
          throw ImportError(
            .io, "\(name) cannot be read: \(String(cString: strerror(errno)))")
        }
      }
    }
  }
}
