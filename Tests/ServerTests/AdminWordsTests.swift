import Foundation
import JoulebookServer
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
    try expect("cap 10 --area 1 --cap=-5kWh", 64, "cannot be below zero")
    try expect("limit account 10 orderQuantity 5", 64, "write 5kWh")
    try expect("limit account 10 dailyNotional 0.50", 0, "done")
  }

  @Test("What is too high is told as it was typed; what names nothing, by its option.")
  func tooHighOrNothing() throws {
    try expect(
      "deposit 10 40000000000 --reference 9", 77,
      "4016 badAmount: 40000000000.00 is above the highest amount, 23058430092.13693952")
    try expect(
      "cap 10 --area 1 --cap 99999999999999kWh", 77, "cap of 99999999999999.000kWh is too high",
      "the highest is 1125899906842.624kWh")
    try expect(
      "instrument 2 --area 1 --symbol S --tick 0.00001 --lot 1kWh --lowest=-200 --highest 200", 77,
      "from -200.00 to 200.00 are 40000000 steps of 0.00001; a band has at most 16777215")
    try expect("cancel --order 0", 64, "--order 0 names nothing")
    try expect("cancel --participant 0", 64, "--participant 0 names nothing")
    try expect("block session 0", 64, "there is no session 0")
    try expect(
      "limit account 10 messagesPerSecond 5", 64, "a limit of a session, not of an account")
    let blanks = try Joulebook.run([
      "admin", "participant", "9", "--name", "  ", "--data", server.data, "--connect",
      "127.0.0.1:\(server.port)",
    ])
    #expect(blanks.status == 64 && blanks.errors.contains("blanks only"), "\(blanks)")
  }

  @Test("A tick says when it does nothing, and a cut that it was of its own session.")
  func tickAndCut() throws {
    try expect("tick 2100-01-01T00:00:00Z", 77, "system's clock, on which a tick does nothing")
    try expect("tick 2001-01-01T00:00:00Z", 77, "already, and never goes back")
    try expect("cut 1", 0, "session 1 is the one of this command itself")
    try expect("cut 2", 0, "done")
  }

  @Test("A folder or a public key is no private key: what to name is said.")
  func keyFiles() throws {
    try expect("status --key \(folder.path)", 64, "is a folder, not a file", "--data")
    let data = DataFolder(server.data)
    try expect(
      "status --key \(data.operatorPublicKey)", 64, "is the file of a public key",
      data.operatorKey)
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
