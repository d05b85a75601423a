import Foundation
import JoulebookServer
import MarketModel
import Testing

@testable import Load

@Suite(.serialized) struct LoadRunTests {
  private static func configuration(_ kept: String = "none") throws -> Configuration {
    var configuration = Configuration()
    try configuration.set("journal.kept", to: kept)
    return configuration
  }

  @Test("Every message of an even load is answered, and its latency counts from when it was due.")
  func evenLoad() throws {
    var options = LoadOptions()
    (options.rate, options.connections, options.outstanding) = (4_000, 3, 32)
    (options.durationMilliseconds, options.warmUpMilliseconds) = (500, 100)
    (options.spins, options.idle) = (false, 5)
    options.mix.replace = 10
    let report = try Load.runEmbedded(options, Self.configuration(), isShown: false)
    #expect(report.rejected == 0, "code \(report.lastReject)")
    #expect(report.answered == report.sent)
    #expect(report.trades > 0 && report.trades % 2 == 0)
    #expect(report.latency.totalCount > 0)
    #expect(report.latency.min > 0)
  }

  @Test("A traded order is replaced with more than its executed quantity.")
  func replaces() throws {
    var options = LoadOptions()
    (options.rate, options.connections, options.outstanding) = (0, 2, 16)
    (options.durationMilliseconds, options.warmUpMilliseconds) = (500, 0)
    options.spins = false
    (options.mix.new, options.mix.cancel) = (20, 0)
    (options.mix.replace, options.mix.immediate) = (60, 20)
    let report = try Load.runEmbedded(options, Self.configuration(), isShown: false)
    #expect(report.trades > 0)
    #expect(report.rejected == 0, "code \(report.lastReject)")
  }

  @Test("Icebergs among the orders rest, trade and are cancelled like others.")
  func icebergs() throws {
    var options = LoadOptions()
    (options.rate, options.connections, options.outstanding) = (0, 2, 16)
    (options.durationMilliseconds, options.warmUpMilliseconds) = (500, 0)
    options.spins = false
    options.mix = try #require(OrderMix("new=10,iceberg=40,cancel=20,replace=20,ioc=10"))
    let report = try Load.runEmbedded(options, Self.configuration(), isShown: false)
    #expect(report.trades > 0)
    #expect(report.rejected == 0, "code \(report.lastReject)")
    #expect(report.answered == report.sent)
  }

  @Test("One order at a time is measured beside a flood of readings.")
  func pingPongBesideMeters() throws {
    var options = LoadOptions()
    (options.isPingPong, options.spins, options.meters, options.rate) = (true, false, 7, 300)
    (options.durationMilliseconds, options.warmUpMilliseconds) = (400, 100)
    let report = try Load.runEmbedded(options, Self.configuration(), isShown: false)
    #expect(report.rejected == 0, "code \(report.lastReject)")
    #expect(report.answered == report.sent && report.latency.totalCount > 0)
    let readings = try #require(report.readings)
    #expect(readings > 10)
  }

  @Test("A journaled load at full speed keeps every window full and loses nothing.")
  func flood() throws {
    var options = LoadOptions()
    (options.rate, options.connections, options.outstanding) = (0, 4, 16)
    (options.durationMilliseconds, options.warmUpMilliseconds) = (300, 50)
    (options.spins, options.instruments) = (false, 3)
    let report = try Load.runEmbedded(options, Self.configuration("disk"), isShown: false)
    #expect(report.rejected == 0)
    #expect(report.answered == report.sent)
    #expect(report.rate > 100)
  }

  @Test("One message at a time is measured one by one.")
  func pingPong() throws {
    var options = LoadOptions()
    (options.isPingPong, options.spins) = (true, false)
    (options.durationMilliseconds, options.warmUpMilliseconds) = (200, 50)
    let report = try Load.runEmbedded(options, Self.configuration(), isShown: false)
    #expect(report.rejected == 0)
    #expect(report.answered == report.sent)
    #expect(report.trades == 0)
  }

