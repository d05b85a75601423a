import Foundation
import MarketModel
import Testing

@Suite("The page of the examples", .serialized)
struct PageTests {
  private static let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

  /// The commands of a section, and what the page says that they print.
  private func commands(of section: String) throws -> (shell: String, output: String) {
    let page = try String(contentsOfFile: Self.root + "/Examples/README.md", encoding: .utf8)
    let text = try #require(page.components(separatedBy: "\n## \(section)\n").dropFirst().first)
    let blocks = try #require(text.components(separatedBy: "\n## ").first)
      .components(separatedBy: "\n```")
    let shell = try #require(blocks.firstIndex { $0.hasPrefix("sh\n") })
    try #require(blocks.count > shell + 2 && blocks[shell + 2].hasPrefix("\n"))
    return (String(blocks[shell].dropFirst(3)), String(blocks[shell + 2].dropFirst()) + "\n")
  }

  /// Runs the commands of a section as a reader pastes them, but with the programs of this build.
  private func run(
    _ section: String, replacing ports: [String: String] = [:]
  ) throws -> (status: Int32, text: String, said: String) {
    let (shell, said) = try commands(of: section)
    let setting = "export PATH=$PWD/.build/debug:$PATH; "
    try #require(shell.hasPrefix(setting))
    var lines = String(shell.dropFirst(setting.count))
    for (port, free) in ports { lines = lines.replacingOccurrences(of: port, with: free) }
    let path = "set -euo pipefail; export PATH=\(Program.folder):$PATH\n"
    let result = try Program.run("bash", ["-c", path + lines], path: "/bin", in: Self.root)
    return (result.status, result.text, said)
  }

  @Test("The market in one process prints what the page shows.")
  func inProcessMarket() throws {
    let result = try run("InProcessMarket")
    #expect(result.status == 0 && result.text == result.said, "\(result.text)")
  }

  @Test("The bot begins and ends as the page shows.")
  func bot() throws {
    // A port that was free a moment ago.
    let folder = try TemporaryFolder()
    let server = try TextServer(folder, users: [])
    let port = "\(server.binaryPort)"
    #expect(server.stop() == 0)
    let result = try run("Bot", replacing: ["9100": port])
    #expect(result.status == 0 && result.text == result.said, "\(result.text)")
  }

  @Test("The journal of a demonstration is settled into a file, once, which hledger accepts.")
  func ownLedger() throws {
    let folder = try TemporaryFolder()
    let (status, text, said) = try run("OwnLedger", replacing: ["$(mktemp -d)": folder.path])
    #expect(status == 0, "\(text)")
    // Times decide how many batches there are: of the page only the words are compared. On a slow
    // machine the demonstration says its progress.
    func words(_ text: String) -> String {
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      return lines.filter { !$0.hasSuffix(" intervals") }.joined(separator: "\n")
        .filter { !$0.isNumber }
    }
    #expect(words(text) == words(said), "\(text)")
    try damages(folder.path + "/village.journal", data: folder.path + "/village")
    try balances(folder.path + "/village.journal", data: folder.path + "/village")
  }

  /// What was cut in the middle of a batch is settled again; what was changed is found.
  private func damages(_ file: String, data: String) throws {
    func settle() throws -> (status: Int32, text: String) {
      try Program.run("own-ledger", ["--data", data, "--ledger", file])
    }
    let whole = try #require(FileManager.default.contents(atPath: file))
    for cut in [1, 100, 100_000] {
      try whole.dropLast(cut).write(to: URL(fileURLWithPath: file))
      let again = try settle()
      #expect(again.status == 0 && again.text.contains("were cut off"), "\(again)")
      #expect(try #require(FileManager.default.contents(atPath: file)) == whole)
    }
    var changed = whole
    let place = try #require(changed.firstRange(of: Data("  -50.00 ".utf8))?.lowerBound)
    changed[place + 3] = UInt8(ascii: "6")
    try changed.write(to: URL(fileURLWithPath: file))
    let found = try settle()
    #expect(found.status != 0 && found.text.contains("batch 1 "), "\(found)")
    try whole.write(to: URL(fileURLWithPath: file))
  }

  /// hledger, where it is installed, finds every transaction balanced, and the balance of each
  /// account that the exchange's own ledger has.
  private func balances(_ file: String, data: String) throws {
    guard FileManager.default.isExecutableFile(atPath: "/usr/bin/hledger") else { return }
    func hledger(_ arguments: String...) throws -> String {
      let result = try Program.run("hledger", ["-f", file] + arguments, path: "/usr/bin")
      #expect(result.status == 0, "\(result)")
      return result.text
    }
    #expect(try hledger("check").isEmpty)
    let ours = try Program.run(
      "joulebook", ["ledger", "balances", "--data", data, "--account", "1"])
    let row = try #require(ours.text.split(separator: "\n").first { $0.hasPrefix("1 ") })
      .split(separator: " ").map(String.init)
    let theirs = try hledger("balance", "-N", "--flat", "accounts:1$", "cur:\(row[1])")
    let amount = row[2] + String(repeating: "0", count: 8 - row[2].drop { $0 != "." }.count + 1)
    #expect(theirs.contains("\(amount) \(row[1])"), "\(theirs) \(row)")
  }
}
