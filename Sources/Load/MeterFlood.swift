import Crypto
import JoulebookClient
import MarketModel
import Wire

/// Readings of many meters as fast as they are answered, or at a rate. They are signed before the run
/// begins: a meter has a processor of its own. Owned by the load's thread.
final class MeterFlood {
  /// Readings that are signed ahead at most.
  private static let most = 400_000
  /// What a server's core can check in a second, with room to spare: so many are signed for a flood.
  private static let expectedRate: UInt64 = 25_000

  private struct Signed {
    var reading: MeterReading
    var signature: Signature
    var trader: Int32
  }

  private let options: LoadOptions
  private let sessions: [LoadSession]
  private let readings: [Signed]
  private var poller = Poller()
  private var progress: LoadProgress
  private(set) var tally = Tally()
  private(set) var measuredNanoseconds: UInt64 = 0
  /// ns that signing one reading took.
  let signingNanoseconds: UInt64

  /// Signs the readings. Those of a session's own meters go over it.
  /// - Parameter sessions: All traders' sessions, or that of the last trader alone.
  /// - Throws: `.client` when a key does not sign.
  init(
    _ options: LoadOptions, _ market: LoadMarket, sessions: [LoadSession], progress: LoadProgress
  ) throws(LoadError) {
    (self.options, self.sessions, self.progress) = (options, sessions, progress)
    let rate = options.rate == 0 ? Self.expectedRate : options.rate
    let count = min(
      Self.most, Int(rate * (options.durationMilliseconds + options.warmUpMilliseconds) / 1_000))
    let start = Client.wallClock().nanoseconds
    let begun = Client.monotonicNow()
    var readings: [Signed] = []
    readings.reserveCapacity(count)
    let alone = sessions.count == 1 && market.traders > 1
    let meters = (0..<market.accounts).filter {
      !alone || market.trader(of: $0) == market.traders - 1
    }.prefix(options.meters)
    do throws(ClientError) {
      for index in 0..<count {
        let meter = meters[index % meters.count]
        let reading = MeterReading(
          meter: market.meter(meter), registerSequence: start + UInt64(index),
          intervalStart: Timestamp(nanoseconds: start + UInt64(index)),
          intervalEnd: Timestamp(nanoseconds: start + UInt64(index) + 1),
          produced: Energy(wattHours: Int64(index % 3)),
          consumed: Energy(wattHours: Int64(index % 2)))
        readings.append(
          Signed(
            reading: reading, signature: try reading.signature(market.meterKey),
            trader: alone ? 0 : Int32(market.trader(of: meter))))
      }
    } catch {
      throw .client(error)
    }
    signingNanoseconds = (Client.monotonicNow() - begun) / UInt64(max(1, count))
    self.readings = readings
    for (index, session) in sessions.enumerated() {
      poller.watch(session.client.descriptor, index)
    }
  }

  /// Sends all readings, or as many as the duration has time for.
  /// - Throws: `.client` when a session ended; `.unanswered`.
  func run() throws(LoadError) {
    do throws(ClientError) {
      let start = Client.monotonicNow()
      let warm = start + options.warmUpMilliseconds * 1_000_000
      let end = warm + options.durationMilliseconds * 1_000_000
      (tally.isMeasuring, tally.measuresFrom) = (true, warm)
      progress.begin(at: start)
      var next = 0
      var now = start
      while next < readings.count, now < end {
        try send(&next, start, now)
        for session in sessions { try session.client.flush() }
        try receive(options.spins ? 0 : 1_000_000)
        now = Client.monotonicNow()
        if progress.isDue(now) { progress.show(tally, now) }
      }
      measuredNanoseconds = Client.monotonicNow() - warm
      let last = Client.monotonicNow() + 5_000_000_000
      while open > 0, Client.monotonicNow() < last { try receive(1_000_000) }
    } catch {
      throw .client(error)
    }
    progress.end()
    if open > 0 { throw .unanswered(open) }
  }

  private var open: Int { sessions.reduce(0) { $0 + $1.unanswered.count } }

  /// Sends what is due, in order, until a session has no room.
  private func send(
    _ next: inout Int, _ start: UInt64, _ now: UInt64
  ) throws(ClientError) {
    let interval = options.rate == 0 ? 0 : 1_000_000_000 / Double(options.rate)
    while next < readings.count {
      let due = options.rate == 0 ? now : start + UInt64(Double(next) * interval)
      let signed = readings[next]
      let session = sessions[Int(signed.trader)]
      guard due <= now, session.hasRoom else { return }
      let sequence = try session.client.send(signed.reading, signature: signed.signature)
      session.unanswered.add(sequence, .reading, id: 0, due: due)
      tally.sent += 1
      next += 1
    }
  }

  private func receive(_ nanoseconds: UInt64) throws(ClientError) {
    try poller.wait(nanoseconds: nanoseconds) { (index) throws(ClientError) in
      _ = try sessions[index].receive(&tally)
    }
  }
}
