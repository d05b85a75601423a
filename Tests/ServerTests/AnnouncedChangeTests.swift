import Foundation
import JoulebookClient
import JoulebookServer
import MarketModel
import Testing

@Suite("Announced changes: listed, withdrawn, and in market files")
struct AnnouncedChangeTests {
  private let village = Village()

  private func admin(_ server: ServerProcess, _ arguments: String) throws -> Joulebook.Result {
    try Joulebook.run(
      ["admin"] + arguments.split(separator: " ").map(String.init) + [
        "--data", server.data, "--connect", "127.0.0.1:\(server.port)",
      ])
  }

  private static let moment = "2200-01-01T00:00:00Z"

  @Test("Changes of parameters are listed with old and new value, and withdrawn.")
  func parameters() throws {
    let folder = try TemporaryFolder()
    let server = try ServerProcess(data: folder.path + "/data")
    try village.setUp(on: server)
    let from = " --from " + Self.moment
    #expect(try admin(server, "parameter instrument 1 highest --to 4" + from).status == 0)
    #expect(try admin(server, "parameter area 1 loss --to 2.5" + from).status == 0)
    let high = try admin(server, "parameter area 1 feed-in --to 0.4" + from)
    #expect(high.status == 0 && high.errors.contains("would be rejected at"), "\(high.errors)")
    let list = try admin(server, "list changes --csv").output
    #expect(
      list == """
        from,what,number,parameter,present,new,unit,fits
        2200-01-01T00:00:00Z,instrument,1,highestPrice,1.00,4.00,per kWh,yes
        2200-01-01T00:00:00Z,area,1,lossFactor,0,2.5,%,yes
        2200-01-01T00:00:00Z,area,1,feedInPrice,0.08,0.40,per kWh,no

        """, "\(list)")
    // With a higher retail price for the same moment both fit.
    let both = try admin(server, "parameter area 1 retail --to 0.5" + from)
    #expect(both.status == 0 && both.errors.isEmpty, "\(both.errors)")
    #expect(try !admin(server, "list changes --csv").output.contains(",no\n"))
    #expect(try admin(server, "withdraw-change area 1 feed-in" + from).status == 0)
    #expect(try admin(server, "withdraw-change area 1 retail").status == 0)
    #expect(try admin(server, "withdraw-change area 1 loss").status == 0)
    let none = try admin(server, "withdraw-change area 1 loss")
    #expect(none.status == 77 && none.errors.contains("8016"), "\(none.errors)")
    #expect(try admin(server, "withdraw-change area 1").status == 64)
    #expect(try admin(server, "withdraw-change area 1 tick").status == 64)
    #expect(try admin(server, "withdraw-change meter 1 loss").status == 64)
    #expect(try admin(server, "withdraw-change meter 1" + from).status == 64)
    let left = try admin(server, "list changes --csv").output
    #expect(left.split(separator: "\n").count == 2, "\(left)")
    let trader = try village.trader(2, server)
    #expect(throws: ClientError.self) { try trader.readList(.changes, scope: .all) { _ in } }
    trader.close()
    #expect(server.stop() == 0)
    #expect(try Joulebook.run(["replay", server.data, "--ledger"]).status == 0)
  }

  @Test("A meter whose end is announced shows as it is until then, and its end is withdrawn.")
  func meter() throws {
    let folder = try TemporaryFolder()
    var server = try ServerProcess(data: folder.path + "/data")
    try village.setUp(on: server)
    let before = try admin(server, "list meters --csv").output
    #expect(try admin(server, "meter 1 --account 0 --from " + Self.moment).status == 0)
    let list = try admin(server, "list changes --csv").output
    #expect(list.contains(Self.moment + ",meter,1,account,10,ends,,yes\n"), "\(list)")
    let meters = try admin(server, "list meters --csv").output
    #expect(meters == before, "\(meters)")
    server.kill()
    server = try ServerProcess(data: server.data)
    #expect(try admin(server, "list meters --csv").output == before)
    #expect(try admin(server, "list changes --csv").output == list)
    #expect(try admin(server, "withdraw-change meter 1").status == 0)
    #expect(try admin(server, "list meters --csv").output == before)
    let none = try admin(server, "withdraw-change meter 1")
    #expect(none.status == 77 && none.errors.contains("no change of meter 1"), "\(none.errors)")
    #expect(server.stop() == 0)
    #expect(try Joulebook.run(["replay", server.data, "--ledger"]).status == 0)
  }

  @Test("A meter that begins later is announced, and what takes its place says so.")
  func newMeter() throws {
    let folder = try TemporaryFolder()
    let server = try ServerProcess(data: folder.path + "/data")
    try village.setUp(on: server)
    let key = String(repeating: "5a", count: 32)
    let new = "meter 77 --account 10 --area 1 --public-key \(key) --from "
    let first = try admin(server, new + "2300-01-01T00:00:00Z")
    #expect(first.status == 0 && first.errors.isEmpty, "\(first.errors)")
    #expect(try admin(server, "meter 1 --account 0 --from " + Self.moment).status == 0)
    let list = try admin(server, "list changes --csv").output
    #expect(
      list.hasSuffix(
        Self.moment + ",meter,1,account,10,ends,,yes\n"
          + "2300-01-01T00:00:00Z,meter,77,account,none,10,,yes\n"), "\(list)")
    let sooner = try admin(server, new + "2250-01-01T00:00:00Z")
    #expect(
      sooner.status == 0
        && sooner.errors.contains("what was announced for 2300-01-01T00:00:00Z does not come"),
      "\(sooner.errors)")
    let withdrawn = try admin(server, "withdraw-change meter 77")
    #expect(withdrawn.status == 77 && withdrawn.errors.contains("is new"), "\(withdrawn.errors)")
    #expect(server.stop() == 0)
    let export = try Joulebook.run(["market", "export", "--data", server.data])
    #expect(export.output.contains("meter 77 begins at 2250-01-01T00:00:00Z"), "\(export.output)")
  }

  @Test("The file of an exported market with announced changes fits the market.")
  func export() throws {
    let folder = try TemporaryFolder()
    let server = try ServerProcess(data: folder.path + "/data")
    try village.setUp(on: server)
    #expect(try admin(server, "meter 1 --account 0 --from " + Self.moment).status == 0)
    #expect(
      try admin(server, "parameter area 1 retail --to 0.5 --from " + Self.moment).status == 0)
    #expect(server.stop() == 0)
    let export = try Joulebook.run(["market", "export", "--data", server.data])
    #expect(export.status == 0 && export.output.contains("meters:"), "\(export.output)")
    #expect(export.output.contains("# area 1: retailPrice"), "\(export.output)")
    #expect(export.output.contains("# meter 1"), "\(export.output)")
    let file = folder.path + "/village.yaml"
    try export.output.write(toFile: file, atomically: true, encoding: .utf8)
    let check = try Joulebook.run(["market", "check", file])
    #expect(check.status == 0, "\(check.output)\(check.errors)")
    let diff = try Joulebook.run(["market", "diff", file, "--data", server.data])
    #expect(diff.status == 0, "\(diff.output)\(diff.errors)")
    let again = try ServerProcess(data: server.data, options: ["--market", file])
    #expect(again.stop() == 0)
  }
}
