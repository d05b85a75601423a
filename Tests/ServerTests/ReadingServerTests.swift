// What senders of readings are told, and what the lists of readings say, on a real server.

import Crypto
import Foundation
import JoulebookClient
import MarketModel
import Testing

@Suite("Readings that are late, corrected, quarantined, or unsigned, over the wire")
struct ReadingServerTests {
  private let village = Village()
  private static let minute: UInt64 = 60_000_000_000
  private static let hour = 60 * minute
  /// A full hour yesterday.
  private static let begin = (UInt64(Date().timeIntervalSince1970) / 3_600 - 24) * hour

  /// What became of a reading.
  private enum Outcome: Equatable {
    case booked(MeterReport)
    case corrected(CorrectionReport)
    case rejected(RejectCode, limit: Int64)

    var code: RejectCode? { if case .rejected(let code, _) = self { code } else { nil } }
    var account: AccountId? {
      switch self {
      case .booked(let report): report.account
      case .corrected(let report): report.account
      case .rejected: nil
      }
    }
  }

  /// A quarter of an hour of the day before.
  private func reading(
    _ quarter: UInt64, _ sequence: UInt64, _ produced: Int64, _ consumed: Int64 = 0,
    meter: UInt32 = 1, quality: ReadingQuality = .measured
  ) -> MeterReading {
    let start = Self.begin + quarter * 15 * Self.minute
    return MeterReading(
      meter: MeterId(meter), registerSequence: sequence,
      intervalStart: Timestamp(nanoseconds: start),
      intervalEnd: Timestamp(nanoseconds: start + 15 * Self.minute),
      produced: Energy(wattHours: produced), consumed: Energy(wattHours: consumed),
      quality: quality)
  }

  private func send(
    _ client: Client, _ reading: MeterReading, key: Curve25519.Signing.PrivateKey? = nil,
    unsigned: Bool = false
  ) throws -> Outcome {
    let number =
      unsigned
      ? try client.send(reading, signature: .zero)
      : try client.send(reading, key: key ?? village.meterKey)
    return try client.wait { event in
      switch event {
      case .metered(let report) where report.reference == number: .booked(report)
      case .corrected(let report) where report.reference == number: .corrected(report)
      case .rejected(let rejection) where rejection.reference == number:
        .rejected(rejection.code, limit: rejection.limit)
      default: nil
      }
    }
  }

  private func rows(
    _ client: Client, _ kind: ListKind, _ scope: ListScope = .all, meter: UInt32 = 0,
    period: Range<Timestamp> = ListQuery.always
  ) throws -> [ListRow] {
    var rows: [ListRow] = []
    try client.readList(kind, scope: scope, meter: MeterId(meter), period: period) {
      if case .listRow(let row, _) = $0 { rows.append(row) }
    }
    return rows
  }

  private func admin(_ server: ServerProcess, _ arguments: [String]) throws -> Joulebook.Result {
    try Joulebook.run(
      ["admin"] + arguments
        + ["--data", server.data, "--connect", "127.0.0.1:\(server.port)"])
  }

