import Testing

/// The page of threats and the abusers that are tried.
@Suite("Abusers")
struct AbuseTests {
  @Test("The table of docs/SECURITY.md names exactly the abusers of Tests/abuse.")
  func rows() throws {
    let page = try Repository.text("docs/SECURITY.md")
    let sections = page.components(separatedBy: "\n## ")
    let table = try #require(sections.first { $0.hasPrefix("Abusers") })
    let named = table.matches(of: /`([a-z_]+)`/).map { String($0.1) }
    let tried = try Repository.text("Tests/abuse/abusers.py")
      .matches(of: /@kind\((?:.|\n)*?\nasync def ([a-z_]+)\(/).map { String($0.1) }
    #expect(tried.count >= 25)
    #expect(Set(named) == Set(tried), "\(Set(named).symmetricDifference(tried).sorted())")
    #expect(Set(named).count == named.count)
  }
}
