import JoulebookClient
import MarketModel
import Testing

@Suite("Parameters of a running market, over the wire")
struct ParameterServerTests {
  @Test("A tariff is announced, an account labelled and closed on the command line; replay agrees.")
  func accountsAndTariff() throws {
    let folder = try TemporaryFolder()
    let village = Village()
    let server = try ServerProcess(data: folder.path + "/data")
    try village.setUp(on: server)
    func admin(_ arguments: [String]) throws -> Joulebook.Result {
      try Joulebook.run(
        ["admin"] + arguments + ["--data", server.data, "--connect", "127.0.0.1:\(server.port)"])
    }
    let tariff = ["tariff", "1", "--feed-in", "0.40", "--retail", "0.50"]
    #expect(try admin(tariff + ["--from", "2200-01-01T00:00:00+01:00"]).status == 0)
    let high = try admin(["parameter", "area", "1", "feed-in", "--to", "0.9"])
    #expect(high.status == 77 && high.errors.contains("above retail"), "\(high.errors)")
    #expect(try admin(["account", "12", "--participant", "2", "--label", "Flat 3"]).status == 0)
    #expect(try admin(["account", "12", "--close"]).status == 0)
    let list = try admin(["list", "accounts", "--account", "12", "--csv"])
    #expect(list.output.contains("Flat 3,closed"), "\(list.output)")
    let deposit = try admin(["deposit", "12", "5", "--reference", "1"])
    #expect(deposit.status == 77 && deposit.errors.contains("6016"), "\(deposit.errors)")
    let full = try admin(["account", "\(Village.ben.rawValue)", "--close"])
    #expect(full.status == 77 && full.errors.contains("list balances"), "\(full.errors)")
    #expect(try admin(["account", "12", "--close", "--reopen"]).status == 64)
    #expect(try admin(["account", "12"]).status == 64)
    #expect(try admin(["account", "12", "--reopen"]).status == 0)
    #expect(try admin(["deposit", "12", "5", "--reference", "1"]).status == 0)
    #expect(server.stop() == 0)
    let replay = try Joulebook.run(["replay", server.data, "--ledger"])
    #expect(replay.status == 0, "\(replay.output)")
    let export = try Joulebook.run(["market", "export", "--data", server.data])
    #expect(export.output.contains("label: \"Flat 3\""), "\(export.output)")
  }

  @Test("A higher band holds from its moment on, survives a restart, and is told to clients.")
  func band() throws {
    let folder = try TemporaryFolder()
    let village = Village()
    var server = try ServerProcess(data: folder.path + "/data")
    try village.setUp(on: server)
    let ana = try village.trader(2, server)
    func admin(_ arguments: String) throws -> Joulebook.Result {
      try Joulebook.run(
        ["admin"] + arguments.split(separator: " ").map(String.init) + [
          "--data", server.data, "--connect", "127.0.0.1:\(server.port)",
        ])
    }
    try ana.enter(.limit(Village.ana, .buy, kilowattHours: 1, at: 1_001, id: 1))
    let high = try ana.wait { if case .rejected(let reject) = $0 { reject } else { nil } }
    #expect(high.code == .priceOutOfBand && high.limit == 100_000)
    try ana.enter(.limit(Village.ana, .buy, kilowattHours: 1, at: 1_000, id: 2))
    let accepted = try ana.wait { if case .accepted(let report) = $0 { report } else { nil } }

    #expect(try admin("parameter instrument 1 highest --to 4").status == 0)
    try ana.enter(.limit(Village.ana, .buy, kilowattHours: 1, at: 4_000, id: 3))
    _ = try ana.wait { if case .accepted(let report) = $0 { report } else { nil } }
    // Far in the future, and once more after a restart.
    #expect(
      try admin("parameter instrument 1 lot --to 2kWh --from 2200-01-01T00:00:00Z").status == 0)
    let early = try admin("parameter instrument 1 lot --to 2kWh --from 2020-01-01T00:00:00Z")
    #expect(early.status == 77 && early.errors.contains("8015"), "\(early.errors)")
    let odd = try admin("parameter instrument 1 tick --to 0.003")
    #expect(odd.status == 77 && odd.errors.contains("highestPrice: "), "\(odd.errors)")
    #expect(try admin("parameter area 1 lot --to 1kWh").status == 64)
    let wrong = try admin("parameter instrument 1 lot --to much")
    #expect(wrong.status == 64 && wrong.errors.contains("such as 5kWh or 500Wh"), "\(wrong.errors)")
    ana.drop()
    server.kill()
    server = try ServerProcess(data: server.data)
    let again = try village.trader(2, server)
    #expect(try admin("parameter instrument 1 highest --to 1").status == 0)
    let canceled = try again.wait { if case .canceled(let report) = $0 { report } else { nil } }
    #expect(canceled.order != accepted.order && canceled.reason == .definition)
    again.close()
    #expect(server.stop() == 0)
    let replay = try Joulebook.run(["replay", server.data, "--ledger"])
    #expect(replay.status == 0, "\(replay.output)")
  }
}
