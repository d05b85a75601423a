import Testing

@testable import JoulebookServer

@Suite("joulebook journal")
struct JournalToolTests {
  @Test(
    "A line to type names options and data folder as a shell needs them, from any folder.")
  func lineToType() {
    #expect(CommandLineText.serve([], data: "/srv/x-1") == "joulebook serve --data /srv/x-1")
    #expect(
      CommandLineText.serve(["--config", "a b"], data: "/my 'own' $x")
        == #"joulebook serve --config 'a b' --data '/my '\''own'\'' $x'"#)
    #expect(CommandLineText.serve([], data: "data").hasPrefix("joulebook serve --data /"))
    #expect(CommandLineText.quoted("") == "''")
  }

  @Test("A journal is exported line by line, equals itself, and differs from another one.")
  func exportAndDiff() throws {
    let folder = try TemporaryFolder()
    var folders: [String] = []
    for name in ["one", "other"] {
      let data = folder.path + "/" + name
      let server = try ServerProcess(data: data, options: ["--set", "journal.segment=64KiB"])
      if name == "one" { try Village().setUp(on: server) }
      #expect(server.stop() == 0)
      folders.append(data)
    }
    let verified = try Joulebook.run(["journal", "verify", folders[0]])
    let commands = try #require(
      verified.output.split(separator: " ", omittingEmptySubsequences: true).dropFirst().first)
    let export = try Joulebook.run(["journal", "export", folders[0]])
    let lines = export.output.split(separator: "\r\n")
    #expect(lines.first == "sequence,time,session,clientSequence,kind,command")
    #expect(lines.count == (Int(commands) ?? 0) + 1 && lines.count > 10)
    #expect(export.errors.isEmpty, "no bar where there is no terminal")
    let same = try Joulebook.run(["journal", "diff", folders[0], folders[0]])
    #expect(same.status == 0 && same.output.contains("differences  0"))
    #expect(try Joulebook.run(["journal", "diff", folders[0], folders[1]]).status == 70)
  }
}
