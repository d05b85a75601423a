import Crypto
import JoulebookClient
import JoulebookServer
import MarketModel
import Testing

@Suite("Floods of readings, on a real server", .serialized)
struct ReadingFloodTests {
  private static func reading(_ number: UInt64) -> MeterReading {
    MeterReading(
      meter: MeterId(1), registerSequence: number,
      intervalStart: Timestamp(nanoseconds: MeterTime.start + number * 1_000),
      intervalEnd: Timestamp(nanoseconds: MeterTime.start + number * 1_000 + 1_000),
      produced: .zero,
      consumed: .zero)
  }

  private func server(
    _ folder: TemporaryFolder, _ assembly: Configuration.Threading
  ) throws -> ServerProcess {
    try ServerProcess(
      data: folder.path + "/data", options: ["--set", "capacity.orders=4096"], assembly: assembly)
  }

  @Test(
    "Readings and orders of one session are answered in their order; forged ones are rejected.",
    arguments: Configuration.Threading.allCases)
  func order(assembly: Configuration.Threading) throws {
    let folder = try TemporaryFolder()
    let village = Village()
    let server = try server(folder, assembly)
    try village.setUp(on: server)
    let (ana, ben) = (try village.trader(2, server), try village.trader(3, server))
    let forger = Curve25519.Signing.PrivateKey()
    var expected: [String] = []
    for number in UInt64(1)...600 {
      if number % 20 == 0 {
        let sequence = try ana.send(Self.reading(number), key: forger)
        expected.append("forged \(sequence)")
      } else {
        let sequence = try ana.send(Self.reading(number), key: village.meterKey)
        expected.append("metered \(sequence)")
      }
      if number % 7 == 0 {
        try ana.enter(.limit(Village.ana, .buy, kilowattHours: 1, at: 10, id: number))
        expected.append("accepted \(number)")
      }
    }
    try ana.flush()
    // Another session trades in the meantime.
    try ben.enter(.limit(Village.ben, .buy, kilowattHours: 1, at: 9, id: 1))
    try ben.wait { if case .accepted = $0 { () } else { nil } }
    var found: [String] = []
    while found.count < expected.count {
      found.append(
        try ana.wait { event in
          switch event {
          case .metered(let report): "metered \(report.reference)"
          case .accepted(let report): "accepted \(report.clientOrderId.rawValue)"
          case .rejected(let rejection) where rejection.code == .badMeterSignature:
            "forged \(rejection.reference)"
          case .rejected(let rejection): "\(rejection)"
          default: nil
          }
        })
    }
    #expect(
      found.filter { !$0.hasPrefix("forged") } == expected.filter { !$0.hasPrefix("forged") })
    #expect(found.sorted() == expected.sorted())
  }

  @Test(
    "A server stopped during readings ends in order and keeps those that it acknowledged.",
    arguments: Configuration.Threading.allCases)
  func stopped(assembly: Configuration.Threading) throws {
    let folder = try TemporaryFolder()
    let village = Village()
    var server = try server(folder, assembly)
    try village.setUp(on: server)
    let ana = try village.trader(2, server)
    for number in UInt64(1)...2_000 {
      try ana.send(Self.reading(number), key: village.meterKey)
    }
    var last: UInt64 = 0
    func note(_ event: ClientEvent) -> Bool? {
      if case .metered(let report) = event { last = report.registerSequence }
      return last >= 10 ? true : nil
    }
    _ = try ana.wait(note)
    server.signal(15)
    do {
      while let message = try ana.poll(timeoutMilliseconds: 10_000) { _ = note(message.event) }
    } catch ClientError.terminated(let code, _) {
      #expect(code == .shuttingDown)
    }
    #expect(server.waitForExit() == 0)
    server = try self.server(folder, assembly)
    let back = try village.trader(2, server)
    let next = try back.send(Self.reading(last), key: village.meterKey)
    let answer: RejectCode = try back.wait { event in
      if case .rejected(let rejection) = event, rejection.reference == next {
        rejection.code
      } else {
        nil
      }
    }
    #expect(answer != .badMeterSignature)
    #expect(server.stop() == 0)
  }
}
