import JoulebookClient
import MarketModel
import Testing

@Suite("Parameters of a running market, over the wire")
struct ParameterServerTests {
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
