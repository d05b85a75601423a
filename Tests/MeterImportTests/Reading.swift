// Files in texts, for the tests.

import MarketModel
import Testing

@testable import MeterImport

/// What a file in a text gives.
struct Outcome {
  var readings: [ImportedReading] = []
  var faults: [LineFault] = []
  var report = ImportReport()

  /// Reads the file to its end.
  /// - Throws: `ImportError`.
  init(
    _ text: String, _ profile: ImportProfile = .own,
    _ change: (inout ImportOptions) -> Void = { _ in }
  ) throws {
    try self.init(bytes: Array(text.utf8), profile, change)
  }

  init(
    bytes: [UInt8], _ profile: ImportProfile, _ change: (inout ImportOptions) -> Void = { _ in }
  ) throws {
    var options = ImportOptions(profile: profile)
    change(&options)
    let file = try MeterFile(.bytes(bytes), options)
    while let item = try file.next() {
      switch item {
      case .reading(let reading): readings.append(reading)
      case .fault(let fault): faults.append(fault)
      }
    }
    report = file.report
  }

  /// Each reading as "meter start minutes produced consumed", with a mark of its quality.
  var lines: [String] {
    readings.map { reading in
      let mark = ["", "s", "~"][Int(reading.quality.rawValue)]
      return "\(reading.meter.rawValue) \(ImportReport.time(reading.start)) "
        + "\((reading.end - reading.start) / 60)m +\(reading.produced) -\(reading.consumed)\(mark)"
    }
  }

  /// Each fault with its place.
  var complaints: [String] { faults.map { ImportReport.text($0) } }
}

/// The error that ends the import of a text.
func refusal(
  _ text: String, _ profile: ImportProfile = .own,
  _ change: (inout ImportOptions) -> Void = { _ in }
) -> String {
  do {
    _ = try Outcome(text, profile, change)
    return "no error"
  } catch {
    return "\(error)"
  }
}

/// The bytes of a text, as long as the body runs.
func withBytes<Value>(_ text: String, _ body: (Bytes) throws -> Value) rethrows -> Value {
  try Array(text.utf8).withUnsafeBufferPointer(body)
}
