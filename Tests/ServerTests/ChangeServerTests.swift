import Crypto
import Foundation
import JoulebookClient
import MarketModel
import Testing

@Suite("Changes of a running market, over the wire")
struct ChangeServerTests {
  private let village = Village()

  private func admin(_ server: ServerProcess, _ arguments: String) throws -> Joulebook.Result {
    try Joulebook.run(
      ["admin"] + arguments.split(separator: " ").map(String.init) + [
        "--data", server.data, "--connect", "127.0.0.1:\(server.port)",
      ])
  }

  private func reading(
    _ client: Client, _ sequence: UInt64, from start: UInt64, to end: UInt64,
    key: Curve25519.Signing.PrivateKey
  ) throws -> (account: AccountId?, code: RejectCode?) {
    let number = try client.send(
      MeterReading(
        meter: MeterId(1), registerSequence: sequence,
        intervalStart: Timestamp(nanoseconds: start), intervalEnd: Timestamp(nanoseconds: end),
        produced: Energy(wattHours: 1_000), consumed: .zero), key: key)
    return try client.wait { event in
      switch event {
      case .metered(let metered): (metered.account, nil)
      case .rejected(let reject) where reject.reference == number: (nil, reject.code)
      default: nil
      }
    }
  }

  @Test("A meter is exchanged and its tenant moves: each interval counts for who had it then.")
  func meter() throws {
    let folder = try TemporaryFolder()
    var server = try ServerProcess(data: folder.path + "/data")
    try village.setUp(on: server)
    let next = Curve25519.Signing.PrivateKey()
    try Data(next.publicKey.rawRepresentation.map { String(format: "%02x", $0) }.joined().utf8)
      .write(to: URL(fileURLWithPath: folder.path + "/next.pub"))
    let minute: UInt64 = 60_000_000_000
    let now = UInt64(Date().timeIntervalSince1970) * 1_000_000_000
    let moment = now - 10 * minute
    var ana = try village.trader(2, server)
    let change =
      "meter 1 --account 11 --area 1 --public-key \(folder.path)/next.pub --from \(moment)"
    let changed = try admin(server, change)
    #expect(changed.status == 0, "\(changed.errors)")
    ana.drop()
    server.kill()
    server = try ServerProcess(data: server.data)
    ana = try village.trader(2, server)
    // Before the moment the former key signs for Ana, then the new one for Ben.
    let late = (moment - 20 * minute, moment - 10 * minute)
    #expect(try reading(ana, 7, from: late.0, to: late.1, key: next).code == .badMeterSignature)
    #expect(
      try reading(ana, 7, from: late.0, to: late.1, key: village.meterKey).account == Village.ana)
    let across = try reading(
      ana, 8, from: moment - minute, to: moment + minute, key: village.meterKey)
    #expect(across.code == .badInterval)
    #expect(
      try reading(ana, 1, from: moment, to: moment + minute, key: next).account == Village.ben)
    let behind = try admin(server, change)
    #expect(
      behind.status == 77 && behind.errors.contains("let the change hold from"), "\(behind.errors)")
    let ended = try admin(
      server, "meter 1 --account 0 --area 1 --public-key \(folder.path)/next.pub")
    #expect(ended.status == 0, "\(ended.errors)")
    ana.close()
    #expect(server.stop() == 0)
    let replay = try Joulebook.run(["replay", server.data, "--ledger"])
    #expect(replay.status == 0, "\(replay.output)")
  }

  @Test("Payments of a bank come in any order, each once.")
  func references() throws {
    let folder = try TemporaryFolder()
    let server = try ServerProcess(data: folder.path + "/data")
    try village.setUp(on: server)
    #expect(try admin(server, "deposit 10 1 --source 7 --reference 42").status == 0)
    #expect(try admin(server, "deposit 11 1 --source 7 --reference 41").status == 0)
    let again = try admin(server, "deposit 10 1 --source 7 --reference 42")
    #expect(again.status == 77 && again.errors.contains("8006"), "\(again.errors)")
    #expect(try admin(server, "withdraw 10 1 --source 8 --reference 42").status == 0)
    #expect(server.stop() == 0)
  }

  @Test("Orders of a session that chose it do not trade with its participant's other accounts.")
  func selfTrade() throws {
    let folder = try TemporaryFolder()
    let server = try ServerProcess(data: folder.path + "/data")
    try village.setUp(on: server)
    #expect(try admin(server, "account 12 --participant 2").status == 0)
    #expect(try admin(server, "deposit 12 100 --reference 1").status == 0)
    try Data(
      village.key.publicKey.rawRepresentation.map { String(format: "%02x", $0) }.joined().utf8
    ).write(to: URL(fileURLWithPath: folder.path + "/ana.pub"))
    let registered = try admin(
      server,
      "session 2 --participant 2 --public-key \(folder.path)/ana.pub --role trading --role metering"
        + " --self-trade participant")
    #expect(registered.status == 0, "\(registered.errors)")
    let ana = try village.trader(2, server)
    let now = UInt64(Date().timeIntervalSince1970) * 1_000_000_000
    _ = try reading(ana, 1, from: now - 60_000_000_000, to: now, key: village.meterKey)
    try ana.enter(.limit(Village.ana, .sell, kilowattHours: 1, at: 100, id: 1))
    try ana.enter(.limit(AccountId(12), .buy, kilowattHours: 1, at: 100, id: 1))
    let canceled = try ana.wait { if case .canceled(let report) = $0 { report } else { nil } }
    #expect(canceled.account == AccountId(12) && canceled.reason == .selfTrade)
    ana.close()
    #expect(server.stop() == 0)
  }

  @Test("A note is reported before its order, copied, sent again, and kept in the ledger.")
  func note() throws {
    let folder = try TemporaryFolder()
    let server = try ServerProcess(data: folder.path + "/data")
    try village.setUp(on: server)
    try village.register(SessionId(4), of: 2, .dropCopy, on: server)
    let copier = try village.trader(4, server)
    let ana = try village.trader(2, server)
    let text = try #require(NoteText("their order 17"))
    try ana.enter(.limit(Village.ana, .buy, kilowattHours: 1, at: 100, id: 1), note: text)
    let noted = try ana.wait { if case .noted(let report) = $0 { report } else { nil } }
    let accepted = try ana.wait { if case .accepted(let report) = $0 { report } else { nil } }
    #expect(noted.text == text && noted.order == accepted.order)
    #expect(noted.clientOrderId == ClientOrderId(1) && noted.account == Village.ana)
    let copied = try copier.wait { if case .noted(let report) = $0 { report } else { nil } }
    #expect(copied == noted)
    // The order that the note names was refused: the next order has no note.
    try ana.enter(.limit(Village.ana, .buy, kilowattHours: 1, at: 9_000, id: 2), note: text)
    _ = try ana.wait { if case .rejected(let reject) = $0 { reject } else { nil } }
    try ana.enter(.limit(Village.ana, .buy, kilowattHours: 1, at: 100, id: 3))
    let first = try ana.wait { event -> Bool? in
      switch event {
      case .noted: false
      case .accepted: true
      default: nil
      }
    }
    #expect(first)
    // A batch of the ledger needs a transfer.
    #expect(try admin(server, "deposit 10 1 --reference 5").status == 0)
    for client in [ana, copier] { client.close() }
    #expect(server.stop() == 0)
    let kept = try Joulebook.run(["ledger", "notes", "--account", "10", "--data", server.data])
    #expect(kept.output.contains(",\"their order 17\"\r"), "\(kept.output)\(kept.errors)")
    #expect(
      try Joulebook.run([
        "ledger", "notes", "--order", "\(noted.order.rawValue)", "--data", server.data,
      ]).output == kept.output)
    let verified = try Joulebook.run(["ledger", "verify", "--data", server.data])
    #expect(verified.status == 0, "\(verified.output)")
  }
}
