import Foundation
import MarketModel
import Testing

/// What `joulebook admin` says about rejects: in the units that people type, with what is right.
@Suite("Words of rejects on the command line")
struct AdminWordsTests {
  private let folder: TemporaryFolder
  private let server: ServerProcess

  init() throws {
    folder = try TemporaryFolder()
    server = try ServerProcess(
      data: folder.path + "/data", options: ["--set", "capacity.orders=4096"])
    try Village().setUp(on: server)
  }

  private func admin(_ words: String) throws -> (status: Int32, said: String) {
    let result = try Joulebook.run(
      ["admin"] + words.split(separator: " ").map(String.init)
        + ["--data", server.data, "--connect", "127.0.0.1:\(server.port)"])
    return (result.status, result.output + result.errors)
  }

  private func expect(_ words: String, _ status: Int32, _ texts: String...) throws {
    let result = try admin(words)
    let missing = texts.filter { !result.said.contains($0) }
    #expect(result.status == status && missing.isEmpty, "\(words): \(result) lacks \(missing)")
  }

  @Test("A limit has the unit in which it is typed; a refused value is told with what is right.")
  func units() throws {
    try expect("withdraw 10 20000 --reference 2", 77, "5001 insufficientCash, free cash: 10000.00")
    try expect(
      "tariff 1 --feed-in 0.36 --retail 0.35", 77, "8004 badDefinition",
      "feed-in 0.36 is above retail 0.35")
    try expect("deposit 10 5 --source 7 --reference 3", 0, "done")
    try expect(
      "deposit 10 5 --source 7 --reference 3", 77,
      "8006 referenceReplayed, the known reference: 3")
    try expect(
      "parameter area 1 loss --to 2 --from 2020-01-01T00:00:00Z", 77, "8015 fromNotLater",
      "time of the exchange: 20")
    try expect(
      "area 1 --code X --storage-cost 300 --storage-price 20 --feed-in 0.08 --retail 0.3", 77,
      "8001 alreadyExists", "joulebook admin tariff")
    try expect("cap 10 --area 1 --cap=-5kWh", 64, "not below zero")
    try expect("limit account 10 orderQuantity 5", 64, "write 5kWh")
    try expect("limit account 10 dailyNotional 0.50", 0, "done")
  }

  @Test("A participant's administrator is told what only the operator changes.")
  func administrators() throws {
    let key = folder.path + "/firm.key"
    #expect(try Joulebook.run(["admin", "keygen", key]).status == 0)
    try expect(
      "session 20 --participant 2 --public-key \(key) --role trading", 66,
      "the file of a private key", "firm.pub")
    let as20 = " --session 20 --key \(key)"
    try expect(
      "session 20 --participant 2 --public-key \(folder.path)/firm.pub --role "
        + "participantAdministration", 0)
    try expect("list sessions", 0, "participantAdministration")
    try expect("limit account 10 cashAtRisk 12.50", 0)
    try expect("limit account 10 cashAtRisk 13" + as20, 77, "the operator's limit is 12.50;")
    try expect("block account 10", 0)
    try expect("release account 10" + as20, 77, "the operator blocked account 10")
    try expect(
      "session 21 --participant 2 --public-key \(folder.path)/firm.pub --role metering" + as20, 77,
      "3011 roleNotGrantable, roles that can be granted: trading, dropCopy")
  }

  @Test("A meter ends without area and key; what was ended does not come back with a market file.")
  func ended() throws {
    let export = folder.path + "/export.yaml"
    let before = try Joulebook.run(["market", "export", "--data", server.data])
    try before.output.write(toFile: export, atomically: false, encoding: .utf8)
    try expect("meter 9 --account 0", 77, "there is no meter 9 to end")
    try expect("meter 1 --account 10", 64, "name the --area", "--account 0")
    try expect("meter 1 --account 0", 0, "done")
    try expect("session 3 --revoke", 0, "done")
    let found = try Joulebook.run(["market", "diff", export, "--data", server.data])
    #expect(found.status == 70 && !found.output.contains("+ "), "\(found.output)")
    #expect(found.output.contains("session 3: it is revoked there"), "\(found.output)")
    #expect(found.output.contains("meter 1: it is without an account there"), "\(found.output)")
  }
}
