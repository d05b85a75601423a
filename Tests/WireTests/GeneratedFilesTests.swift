import Foundation
import MarketModel
import Testing
import Wire

@Suite struct GeneratedFilesTests {
  @Test("Reject codes are unique, in order, and each says what to do.")
  func rejectCodes() {
    let codes = RejectCode.all.map(\.code.rawValue)
    #expect(codes == Array(Set(codes)).sorted())
    #expect(RejectCode.all.allSatisfy { !$0.meaning.isEmpty && !$0.action.isEmpty })
    #expect(Set(RejectCode.all.map(\.name)).count == codes.count)
  }

  @Test("The reference page has every message with its frame's size, and every reject code.")
  func pages() throws {
    let reference = try String(
      contentsOfFile: Repository.path("docs/protocol-reference.md"), encoding: .utf8)
    for template in Template.allCases {
      let line = reference.split(separator: "\n").first {
        $0.hasPrefix("Template \(template.rawValue), ")
      }
      let words = try #require(line, "\(template)").split(separator: " ")
      let place = try #require(words.firstIndex(of: "block"), "\(template)")
      let block = try #require(Int(words[place + 1].dropLast()), "\(template)")
      // Older senders write no appended fields.
      #expect(block >= template.leastBlockLength && words[place + 2] == "frame", "\(template)")
    }
    let codes = try String(contentsOfFile: Repository.path("docs/reject-codes.md"), encoding: .utf8)
    for entry in RejectCode.all {
      #expect(codes.contains("| \(entry.code.rawValue) | \(entry.name) |"), "\(entry.name)")
    }
  }
}
