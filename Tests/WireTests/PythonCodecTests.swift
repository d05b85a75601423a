import Foundation
import Testing
import Wire

/// Compares the Swift codecs with an independent SBE implementation.
@Suite struct PythonCodecTests {
  @Test("Every message has the same bytes in Swift and in PyPI sbe, both ways.")
  func everyMessageAgrees() throws {
    let python = try Repository.python()
    let frames = FileManager.default.temporaryDirectory
      .appendingPathComponent("swift-frames-\(UUID().uuidString).txt")
    defer { try? FileManager.default.removeItem(at: frames) }
    let lines = SwiftFrames.all.map { "\($0.message) \($0.variant) \($0.frame.hex)\n" }
    try Data(lines.joined().utf8).write(to: frames)

    let result = try Repository.run(
      python,
      [
        Repository.path("Tests/python/compare_codecs.py"), Repository.path("proto/joulebook.xml"),
        Repository.path("proto/vectors/joulebook.json"), frames.path,
      ])
    #expect(result.status == 0, "\(result.output)")
    #expect(result.output.contains("\(Template.allCases.count) messages"))
  }

  @Test("A Python that differs is noticed.")
  func aDifferenceIsNoticed() throws {
    let python = try Repository.python()
    let frames = FileManager.default.temporaryDirectory
      .appendingPathComponent("swift-frames-\(UUID().uuidString).txt")
    defer { try? FileManager.default.removeItem(at: frames) }
    let lines = SwiftFrames.all.map { message, variant, frame in
      var bytes = frame
      if message == "Trade" { bytes[bytes.count - 5] ^= 1 }
      return "\(message) \(variant) \(bytes.hex)\n"
    }
    try Data(lines.joined().utf8).write(to: frames)

    let result = try Repository.run(
      python,
      [
        Repository.path("Tests/python/compare_codecs.py"), Repository.path("proto/joulebook.xml"),
        Repository.path("proto/vectors/joulebook.json"), frames.path,
      ])
    #expect(result.status == 1)
    #expect(result.output.contains("Trade values"))
  }

  @Test(
    "The Python client sends what the schema declares for a value of a list that is left out, or says that it lacks."
  )
  func leftOut() throws {
    let result = try Repository.run(
      try Repository.python(), [Repository.path("Tests/python/left_out.py")])
    #expect(result.status == 0 && result.output.contains("ok"), "\(result.output)")
  }
}
