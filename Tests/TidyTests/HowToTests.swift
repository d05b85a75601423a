import Testing

/// The page on how to add a rule.
@Suite("How to add a rule")
struct HowToTests {
  /// The lines of a message's declaration, without descriptions, which the page shortens.
  private static func declaration(of message: String, in text: String) throws -> [String] {
    let start = try #require(text.range(of: "<sbe:message name=\"\(message)\""))
    let end = try #require(text[start.lowerBound...].range(of: "</sbe:message>"))
    return text[start.lowerBound..<end.lowerBound].split(separator: "\n").map { line in
      line.replacing(/\ *description="[^"]*"/, with: "").drop { $0 == " " }.description
    }.filter { !$0.isEmpty }
  }

  @Test("Its example is the declaration of the schema.")
  func example() throws {
    let page = try Repository.text("docs/HOW-TO-ADD-A-RULE.md")
    let schema = try Repository.text("proto/joulebook.xml")
    let shown = try Self.declaration(of: "CancelOrders", in: page)
    #expect(shown.count > 10)
    #expect(shown == (try Self.declaration(of: "CancelOrders", in: schema)))
  }
}
