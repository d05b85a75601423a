import Foundation
import MarketModel
import Testing
import Wire

@Suite("Errors of the command line")
struct CommandLineTests {
  @Test(
    "An output file that cannot be written is refused before the computation.",
    arguments: [
      ["demo", "--report"], ["load", "--histogram"], ["load", "--plot"],
    ])
  func files(command: [String]) throws {
    let folder = try TemporaryFolder()
    for (file, words) in [
      ("", "it names no file"), (folder.path, "is a folder"),
      (folder.path + "/none/file", "No such file or directory"),
    ] {
      let result = try Joulebook.run(command + [file])
      #expect(result.status == 64 && result.errors.contains(words), "\(result.errors)")
      #expect(result.output.isEmpty)
    }
  }

  @Test(
    "A time that 64 bits do not hold is refused.", arguments: ["2554-01-01", "99999999999-01-01"])
  func farTimes(time: String) throws {
    let result = try Joulebook.run(["admin", "tick", time])
    #expect(result.status == 64 && result.errors.contains(time), "\(result.errors)")
  }

  @Test("A key that cannot be read gives an error with the file, the reason and what to do.")
  func missingKey() throws {
    let folder = try TemporaryFolder()
    let file = folder.path + "/none.key"
    let result = try Joulebook.run(["admin", "status", "--key", file])
    #expect(result.status == 66)
    #expect(
      result.errors
        == "joulebook: \(file) cannot be read: No such file or directory; name the key with --key or --data\n"
    )
  }

  @Test("A refused rules version gives an error with the version in force or known.")
  func rules() throws {
    let folder = try TemporaryFolder()
    let server = try ServerProcess(
      data: folder.path + "/data", options: ["--set", "capacity.orders=1024"])
    let newest = RulesVersion.newest
    for (version, words) in [
      (
        "\(newest)",
        "8001 version \(newest) of the rules is in force already; this program knows versions up to "
          + "\(newest)"
      ),
      (
        "\(newest + 1)",
        "8002 the server's program knows versions of the rules up to \(newest), not \(newest + 1): "
          + "start the server with"
      ),
      (
        "1",
        "8004 version \(newest) of the rules is in force and cannot be replaced by 1; this program"
      ),
    ] {
      let result = try Joulebook.run([
        "admin", "rules", version, "--data", server.data, "--connect", "127.0.0.1:\(server.port)",
      ])
      #expect(result.status == 77, "\(result.errors)")
      #expect(result.errors.hasPrefix("joulebook: refused: " + words), "\(result.errors)")
    }
    #expect(server.stop() == 0)
  }

  @Test("The program, the newest entry of the changelog and the Python client have one version.")
  func versions() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    func line(_ start: String, of file: String) throws -> String {
      let text = try String(contentsOf: root.appendingPathComponent(file), encoding: .utf8)
      return String(try #require(text.split(separator: "\n").first { $0.hasPrefix(start) }))
    }
    let printed = try Joulebook.run(["--version"]).output
    let version = try #require(printed.split(separator: " ").first)
    #expect(printed == "\(version) (protocol schema \(WireSchema.version))\n")
    // Either "## 0.2.0" or, before the release, "## Unreleased: 0.2.0".
    let entry = try line("## ", of: "CHANGELOG.md")
    #expect(entry.split(separator: " ").last == version, "\(entry)")
    let python = try line("version = ", of: "clients/python/pyproject.toml")
    #expect(python == "version = \"\(version)\"")
  }
}