  @Test("Meters flood signed readings, each of which counts.")
  func meters() throws {
    var options = LoadOptions()
    (options.meters, options.rate, options.spins) = (10, 500, false)
    (options.durationMilliseconds, options.warmUpMilliseconds) = (400, 100)
    let report = try Load.runEmbedded(options, Self.configuration(), isShown: false)
    #expect(report.rejected == 0)
    #expect(report.answered == report.sent)
    #expect(report.sent > 100)
  }

  @Test("A flow file replayed on one connection gives its recorded trades.")
  func flow() throws {
    let path = NSTemporaryDirectory() + "load-test-\(getpid()).flow"
    defer { unlink(path) }
    try Self.smallFlow.write(to: URL(fileURLWithPath: path))
    var options = LoadOptions()
    (options.flow, options.connections, options.spins) = (path, 1, false)
    (options.rate, options.durationMilliseconds) = (0, 5_000)
    let report = try Load.runEmbedded(options, Self.configuration(), isShown: false)
    #expect(report.rejected == 0)
    #expect(report.agreesWithFlow == true)
    #expect(report.trades == 2)
  }

  /// An ask in the prefill; a bid that takes half of it; a bid that rests and is cancelled.
  private static var smallFlow: Data {
    var data = Data("OBFLOW01".utf8)
    func put<Value: FixedWidthInteger>(_ value: Value) {
      withUnsafeBytes(of: value.littleEndian) { data.append(contentsOf: $0) }
    }
    func record(
      _ id: UInt64, _ price: Int32, _ quantity: UInt32, _ account: UInt32, _ kind: UInt8,
      _ side: UInt8
    ) {
      put(id)
      put(price)
      for word in [quantity, UInt32(0), account] { put(word) }
      put(kind)
      put(side)
      put(UInt16(0))
      put(UInt32(0))
    }
    put(UInt32(1))
    put(UInt32(32))
    put(UInt64(1))
    put(UInt64(3))
    put(UInt32(1))
    put(Int32(0))
    put(Int32(1_000))
    put(UInt32(2))
    put(UInt64(3))
    put(UInt64(1))
    put(UInt64(5))
    for _ in 0..<7 { put(UInt64(0)) }
    record(1, 500, 10, 2, 0, 1)
    record(2, 500, 5, 1, 0, 0)
    record(3, 400, 5, 1, 0, 0)
    record(3, 0, 0, 0, 1, 0)
    return data
  }
}

@Suite struct LoadOptionsTests {
  @Test("A mix is written in shares.")
  func mix() {
    #expect(OrderMix("new=1,ioc=3")?.immediate == 3)
    #expect(OrderMix("new=1,ioc=3")?.cancel == 0)
    #expect(OrderMix("new=-1") == nil)
    #expect(OrderMix("new=1,iceberg=3")?.iceberg == 3)
    #expect(OrderMix("buy=1") == nil)
    #expect(OrderMix("new=0") == nil)
  }

  @Test("A run is judged by the limits that were set, and by no other.")
  func limits() {
    var tally = Tally()
    (tally.isMeasuring, tally.rejected) = (true, 2)
    for microsecond in UInt64(1)...100 { tally.answer(due: 0, now: microsecond * 1_000) }
    let report = LoadReport(tally, nanoseconds: 1_000_000_000)
    #expect(report.rate == 100)
    var limits = LoadLimits()
    #expect(limits.broken(by: report).isEmpty)
    limits.latencies = [(50, 60_000), (99, 90_000)]
    #expect(limits.broken(by: report).count == 1)
    (limits.rate, limits.rejects) = (101, 1)
    #expect(limits.broken(by: report).count == 3)
  }

  @Test("A plot names its axes and draws a curve.")
  func plot() {
    var tally = Tally()
    tally.isMeasuring = true
    for microsecond in UInt64(1)...1_000 { tally.answer(due: 0, now: microsecond * 1_000) }
    let svg = LatencyPlot(title: "a < b", [("all", tally.latency)]).svg
    #expect(svg.contains("<polyline"))
    #expect(svg.contains("a &lt; b"))
    #expect(svg.contains("99 %"))
  }
}
