import Testing

@Suite("Switches list the cases that they handle")
struct IgnoredCasesTests {
  @Test("No switch lists more than four cases to do nothing.")
  func ignoredCases() throws {
    for folder in ["Sources", "Tests"] {
      for (path, text) in try Repository.files(folder, ".swift")
      where !path.contains(".generated.") {
        let found = Rules.ignoredCases(text, limit: 4)
        #expect(found.isEmpty, "\(folder)/\(path): \(found)")
      }
    }
  }

  @Test("The hash of the events names every event: a new one cannot be forgotten.")
  func eventHashHasNoDefault() throws {
    let hashes = try Repository.files("Sources/ExchangeCore", ".swift").filter {
      $0.path.split(separator: "/").last == "EventHash.swift"
    }
    #expect(hashes.count == 1)
    for (path, text) in hashes {
      let found = Rules.defaults(text)
      #expect(found.isEmpty, "\(path): \(found)")
    }
  }

  @Test("Lists of ignored cases are found in every form, and others pass.")
  func rulesCanFail() {
    let bodies = ["break", "return", "return nil", "return false", "continue"]
    for body in bodies {
      let list = "switch a {\ncase .a, .b(let x), .c, .d, .e: \(body)\n}"
      #expect(Rules.ignoredCases(list, limit: 4) == ["line 2: 5 cases and only \(body)"])
      #expect(Rules.ignoredCases(list, limit: 5).isEmpty)
    }
    let long = """
      switch a {
      case .used: f()
      case .a, .b(_, _),
        .c, .d,  // not yet
        .e:
        // Nothing to do.
        break
      case .other: g()
      }
      """
    #expect(Rules.ignoredCases(long, limit: 4) == ["line 3: 5 cases and only break"])
    let fine = """
      enum Kind {
        case a, b, c(x: Int), d, e
        case f
      }
      switch a {
      case .a(let x, let y, let z, let u, let v): break
      case .a, .b, .c, .d, .e: f()
      case .f, .g, .h, .i, .j:
        guard x else { break }
        f()
      }
      """
    #expect(Rules.ignoredCases(fine, limit: 4).isEmpty)
    #expect(Rules.defaults("switch a {\n  default: break  // default:\n}") == ["line 2: default"])
    #expect(Rules.defaults("let a = f(default: 1)\n// default: 2").isEmpty)
  }
}
