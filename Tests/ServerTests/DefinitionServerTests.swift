import Foundation
import JoulebookClient
import MarketModel
import Testing

@Suite("Subscribers are told of changed parameters")
struct DefinitionServerTests {
  private let village = Village()

  private func subscribe(
    _ session: UInt32, _ server: ServerProcess, _ snapshot: Snapshot
  ) throws -> Client {
    let client = try village.trader(session, server)
    let number = try client.subscribe(to: AreaId(1), snapshot: snapshot)
    try client.wait { if case .acknowledged(number) = $0 { () } else { nil } }
    if snapshot == .none { return client }
    try client.wait { if case .snapshotEnd = $0 { () } else { nil } }
    #expect(client.definitions.instruments[InstrumentId(1)]?.definition.tick.ticks == 100)
    return client
  }

  private func set(
    _ parameter: Parameter, _ value: Int64, _ client: Client, from: Timestamp = .never
  ) throws {
    try client.settle(
      client.submit(
        .reference(
          .setParameter(
            SetParameter(
              subject: parameter.subject, number: 1, parameter: parameter, value: value, from: from)
          ))))
  }

  /// Waits for a definition with which `holds` is true; it is no report and no numbered message.
  private func waits(
    _ client: Client, until holds: (KnownDefinitions) -> Bool
  ) throws {
    try client.flush()
    for _ in 0..<50 {
      guard let message = try client.poll(timeoutMilliseconds: 10_000) else { break }
      switch message.event {
      case .instrument(_, _, let reference), .area(_, let reference):
        #expect(message.sequence == 0 && reference == 0)
        if holds(client.definitions) { return }
      default: continue
      }
    }
    Issue.record("no definition came")
  }

  @Test(
    "Tick, lot, band, fees, an area's costs and its tariff, at once and later, in every view; a later subscriber begins with them."
  )
  func changes() throws {
    let folder = try TemporaryFolder()
    let server = try ServerProcess(data: folder.path + "/data")
    try village.setUp(on: server)
    try village.register(SessionId(4), of: 2, .trading, on: server)
    try village.register(SessionId(5), of: 2, .trading, on: server)
    try village.register(SessionId(6), of: 2, .trading, on: server)
    let administrator = try village.operatorClient(server)
    let clients = [
      try subscribe(2, server, .orders), try subscribe(3, server, .levels),
      try subscribe(4, server, .top), try subscribe(5, server, .none),
    ]
    let one = InstrumentId(1)
    try set(.lot, 2_000, administrator)
    try set(.highestPrice, 200_000, administrator)
    try set(.takerFee, 1_500, administrator)
    try set(.tick, 200, administrator)
    try set(.lossFactor, 20_000, administrator)
    try set(.ownUse, 60, administrator)
    try set(.localFirst, 0, administrator)
    try administrator.settle(
      administrator.submit(
        .reference(
          .setTariff(
            SetTariff(
              area: AreaId(1), feedInPrice: Price(ticks: 9_000), retailPrice: Price(ticks: 30_000)))
        )))
    let soon = Client.wallClock().nanoseconds + 1_000_000_000
    try set(.makerFee, 700, administrator, from: Timestamp(nanoseconds: soon))
    // In a market without commands, what is due is applied with the next one.
    while Client.wallClock().nanoseconds <= soon { usleep(10_000) }
    try set(.takerFee, 1_500, administrator)
    for client in clients {
      try waits(client) { known in
        guard let instrument = known.instruments[one]?.definition else { return false }
        return instrument.makerFee.partsPerMillion == 700
      }
      let instrument = try #require(client.definitions.instruments[one]?.definition)
      #expect(instrument.lot.wattHours == 2_000 && instrument.tick.ticks == 200)
      #expect(instrument.highestPrice.ticks == 200_000)
      #expect(instrument.takerFee.partsPerMillion == 1_500)
      let area = try #require(client.definitions.areas[AreaId(1)]?.definition)
      #expect(area.feedInPrice.ticks == 9_000 && area.retailPrice.ticks == 30_000)
      #expect(area.lossFactor.partsPerMillion == 20_000)
      let readings = try #require(client.definitions.areas[AreaId(1)]?.readings)
      #expect(readings == AreaReadings(ownUse: 60, isLocalFirst: false))
      client.close()
    }
    administrator.close()
    let late = try village.trader(6, server)
    try late.subscribe(to: AreaId(1), snapshot: .orders)
    try late.wait { if case .snapshotEnd = $0 { () } else { nil } }
    #expect(late.definitions == clients[0].definitions)
    late.close()
    #expect(server.stop() == 0)
  }
}
