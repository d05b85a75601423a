import Foundation
import MarketModel
import People
import Testing

@Suite("Names and addresses of persons")
struct PeopleTests {
  /// A folder that is removed with the test.
  private final class Folder {
    let path = NSTemporaryDirectory() + "people-" + UUID().uuidString
    init() throws {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    deinit { unlink() }
    private func unlink() {
      do {
        try FileManager.default.removeItem(atPath: path)
      } catch {
        print("\(path) stays: \(error)")
      }
    }
  }

  private let folder: Folder
  private var path: String { folder.path + "/" + PeopleFile.name }

  init() throws { folder = try Folder() }

  private func open(isRead: Bool = false) throws -> PeopleFile {
    try #require(try PeopleFile(folder: folder.path, isRead: isRead))
  }

  private func refusal(_ body: () throws(PeopleError) -> Void) -> PeopleError? {
    do throws(PeopleError) {
      try body()
      return nil
    } catch {
      return error
    }
  }

  private let anna = AccountId(10)

  @Test("What is set is kept, changed field by field, and listed by account.")
  func keeps() throws {
    #expect(try PeopleFile(folder: folder.path, isRead: true) == nil)
    let file = try open()
    #expect(
      try file.set([
        (AccountId(12), [.name: "Schule"]), (anna, [.name: "Müller, Anna", .city: "Bern"]),
      ]) == 2)
    #expect(try file.set([(anna, [.city: "", .email: "anna@example.org"])]) == 0)
    let reader = try open(isRead: true)
    let person = Person(account: anna, values: [.name: "Müller, Anna", .email: "anna@example.org"])
    #expect(try reader.person(of: anna) == person)
    #expect(try reader.all().map(\.account.rawValue) == [10, 12])
    #expect(try reader.person(of: AccountId(11)) == nil)
  }

  @Test("Only the owner has access, and a file that others can read is refused.")
  func access() throws {
    try open().set([(anna, [.name: "Anna"])])
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    #expect(attributes[.posixPermissions] as? Int == 0o600)
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
    let found = refusal { () throws(PeopleError) in
      _ = try PeopleFile(folder: folder.path, isRead: true)
    }
    #expect(found?.description.hasSuffix("chmod 600 \(path)") == true)
  }

  @Test("What is erased or replaced leaves no byte in the file.")
  func erases() throws {
    let file = try open()
    try file.set([(anna, [.name: "Wilhelmine Sonnenschein"]), (AccountId(11), [.name: "Bert"])])
    try file.set([(AccountId(11), [.name: "Leopoldine Regenbogen"])])
    try file.set([(AccountId(11), [.name: "B"])])
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)).contains("Sonnenschein"))
    #expect(try file.erase(anna))
    #expect(try !file.erase(anna))
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    #expect(!bytes.contains("Sonnenschein") && !bytes.contains("Regenbogen"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [PeopleFile.name])
  }

  @Test("A value that cannot be kept changes nothing.")
  func values() throws {
    let file = try open()
    for (field, value, words) in [
      (Person.Field.name, "a\nb", "control character"), (.email, "anna", "no address such as"),
      (.city, String(repeating: "x", count: 201), "at most 200"),
    ] {
      let found = refusal { () throws(PeopleError) in
        try file.set([(AccountId(1), [.name: "first"]), (anna, [field: value])])
      }
      #expect(found?.kind == .value && found?.description.contains(words) == true)
    }
    #expect(try file.all().isEmpty)
  }

  @Test("A file that is no database is told in words.")
  func damage() throws {
    let text = String(repeating: "no database ", count: 100)
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    let found = refusal { () throws(PeopleError) in
      _ = try PeopleFile(folder: folder.path, isRead: false)
    }
    #expect(found?.kind == .file && found?.description.contains("is damaged") == true)
    let missing = refusal { () throws(PeopleError) in
      _ = try PeopleFile(folder: folder.path + "/none", isRead: true)
    }
    #expect(missing?.kind == .missing)
  }

  @Test("A table is read as it is written, with commas or semicolons.")
  func tables() throws {
    let people = [
      Person(account: anna, values: [.name: "Müller, \"Anna\"", .city: "Bern; Ost"]),
      Person(account: AccountId(12), values: [.name: "Schule"]),
    ]
    let rows = try PeopleTable.read(PeopleTable.text(people), name: "a.csv")
    #expect(rows.map { Person(account: $0.account, values: $0.values) } == people)
    let other = try PeopleTable.read("\u{FEFF}Name;Account\r\n\"A;B\";7\r\n\r\n", name: "a.csv")
    #expect(other.map(\.account.rawValue) == [7] && other.first?.values == [.name: "A;B"])
  }

  @Test(
    "Every fault of a table is told with its line.",
    arguments: [
      ("", "a.csv: the file is empty"), ("account,nam\n", "a.csv:1: 'nam' is no column"),
      ("name\nA\n", "there is no column account"), ("account,account\n", "stands there twice"),
      ("account,name\nx,A\n", "a.csv:2: account 'x' is no account number"),
      ("account,name\n1,A\n1,B\n", "a.csv:3: account 1 stands there twice"),
      ("account,name\n\n1\n", "a.csv:3: it has 1 cells, the first line has 2"),
      ("account,name\n1,\"A\n", "a.csv:2: a quotation mark is not closed"),
      ("account;email\n1;anna\n", "a.csv:2: email: 'anna' is no address"),
    ])
  func tableFaults(text: String, words: String) {
    let found = refusal { () throws(PeopleError) in _ = try PeopleTable.read(text, name: "a.csv") }
    #expect(found?.description.contains(words) == true, "\(String(describing: found))")
  }
}

extension Data {
  fileprivate func contains(_ text: String) -> Bool { range(of: Data(text.utf8)) != nil }
}
