import Crypto
import JoulebookClient
import MarketModel
import Wire

/// Sends readings of many meters at a rate, or as fast as they are answered. The readings are
/// signed before the run, because real meters sign on their own processors. Owned by the load's
/// thread.
final class MeterFlood {
  /// Most readings that are signed before the run.
  private static let most = 400_000
  /// Readings that are signed per second of a flood without a rate. One core of a server verifies
  /// fewer.
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
  /// Time to sign one reading, in ns.
  let signingNanoseconds: UInt64

  /// Signs the readings. The readings of a meter are sent on the session of its account's trader.
  /// - Parameter sessions: The sessions of all traders, or only that of the last trader.
  /// - Throws: `.client` when signing fails.
  init(
    _ options: LoadOptions, _ market: LoadMarket, sessions: [LoadSession], progress: LoadProgress
  ) throws(LoadError) {
    (self.options, self.sessions, self.progress) = (options, sessions, progress)
    let rate = options.rate == 0 ? Self.expectedRate : options.rate
    let count = min(
      Self.most, Int(rate * (options.durationMilliseconds + options.warmUpMilliseconds) / 1_000))
    let start = Client.wallClock().nanoseconds
    let begun = Client.monotonicNow()
    // Readings are sent on one of these sessions, all of the same market.
    let id = sessions.first?.client.market ?? MarketId(0, 0)
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
            reading: reading, signature: try reading.signature(market.meterKey, for: id),
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

  /// Sends readings until all are sent or the duration ends, and waits for the answers.
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

  /// Sends the readings that are due, in order, until the next session's window is full.
  private func send(
    _ next: inout Int, _ start: UInt64, _ now: UInt64
  ) throws(ClientError) {
    let interval = options.rate == 0 ? 0 : 1_000_000_000 / Double(options.rate)
    while next < readings.count {
      let due = options.rate == 0 ? now : start + UInt64(Double(next) * interval)
      let signed = readings[next]
      let session = sessions[Int(signed.trader)]
      guard due <= now, session.canSend else { return }
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