  @Test("A late reading is a new interval; a higher version says what it changed, at what prices.")
  func versions() throws {
    let folder = try TemporaryFolder()
    var server = try ServerProcess(data: folder.path + "/data")
    try village.setUp(on: server)
    var ana = try village.trader(2, server)
    guard case .booked(let first) = try send(ana, reading(4, 7, 1_000, 400)),
      case .booked(let late) = try send(ana, reading(1, 3, 500)),
      case .corrected(let done) = try send(
        ana, reading(4, 8, 600, 400, quality: .substituted))
    else {
      Issue.record("not booked")
      return
    }
    #expect(first.quality == .measured && !first.isUncounted && first.own.wattHours == 400)
    #expect(late.intervalStart < first.intervalStart)
    #expect(
      done.previousSequence == 7 && done.reading == reading(4, 8, 600, 400, quality: .substituted))
    #expect(done.producedDifference == Energy(wattHours: -400))
    #expect(done.consumedDifference == .zero && done.ownDifference == .zero)
    #expect(done.account == Village.ana && done.area == AreaId(1) && !done.isUncounted)
    #expect(done.feedInPrice == Price(ticks: 8_000) && done.retailPrice == Price(ticks: 32_000))
    #expect(try send(ana, reading(4, 8, 1)).code == .readingReplayed)
    // An estimate mints nothing, in an area that wants more.
    guard case .booked(let estimate) = try send(ana, reading(6, 1, 900, quality: .estimated))
    else {
      Issue.record("not booked")
      return
    }
    #expect(estimate.isUncounted && estimate.quality == .estimated)
    // A lost answer is had again, and the lists are the same, behind a kill.
    let position = ana.position
    let listed = try rows(ana, .readings, .own, meter: 1)
    ana.drop()
    server.kill()
    server = try ServerProcess(data: server.data)
    ana = try village.trader(2, server, resume: position)
    #expect(try rows(ana, .readings, .own, meter: 1) == listed)
    let found = listed.compactMap { if case .reading(let row) = $0 { row } else { nil } }
    #expect(found.map(\.row.reading.registerSequence) == [3, 8, 1])
    #expect(found.map(\.row.reading.quality) == [.measured, .substituted, .estimated])
    #expect(found.map(\.row.reading.produced.wattHours) == [500, 600, 0])
    #expect(found.allSatisfy { $0.account == Village.ana })
    let gaps = try rows(ana, .gaps, .own, meter: 1)
    func time(_ quarter: UInt64) -> Timestamp {
      Timestamp(nanoseconds: Self.begin + quarter * 15 * Self.minute)
    }
    #expect(
      gaps == [
        .gap(ReadingGap(meter: MeterId(1), from: time(2), to: time(4))),
        .gap(ReadingGap(meter: MeterId(1), from: time(5), to: time(6))),
      ])
    // A gap that begins before the period lies in it too.
    #expect(try rows(ana, .gaps, .own, meter: 1, period: time(3)..<time(5)) == [gaps[0]])
    #expect(try rows(ana, .readings, .own, meter: 1, period: time(4)..<time(6)) == [listed[1]])
    ana.close()
    #expect(server.stop() == 0)
    #expect(try Joulebook.run(["replay", server.data]).status == 0)
  }

  @Test("A reading that may be true is kept, listed, and released or refused; its sender sees it.")
  func quarantine() throws {
    let folder = try TemporaryFolder()
    var server = try ServerProcess(data: folder.path + "/data")
    try village.setUp(on: server)
    let meter = RegisterMeter(
      meter: MeterId(2), account: Village.ben, area: AreaId(1),
      publicKey: PublicKey(village.meterKey.publicKey), capacity: 4_000)
    let desk = try village.operatorClient(server)
    try desk.settle(desk.submit(.reference(.registerMeter(meter))))
    desk.close()
    try village.register(SessionId(4), of: 2, .metering, on: server)
    var company = try village.trader(4, server)
    let high = reading(0, 1, 5_000, meter: 2)
    #expect(try send(company, high).code == .readingAboveCapacity)
    let kept = try company.wait { if case .quarantined(let kept) = $0 { kept } else { nil } }
    #expect(kept.number == 1 && kept.reading == high && kept.code == .readingAboveCapacity)
    #expect(kept.session == SessionId(4))
    #expect(try send(company, reading(1, 2, 6_000, meter: 2)).code == .readingAboveCapacity)
    #expect(
      try send(company, reading(2, 1 << 62 + 1, 1, meter: 2)).code == .registerSequenceTooHigh)
    // The same again is kept once.
    #expect(try send(company, high).code == .readingAboveCapacity)
    let all = try rows(company, .quarantine)
    let found = all.compactMap { if case .quarantined(let row) = $0 { row } else { nil } }
    #expect(
      found.map(\.kept.number) == [1, 2, 3] && found.allSatisfy { $0.account == Village.ben })
    #expect(
      found.map(\.kept.code) == [
        .readingAboveCapacity, .readingAboveCapacity, .registerSequenceTooHigh,
      ])
    // Ben owns the account; a trader of another participant sees neither list nor meter.
    try village.register(SessionId(5), of: 3, .trading, on: server)
    try village.register(SessionId(6), of: 2, .trading, on: server)
    let (ben, other) = (try village.trader(5, server), try village.trader(6, server))
    #expect(try rows(ben, .quarantine, .own) == all)
    #expect(try rows(other, .quarantine, .own).isEmpty)
    #expect(throws: ClientError.self) { try rows(other, .readings, .own, meter: 2) }
    #expect(throws: ClientError.self) { try rows(other, .quarantine, .all) }
    #expect(throws: ClientError.self) { try rows(company, .gaps) }
    for client in [ben, other] { client.close() }

    let position = company.position
    company.drop()
    server.kill()
    server = try ServerProcess(data: server.data)
    company = try village.trader(4, server, resume: position)
    #expect(try rows(company, .quarantine) == all)
    let listed = try admin(server, ["list", "quarantine", "--csv"])
    #expect(
      listed.output.contains(",5.000,0.000,measured,1,7007,readingAboveCapacity,"),
      "\(listed.output)")
    let released = try admin(server, ["decide-reading", "--number", "1", "--release"])
    #expect(released.status == 0, "\(released)")
    let report = try company.wait { if case .metered(let report) = $0 { report } else { nil } }
    #expect(report.reference == 0 && report.meter == MeterId(2) && report.registerSequence == 1)
    #expect(report.intervalStart == high.intervalStart && report.account == Village.ben)
    let refused = try admin(server, ["decide-reading", "--number", "2", "--refuse"])
    #expect(refused.status == 0, "\(refused)")
    let again = try admin(server, ["decide-reading", "--number", "2", "--release"])
    #expect(again.status == 77 && again.errors.contains("where 1 are"), "\(again)")
    #expect(try admin(server, ["decide-reading", "--number", "3"]).status == 64)
    #expect(try rows(company, .quarantine) == [all[2]])
    #expect(try rows(company, .readings, meter: 2).count == 1)
    company.close()
    #expect(server.stop() == 0)
    #expect(try Joulebook.run(["replay", server.data, "--ledger"]).status == 0)
  }

  @Test("What a session was is over: the report of a released reading goes to nobody.")
  func changedSender() throws {
    let folder = try TemporaryFolder()
    let server = try ServerProcess(data: folder.path + "/data")
    try village.setUp(on: server)
    let desk = try village.operatorClient(server)
    let meter = RegisterMeter(
      meter: MeterId(2), account: Village.ben, area: AreaId(1),
      publicKey: PublicKey(village.meterKey.publicKey), capacity: 4_000)
    try desk.settle(desk.submit(.reference(.registerMeter(meter))))
    try register(4, of: 2, .metering, desk)
    let company = try village.trader(4, server)
    #expect(try send(company, reading(0, 1, 5_000, meter: 2)).code == .readingAboveCapacity)
    company.close()
    // The identity trades now, for Ana: it is no business of hers what Ben's meter read.
    try register(4, of: 2, .trading, desk)
    let trader = try logOn(4, server)
    let isQuiet = try isQuietAfterRelease(desk, trader)
    #expect(isQuiet, "a report of Ben's reading reached Ana's session")
    for client in [trader, desk] { client.close() }
    #expect(server.stop() == 0)
  }

  private func register(
    _ session: UInt32, of participant: UInt32, _ roles: Roles, _ desk: Client
  ) throws {
    try desk.settle(
      desk.submit(
        .reference(
          .registerSession(
            RegisterSession(
              session: SessionId(session), participant: ParticipantId(participant), roles: roles,
              publicKey: PublicKey(village.key.publicKey))))))
  }

  /// Logs on as soon as the server has closed the identity's former connection.
  private func logOn(_ session: UInt32, _ server: ServerProcess) throws -> Client {
    for _ in 0..<200 {
      do throws(ClientError) {
        return try Client(
          host: "127.0.0.1", port: server.port,
          credentials: Credentials(session: SessionId(session), privateKey: village.key))
      } catch {
        guard "\(error)".contains("1008") else { throw error }
      }
      usleep(20_000)
    }
    throw ClientError.timedOut
  }

  /// Releases reading 1. Whether the trader gets nothing about it.
  private func isQuietAfterRelease(_ desk: Client, _ trader: Client) throws -> Bool {
    try desk.settle(
      desk.submit(.metering(.decideReading(DecideReading(number: 1, releases: true)))))
    try trader.requestStatus()
    return try trader.wait { event -> Bool? in
      switch event {
      case .metered, .corrected: false
      case .status: true
      default: nil
      }
    }
  }

  @Test("One meter keeps eight readings in quarantine; others have room, and the rest is counted.")
  func fullQuarantine() throws {
    let folder = try TemporaryFolder()
    let server = try ServerProcess(
      data: folder.path + "/data", options: ["--set", "capacity.quarantine=16"])
    try village.setUp(on: server)
    let desk = try village.operatorClient(server)
    for number in UInt32(2)...4 {
      let meter = RegisterMeter(
        meter: MeterId(number), account: Village.ben, area: AreaId(1),
        publicKey: PublicKey(village.meterKey.publicKey), capacity: 4_000)
      try desk.settle(desk.submit(.reference(.registerMeter(meter))))
    }
    let ana = try village.trader(2, server)
    for quarter in UInt64(0)..<40 {
      #expect(try send(ana, reading(quarter, 1, 5_000, meter: 2)).code == .readingAboveCapacity)
    }
    func numbers() throws -> [[UInt64]] {
      try rows(desk, .quarantine).map {
        guard case .quarantined(let row) = $0 else { return [] }
        return [row.kept.number, UInt64(row.kept.reading.meter.rawValue), UInt64(row.more)]
      }
    }
    #expect(try numbers() == (1...8).map { [$0, 2, 32] })
    for meter in UInt32(3)...4 {
      for quarter in UInt64(0)..<8 {
        let code = try send(ana, reading(quarter, 1, 5_000, meter: meter)).code
        #expect(code == .readingAboveCapacity)
      }
    }
    // All rows are taken, eight by each of two meters; the third has none.
    #expect(try numbers().map { $0[1] } == [2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3])
    #expect(try rows(desk, .quarantine, meter: 4).isEmpty)
    #expect(try rows(desk, .quarantine, meter: 3).count == 8)
    // A decision makes room.
    try desk.settle(
      desk.submit(.metering(.decideReading(DecideReading(number: 1, releases: false)))))
    #expect(try send(ana, reading(9, 1, 5_000, meter: 4)).code == .readingAboveCapacity)
    #expect(try rows(desk, .quarantine, meter: 4).count == 1)
    for client in [ana, desk] { client.close() }
    #expect(server.stop() == 0)
  }

  @Test("A late reading is verified with the key of its interval, however often the meter changed.")
  func formerKeys() throws {
    let folder = try TemporaryFolder()
    var server = try ServerProcess(data: folder.path + "/data")
    try village.setUp(on: server)
    let keys = (0..<4).map { _ in Curve25519.Signing.PrivateKey() }
    let desk = try village.operatorClient(server)
    // Each hour another key, and the tenant moves.
    func owner(_ number: UInt64) -> AccountId { number % 2 == 0 ? Village.ben : Village.ana }
    for number in UInt64(1)...3 {
      let change = RegisterMeter(
        meter: MeterId(1), account: owner(number), area: AreaId(1),
        publicKey: PublicKey(keys[Int(number)].publicKey), capacity: 0,
        from: Timestamp(nanoseconds: Self.begin + number * Self.hour))
      try desk.settle(desk.submit(.reference(.registerMeter(change))))
    }
    desk.close()
    server.kill()
    server = try ServerProcess(data: server.data)
    let ana = try village.trader(2, server)
    for number in UInt64(0)...3 {
      let key = number == 0 ? village.meterKey : keys[Int(number)]
      let late = reading(number * 4 + 1, 1, 100)
      #expect(
        try send(ana, late, key: number == 0 ? keys[1] : village.meterKey).code
          == .badMeterSignature)
      #expect(try send(ana, late, key: key).account == (number == 0 ? Village.ana : owner(number)))
    }
    // A later version too.
    let version = try send(ana, reading(5, 2, 50), key: keys[1])
    #expect(version.account == owner(1) && version.code == nil)
    // Each owner sees the readings of its own time only; the operator all.
    try village.register(SessionId(5), of: 3, .trading, on: server)
    let ben = try village.trader(5, server)
    #expect(try rows(ben, .readings, .own, meter: 1).count == 1)
    #expect(try rows(ana, .readings, .all, meter: 1).count == 4)
    for client in [ana, ben] { client.close() }
    #expect(server.stop() == 0)
    #expect(try Joulebook.run(["replay", server.data]).status == 0)
  }

  @Test("A metering operator's readings come unsigned, from a session with the role metering only.")
  func unsigned() throws {
    let folder = try TemporaryFolder()
    var server = try ServerProcess(data: folder.path + "/data")
    try village.setUp(on: server)
    let made = try admin(
      server,
      ["meter", "2", "--account", "11", "--area", "1", "--attestation", "operator"]
        + ["--technology", "hydro", "--own-readings"])
    #expect(made.status == 0, "\(made)")
    #expect(try admin(server, ["set-meter-place", "2", "--place", "Mill 3"]).status == 0)
    try village.register(SessionId(5), of: 3, .trading, on: server)
    let company = try village.trader(2, server)
    let ben = try village.trader(5, server)
    let first = try send(company, reading(0, 1, 100, meter: 2), unsigned: true)
    #expect(first.account == Village.ben)
    // A device's meter must sign, a trader's reading too, and a signature of nobody is none.
    #expect(try send(company, reading(0, 1, 100), unsigned: true).code == .badMeterSignature)
    let traders = try send(ben, reading(1, 1, 100, meter: 2), unsigned: true)
    #expect(traders.code == .badMeterSignature)
    #expect(try send(company, reading(1, 1, 100, meter: 2)).code == .badMeterSignature)
    // A weak key is refused as ever.
    let weak = try admin(
      server,
      ["meter", "3", "--account", "11", "--area", "1", "--attestation", "operator"]
        + ["--public-key", "01" + String(repeating: "00", count: 31)])
    #expect(weak.status != 0, "\(weak)")
    // Another account, without a word about the attestation, leaves it as it is.
    let moved = try admin(
      server,
      ["meter", "2", "--account", "10", "--area", "1", "--attestation", "operator"])
    #expect(moved.status == 0, "\(moved)")
    let list = try admin(server, ["list", "meters", "--meter", "2", "--csv"])
    #expect(list.output.contains("2,10,1,,no,operator,hydro,Mill 3,"), "\(list)")
    for client in [company, ben] { client.close() }
    server.kill()
    server = try ServerProcess(data: server.data)
    #expect(try admin(server, ["list", "meters", "--meter", "2", "--csv"]).output == list.output)
    let back = try village.trader(2, server)
    #expect(try send(back, reading(2, 1, 100, meter: 2), unsigned: true).account == Village.ben)
    back.close()
    #expect(server.stop() == 0)
  }

  @Test("Window and minted quality are parameters of an area, in lists, commands and market files.")
  func areaTerms() throws {
    let folder = try TemporaryFolder()
    let server = try ServerProcess(data: folder.path + "/data")
    try village.setUp(on: server)
    for (words, status) in [
      (["reading-window", "--to", "7200"], Int32(0)), (["reading-window", "--to", "3599"], 64),
      (["minted-quality", "--to", "measured"], 0), (["minted-quality", "--to", "guessed"], 64),
    ] {
      let result = try admin(server, ["parameter", "area", "1"] + words)
      #expect(result.status == status, "\(words): \(result)")
    }
    let list = try admin(server, ["list", "areas", "--csv"])
    #expect(list.output.contains(",7200,measured\n"), "\(list)")
    let ana = try village.trader(2, server)
    // Yesterday is before the window.
    let outcome = try send(ana, reading(0, 1, 100))
    #expect(outcome.code == .readingTooLate)
    ana.close()
    #expect(server.stop() == 0)
    let exported = try Joulebook.run(["market", "export", "--data", server.data])
    #expect(
      exported.output.contains("    reading-window: 7200\n    minted-quality: measured\n"),
      "\(exported)")
  }
}
