// The file of lines that could not be sent, or were rejected: CSV, a line for each.

import Foundation
import JoulebookClient
import MarketModel
import MeterImport

/// Writes the file. Owned by one thread.
final class RejectedList {
  private static let columns = [
    "line", "meter", "start", "end", "produced", "consumed", "code", "name", "limit", "cure",
    "quarantine",
  ]
  private static let bufferBytes = 1 << 16

  private let path: String
  private let file: FileHandle
  private var buffer = Data()

  /// Creates the file, or empties it.
  /// - Throws: An exit code, after printing the error on standard error.
  init(_ path: String) throws {
    self.path = path
    guard FileManager.default.createFile(atPath: path, contents: nil),
      let file = FileHandle(forWritingAtPath: path)
    else { throw Failure.io.exit("\(path) cannot be written: \(String(cString: strerror(errno)))") }
    self.file = file
    buffer.append(Data((Self.columns.joined(separator: ",") + "\r\n").utf8))
  }

  /// Adds what cannot be sent.
  /// - Throws: `.io`.
  func add(_ fault: LineFault) throws(ImportError) {
    let code: RejectCode? =
      switch fault.kind {
      case .negative: .negativeReading
      case .overlapping, .contradicting: .overlappingInterval
      case .unknownMeter: .unknownMeter
      case .tooLong: .intervalTooLong
      case .unreadable, .registerBack, .incomplete, .estimated: nil
      }
    try add(
      fault.line, fault.meter, fault.reading,
      [
        code.map { "\($0.rawValue)" } ?? "", code?.entry?.name ?? fault.kind.rawValue, "",
        fault.text, "",
      ])
  }

  /// Adds a reading that the exchange rejected.
  /// - Parameter quarantine: Its number there; `nil`: it is not kept.
  /// - Throws: `.io`.
  func add(
    _ reading: ImportedReading, _ rejection: Rejection, quarantine: UInt64?
  ) throws(ImportError) {
    let entry = rejection.code.entry
    let limit = entry.flatMap { LimitText.text($0.limit, rejection.limit) } ?? ""
    try add(
      reading.line, "\(reading.meter.rawValue)", reading,
      [
        "\(rejection.code.rawValue)", entry?.name ?? "", limit, entry?.action ?? "",
        quarantine.map { "\($0)" } ?? "",
      ])
  }

  /// Writes what is left.
  /// - Throws: `.io`.
  func close() throws(ImportError) { try flush() }

  private func add(
    _ line: Int, _ meter: String, _ reading: ImportedReading?, _ rest: [String]
  ) throws(ImportError) {
    let values =
      reading.map { reading in
        let message = reading.message(revision: 0)
        return [
          message.intervalStart.iso8601, message.intervalEnd.iso8601, "\(reading.produced)",
          "\(reading.consumed)",
        ]
      } ?? ["", "", "", ""]
    let cells = (["\(line)", meter] + values + rest).map(Self.quoted)
    buffer.append(Data((cells.joined(separator: ",") + "\r\n").utf8))
    if buffer.count >= Self.bufferBytes { try flush() }
  }

  private func flush() throws(ImportError) {
    do {
      try file.write(contentsOf: buffer)
      buffer.removeAll(keepingCapacity: true)
    } catch {
      throw ImportError(.io, "\(path) cannot be written: \(error.localizedDescription)")
    }
  }

  private static func quoted(_ text: String) -> String {
    guard text.contains(where: { ",;\"\n\r".contains($0) }) else { return text }
    return "\"" + text.replacing("\"", with: "\"\"") + "\""
  }
}
