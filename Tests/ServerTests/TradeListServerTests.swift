import Foundation
import JoulebookServer
import MarketModel
import Testing
import Wire

@testable import JoulebookClient

@Suite("Trades of a period, on a real server", .serialized)
struct TradeListServerTests {
  private static let options = [
    "--set", "capacity.orders=4096", "--set", "settlement.transfers=1",
  ]

  private func trades(
    _ client: Client, _ scope: ListScope = .own, account: AccountId = .null,
    in period: Range<Timestamp> = ListQuery.always
  ) throws -> (rows: [TradeSide], through: SequenceNumber) {
    var rows: [TradeSide] = []
    let through = try client.readList(.trades, scope: scope, account: account, period: period) {
      if case .listRow(.trade(let trade), _) = $0 { rows.append(trade) }
    }
    return (rows, through)
  }

  /// The code with which a request is rejected; `nil`: it has a page.
  private func code(
    _ client: Client, _ scope: ListScope = .own, account: AccountId = .null,
    in period: Range<Timestamp> = ListQuery.always
  ) throws -> RejectCode? {
    let reference = try client.requestList(.trades, scope: scope, account: account, period: period)
    return try client.wait { event -> RejectCode?? in
      switch event {
      case .listEnd(let end) where end.reference == reference: .some(nil)
      case .rejected(let rejection) where rejection.reference == reference: rejection.code
      default: nil
      }
    }
  }

  /// Ana sells to Ben `count` times, 1 kWh each, at 0.100 and up.
  private func trade(
    _ ana: Client, _ ben: Client, _ village: Village, ids: ClosedRange<UInt64>
  ) throws -> [TradeReport] {
    try ana.send(
      MeterReading(
        meter: MeterId(1), registerSequence: ids.upperBound,
        intervalStart: Timestamp(nanoseconds: MeterTime.start + ids.lowerBound * 1_000),
        intervalEnd: Timestamp(nanoseconds: MeterTime.start + ids.upperBound * 1_000 + 1_000),
        produced: Energy(wattHours: 10_000), consumed: .zero), key: village.meterKey)
    var reports: [TradeReport] = []
    for id in ids {
      let price = Int64(100 + id)
      try ana.enter(.limit(Village.ana, .sell, kilowattHours: 1, at: price, id: id))
      try ana.wait { if case .accepted = $0 { () } else { nil } }
      try ben.enter(.limit(Village.ben, .buy, kilowattHours: 1, at: price, id: id))
      reports.append(try ben.wait { if case .trade(let trade) = $0 { trade } else { nil } })
    }
    return reports
  }

  @Test(
    "Each side sees its own trades of a period, the operator all, over a killed server.",
    arguments: Configuration.Threading.allCases)
  func contents(assembly: Configuration.Threading) throws {
    let folder = try TemporaryFolder()
    let village = Village()
    var server = try ServerProcess(
      data: folder.path + "/data", options: Self.options, assembly: assembly)
    try village.setUp(on: server)
    var (ana, ben) = (try village.trader(2, server), try village.trader(3, server))
    let reports = try trade(ana, ben, village, ids: 1...5)
    var rows: [TradeSide] = []
    // Settlement follows by itself, a batch for each command with transfers.
    while rows.count < 5 { rows = try trades(ben).rows }
    #expect(rows.map(\.trade) == reports.map(\.trade))
    #expect(rows.map(\.price) == reports.map(\.price))
    #expect(rows.map(\.quantity) == reports.map(\.quantity))
    #expect(rows.allSatisfy { $0.account == Village.ben && $0.side == .buy && $0.currency == .eur })
    #expect(rows.map(\.notional) == reports.map { Money(units: $0.price.ticks * 1_000) })
    let (sold, through) = try trades(ana)
    #expect(sold.map(\.trade) == rows.map(\.trade))
    #expect(sold.allSatisfy { $0.account == Village.ana && $0.side == .sell })
    #expect(through >= rows[4].sequence)

    server.kill()
    server = try ServerProcess(data: server.data, options: Self.options, assembly: assembly)
    (ana, ben) = (try village.trader(2, server), try village.trader(3, server))
    let desk = try village.operatorClient(server)
    #expect(try trades(ben).rows == rows)
    let both = try trades(desk, .all).rows
    #expect(both.count == 10 && both.filter { $0.side == .buy } == rows)
    #expect(try trades(desk, .all, account: Village.ana).rows == sold)
    let (from, to) = (rows[1].time, rows[3].time)
    #expect(try trades(ben, in: from..<to).rows == Array(rows[1...2]))
    #expect(try trades(ben, in: from..<from).rows == [])

    #expect(try code(ana, .all) == .notPermitted)
    #expect(try code(ana, account: Village.ben) == .foreignAccount)
    let reference = try ana.requestList(.trades, scope: .participant, participant: ParticipantId(3))
    try ana.wait {
      if case .rejected(let rejection) = $0, rejection.reference == reference {
        #expect(rejection.code == .notPermitted)
        return ()
      } else {
        return nil
      }
    }
    ana.close()
    #expect(server.stop() == 0)
  }

