import Foundation
import Testing

@Suite("joulebook people")
struct PeopleCommandTests {
  @Test("Names are set, shown, listed, imported and erased, beside the exchange's files.")
  func commands() throws {
    let folder = try TemporaryFolder()
    func people(_ words: String...) throws -> (status: Int32, output: String, errors: String) {
      let result = try Joulebook.run(["people"] + words + ["--data", folder.path])
      return (result.status, result.output, result.errors)
    }
    #expect(try people("show", "10").status == 66)
    #expect(try people("erase", "10").status == 66)
    #expect(try people("list").output.isEmpty)
    #expect(try people("set", "10", "--name", "").status == 66, "nobody is noted by nothing")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    #expect(try people("set", "10", "--name", "Müller, Anna", "--city", "Bern").status == 0)
    #expect(try people("show", "10").output == "name      Müller, Anna\ncity      Bern\n")
    #expect(try people("list").output == "10  Müller, Anna, Bern\n")
    let csv = folder.path + "/people.csv"
    try people("list", "--csv").output.write(toFile: csv, atomically: false, encoding: .utf8)
    #expect(try people("erase", "10").output == "done\n")
    #expect(try people("import", csv).output == "1 persons, 1 of them new\n")
    #expect(try people("show", "10").output.contains("Anna"))
    try "account,name\n0,A\n".write(toFile: csv, atomically: false, encoding: .utf8)
    let wrong = try people("import", csv)
    #expect(wrong.status == 65 && wrong.errors.contains("people.csv:2: account '0'"))
    #expect(try people("set", "10").status == 64)
    let none = try people("set", "0", "--name", "A")
    #expect(none.status == 64 && none.errors.contains("number of an account"), "\(none.errors)")
  }
}
