import Foundation
import JoulebookServer
import MarketFile
import MarketModel
import Testing

@Suite("A server makes the market of a file")
struct MarketFileServerTests {
  private let folder: TemporaryFolder
  private var data: String { folder.path + "/data" }
  private var file: String { folder.path + "/village.yaml" }

  init() throws {
    folder = try TemporaryFolder()
    let example = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../Examples/village.yaml")
    try Data(contentsOf: example).write(to: URL(fileURLWithPath: file))
  }

  private func configuration(_ yaml: String? = nil) throws -> Configuration {
    if let yaml { try yaml.write(toFile: file, atomically: false, encoding: .utf8) }
    var configuration = Configuration()
    (configuration.dataFolder, configuration.port) = (data, 0)
    configuration.capacity.orders = 1024
    configuration.logLevel = .error
    configuration.marketFile = try MarketDescription(file: file)
    return configuration
  }

  /// Starts a server with the file and stops it.
  private func serve(_ yaml: String? = nil) throws {
    try ServerHost(try configuration(yaml)).stop()
  }

  /// The text of the error with which a start with the file ends.
  private func refusal(_ yaml: String) throws -> String {
    let asked = try configuration(yaml)
    do throws(StartError) {
      try ServerHost(asked).stop()
      return ""
    } catch {
      return error.description
    }
  }

  @Test("The example is made once, compares equal, and its export is the same market.")
  func twice() throws {
    #expect(MarketTrial.faults(try MarketDescription(file: file)).isEmpty)
    let before = try Joulebook.run(["market", "check", file])
    #expect(before.status == 0 && before.output.contains("no fault"), "\(before.errors)")
    try serve()
    let first = try StoredMarket(DataFolder(data))
    #expect(first.plan(try MarketDescription(file: file)).isDone)
    let text = first.description.yaml
    try serve()
    let second = try StoredMarket(DataFolder(data))
    #expect(second.description.yaml == text)
    #expect(second.plan(try MarketDescription(file: file)).isDone)
    #expect(text.contains("11XVILLAGE") && text.contains("sell-above: 5kWh"))
    let balances = try Joulebook.run(["ledger", "balances", "--data", data])
    #expect(balances.output.contains("250.50") && !balances.output.contains("501.00"))
    let difference = try Joulebook.run(["market", "diff", file, "--data", data])
    #expect(difference.status == 0, "\(difference.output)")
    let export = try Joulebook.run(["market", "export", "--data", data])
    #expect(export.output == text)
  }

  @Test("An export has what an operator changed of an area's readings, and makes the same market.")
  func areaReadings() throws {
    let yaml = try String(contentsOfFile: file, encoding: .utf8)
    try serve(
      yaml.replacing("own-use: 900 ", with: "own-use: 0 ")
        .replacing("local-first: on ", with: "local-first: off "))
    let text = try StoredMarket(DataFolder(data)).description.yaml
    #expect(text.contains("    own-use: 0\n    local-first: off\n"), "\(text)")
    let other = folder.path + "/other"
    var configuration = try configuration(text)
    configuration.dataFolder = other
    try ServerHost(configuration).stop()
    #expect(try StoredMarket(DataFolder(other)).description.yaml == text)
    let found = try refusal(yaml)
    #expect(found.contains("area 1: own-use is 0 there, 900 here"), "\(found)")
    #expect(found.contains("area 1: local-first is off there, on here"), "\(found)")
  }

  @Test("What differs ends the start with field, there and here, and changes nothing.")
  func differs() throws {
    let yaml = try String(contentsOfFile: file, encoding: .utf8)
    try serve()
    let before = try StoredMarket(DataFolder(data)).description.yaml
    let other = yaml.replacing("retail: 0.32 ", with: "retail: 0.30 ")
      .replacing("name: school", with: "name: school2\n  4:\n    name: new")
    let found = try refusal(other)
    #expect(found.contains("area 1: retail is 0.32 there, 0.3 here"), "\(found)")
    #expect(found.contains("participant 3: name is school there, school2 here"), "\(found)")
    #expect(try StoredMarket(DataFolder(data)).description.yaml == before)
    let result = try Joulebook.run(["market", "diff", file, "--data", data])
    #expect(result.status == 70 && result.output.contains("+ \(file):"), "\(result.output)")
    #expect(result.output.contains("! \(file):"), "\(result.output)")
  }

  @Test("What the file has more is added at the next start; deposits are added at the end.")
  func grows() throws {
    let yaml = try String(contentsOfFile: file, encoding: .utf8)
    try serve()
    try serve(
      yaml.replacing("- 250.50 EUR", with: "- 250.50 EUR\n      - 1.25 EUR")
        .replacing("name: school", with: "name: school\n  4:\n    name: new"))
    let market = try StoredMarket(DataFolder(data))
    #expect(market.description.entries[.participant(ParticipantId(4))] != nil)
    let balances = try Joulebook.run(["ledger", "balances", "--data", data])
    #expect(balances.output.contains("251.75"), "\(balances.output)")
  }

  @Test("A definition that the exchange rejects is told with its line; the next start continues.")
  func rejected() throws {
    let yaml = try String(contentsOfFile: file, encoding: .utf8)
    let wrong = yaml.replacing("highest: 1\n", with: "highest: 1.0005\n")
    let found = try refusal(wrong)
    #expect(found.contains("instrument 1: highest: 1.0005 cannot be used: lowest and"), "\(found)")
    let check = try Joulebook.run(["market", "check", file])
    #expect(check.status == 78 && check.errors.contains("highest: 1.0005"), "\(check.errors)")
    try serve(yaml)
    #expect(try StoredMarket(DataFolder(data)).plan(try MarketDescription(file: file)).isDone)
  }

  @Test("A start with a file that has faults makes no data folder.")
  func faults() throws {
    try "areas:\n  1: {code: Ö}\n".write(toFile: file, atomically: false, encoding: .utf8)
    let result = try Joulebook.run(["serve", "--data", data, "--market", file])
    #expect(result.status == 78 && result.errors.contains(":2: area 1: code:"), "\(result.errors)")
    #expect(!FileManager.default.fileExists(atPath: data))
    let missing = try Joulebook.run(["market", "check", folder.path + "/none.yaml"])
    #expect(missing.status == 66 && missing.errors.contains("does not exist"))
  }
}
