import Foundation
import JoulebookClient
import MarketModel
import Testing

@Suite("What became of a reading, in words and on the bill")
struct ReadingCommandTests {
  @Test(
    "A correction, a reading in quarantine and its release are told, and the bill shows both sides."
  )
  func words() throws {
    let folder = try TemporaryFolder()
    let village = Village()
    let server = try ServerProcess(
      data: folder.path + "/data", options: ["--set", "capacity.orders=1024"])
    try village.setUp(on: server)
    let desk = try village.operatorClient(server)
    try desk.settle(
      desk.submit(
        .reference(
          .registerMeter(
            RegisterMeter(
              meter: MeterId(2), account: Village.ben, area: AreaId(1),
              publicKey: PublicKey(village.meterKey.publicKey), capacity: 40_000)))))
    let ben = try village.trader(3, server)
    let quarter: UInt64 = 900_000_000_000
    func send(_ interval: UInt64, _ version: UInt64, _ consumed: Int64) throws {
      let start = MeterTime.start + interval * quarter
      try ben.send(
        MeterReading(
          meter: MeterId(2), registerSequence: version,
          intervalStart: Timestamp(nanoseconds: start),
          intervalEnd: Timestamp(nanoseconds: start + quarter), produced: .zero,
          consumed: Energy(wattHours: consumed)), key: village.meterKey)
      try ben.flush()
    }
    try send(0, 1, 4_000)
    try ben.wait { if case .metered = $0 { () } else { nil } }
    try send(0, 2, 3_100)
    try send(2, 1, 12_000)
    let rejected = try ben.wait { if case .rejected(let rejection) = $0 { rejection } else { nil } }
    #expect(rejected.code == .readingAboveCapacity)
    try desk.settle(
      desk.submit(.metering(.decideReading(DecideReading(number: 1, releases: true)))))
    for client in [ben, desk] { client.close() }
    #expect(server.stop() == 0)
    func explained(_ interval: UInt64) throws -> Joulebook.Result {
      let moment = Timestamp(nanoseconds: MeterTime.start + interval * quarter)
      return try Joulebook.run([
        "journal", "reading", server.data, "--meter", "2", "--at", moment.iso8601,
      ])
    }
    let first = try explained(0)
    #expect(
      first.output.contains(": reading 1 (measured) of ")
        && first.output.contains("for account 11; imported 4.000 for 1.28\n"), "\(first)")
    #expect(
      first.output.contains(
        "corrects reading 1 of account 11 at feed-in 0.08 and retail 0.32; imports back 0.900 for "
          + "0.288\n"), "\(first)")
    let third = try explained(2).output
    #expect(
      third.contains("reading 1 is number 1 in quarantine\n")
        && third.contains("reading 1 rejected: 7007 readingAboveCapacity\n")
        && third.contains("imported 12.000 for 3.84\n")
        && third.contains("number 1 in quarantine was released\n"), "\(third)")
    #expect(try explained(1).status == 66)
    let bill = try Joulebook.run(["ledger", "statement", "11", "--data", server.data]).output
    #expect(
      bill.contains("Meter 2: 2 intervals, 1 missing\n") && bill.contains("reading 1 taken back")
        && bill.contains("To pay: 4.832 EUR"), "\(bill)")
    #expect(try Joulebook.run(["ledger", "verify", "--data", server.data]).status == 0)
  }
}