  @Test("A trade that a reading made is marked local, to both sides, in lists and statements.")
  func local() throws {
    let folder = try TemporaryFolder()
    let village = Village()
    let server = try ServerProcess(data: folder.path + "/data", options: Self.options)
    try village.setUp(on: server)
    let (ana, ben) = (try village.trader(2, server), try village.trader(3, server))
    let desk = try village.operatorClient(server)
    try desk.settle(
      desk.submit(
        .reference(
          .registerMeter(
            RegisterMeter(
              meter: MeterId(2), account: Village.ben, area: AreaId(1),
              publicKey: PublicKey(village.meterKey.publicKey), capacity: .max)))))
    desk.close()
    _ = try trade(ana, ben, village, ids: 1...1)
    try ana.enter(.limit(Village.ana, .sell, kilowattHours: 3, at: 100, id: 2))
    try ana.wait { if case .accepted = $0 { () } else { nil } }
    // Ben has 1 kWh and uses 3.
    try ben.send(
      MeterReading(
        meter: MeterId(2), registerSequence: 1,
        intervalStart: Timestamp(nanoseconds: MeterTime.start),
        intervalEnd: Timestamp(nanoseconds: MeterTime.start + 900_000_000_000), produced: .zero,
        consumed: Energy(wattHours: 3_000)), key: village.meterKey)
    try ben.flush()
    let sold = try ana.wait { if case .trade(let trade) = $0 { trade } else { nil } }
    #expect(sold.isLocal && sold.quantity == Energy(wattHours: 2_000))
    while try trades(ben).rows.count < 2 {}
    for client in [ana, ben] { #expect(try trades(client).rows.map(\.isLocal) == [false, true]) }
    let listed = try Joulebook.run([
      "admin", "list", "trades", "--account", "11", "--csv", "--data", server.data, "--connect",
      "127.0.0.1:\(server.port)",
    ])
    let rows = listed.output.split(separator: "\n")
    #expect(rows.count == 3 && rows[0].hasSuffix(",sequence,local"), "\(listed)")
    #expect(rows[1].hasSuffix(",no") && rows[2].hasSuffix(",yes"), "\(rows)")
    #expect(server.stop() == 0)
    func statement(_ form: String) throws -> String {
      try Joulebook.run(["ledger", "statement", "11", "--format", form, "--data", server.data])
        .output
    }
    let legs = try statement("csv").split(whereSeparator: \.isNewline)
    #expect(legs[0].contains(",counterparty,local,version,meter,"))
    #expect(legs.filter { $0.contains(",yes,") }.count == 2, "\(legs)")
    #expect(try statement("table").contains("energyLeg local"))
    #expect(try statement("bill").contains("From neighbours"))
  }

  @Test("Pages of one row skip and repeat nothing while trading goes on.")
  func pages() throws {
    let folder = try TemporaryFolder()
    let village = Village()
    let server = try ServerProcess(data: folder.path + "/data", options: Self.options)
    try village.setUp(on: server)
    let (ana, ben) = (try village.trader(2, server), try village.trader(3, server))
    _ = try trade(ana, ben, village, ids: 1...4)
    while try trades(ben).rows.count < 4 {}
    let desk = try village.operatorClient(server)
    var seen: [String] = []
    var (cursor, id) = (UInt64(0), UInt64(4))
    repeat {
      let reference = try desk.requestList(.trades, scope: .all, cursor: cursor, count: 1)
      cursor = try desk.wait { event in
        switch event {
        case .listRow(.trade(let side), reference): seen.append("\(side.trade) \(side.side)")
        case .listEnd(let end) where end.reference == reference: return end.cursor
        default: break
        }
        return nil
      }
      if id < 8 {
        id += 1
        _ = try trade(ana, ben, village, ids: id...id)
      }
    } while cursor != 0
    #expect(Set(seen).count == seen.count && seen.count >= 8)
    #expect(server.stop() == 0)
  }

  /// The code of a request for a period that ends before it begins, which no `Range` says.
  private func badPeriod(_ client: Client) throws -> RejectCode {
    let reference = try client.write(ListRequestEncoder.frameLength) { frame, sequence, now in
      ListRequestEncoder(
        into: frame, seqNo: sequence, sendingTime: now, cursor: 0, participant: ParticipantId(0),
        account: .null, count: 1, kind: .trades, scope: .own, meter: MeterId(0),
        fromTime: Timestamp(nanoseconds: 2),
        toTime: Timestamp(nanoseconds: 1))
    }
    return try client.wait { event in
      if case .rejected(let rejection) = event, rejection.reference == reference {
        rejection.code
      } else {
        nil
      }
    }
  }

  @Test("A wrong period, a ledger that is away, and a server without one are told.")
  func rejects() throws {
    let folder = try TemporaryFolder()
    let village = Village()
    let server = try ServerProcess(data: folder.path + "/data", options: Self.options)
    try village.setUp(on: server)
    let desk = try village.operatorClient(server)
    #expect(try code(desk, .all) == nil)
    #expect(try badPeriod(desk) == .badPeriod)
    try FileManager.default.moveItem(
      atPath: server.data + "/ledger.sqlite", toPath: folder.path + "/elsewhere")
    #expect(try code(desk, .all) == .ledgerUnavailable)
    try FileManager.default.moveItem(
      atPath: folder.path + "/elsewhere", toPath: server.data + "/ledger.sqlite")
    #expect(try code(desk, .all) == nil)
    #expect(server.stop() == 0)

    let bare = try ServerProcess(
      data: folder.path + "/bare", options: ["--set", "journal.kept=none"])
    let other = try village.operatorClient(bare)
    #expect(try code(other, .all) == .noLedger)
    _ = bare.stop()
  }

  @Test("The command line lists trades of a period, of a server and of a ledger.")
  func commandLine() throws {
    let folder = try TemporaryFolder()
    let village = Village()
    let server = try ServerProcess(data: folder.path + "/data", options: Self.options)
    try village.setUp(on: server)
    let (ana, ben) = (try village.trader(2, server), try village.trader(3, server))
    _ = try trade(ana, ben, village, ids: 1...2)
    while try trades(ben).rows.count < 2 {}
    func list(_ arguments: [String]) throws -> Joulebook.Result {
      try Joulebook.run(
        ["admin", "list", "trades", "--data", server.data, "--connect", "127.0.0.1:\(server.port)"]
          + arguments)
    }
    let all = try list(["--csv", "--from", "2020-01-01"])
    #expect(all.status == 0 && all.errors.contains("settled through command"), "\(all.errors)")
    #expect(all.output.split(separator: "\n").count == 5, "\(all.output)")
    let one = try list(["--account", "11", "--json"])
    #expect(one.output.contains("\"side\": \"buy\"") && !one.output.contains("sell"))
    #expect(try list(["--to", "2020-01-01", "--json"]).output == "[]\n")
    #expect(try list(["--from", "2020-01-02", "--to", "2020-01-01"]).status == 64)
    #expect(
      try Joulebook.run(["admin", "list", "orders", "--from", "2020-01-01"]).status == 64)
    let ledger = try Joulebook.run([
      "ledger", "trades", "--account", "11", "--data", server.data,
    ])
    let lines = ledger.output.split(whereSeparator: \.isNewline)
    #expect(ledger.status == 0 && lines.count == 3, "\(ledger.output) \(ledger.errors)")
    #expect(lines[0].hasPrefix("trade,time,account,side,area,price,quantity"))
    #expect(lines[1].contains(",11,buy,1,0.101"), "\(lines[1])")
    #expect(server.stop() == 0)
  }
}
