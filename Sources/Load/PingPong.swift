import JoulebookClient
import MarketModel

/// Sends one message at a time: the next one when the last is answered. New orders and cancels of
/// them alternate; only the new orders are measured. Owned by the load's thread.
struct PingPong: ~Copyable {
  private let options: LoadOptions
  private let session: LoadSession
  private var random: SeededRandom
  private var poller = Poller()
  private var progress: LoadProgress
  private(set) var tally = Tally()
  private(set) var measuredNanoseconds: UInt64 = 0

  init(_ options: LoadOptions, _ session: LoadSession, progress: LoadProgress) {
    (self.options, self.session) = (options, session)
    self.progress = progress
    random = SeededRandom(seed: options.seed)
    poller.watch(session.client.descriptor, 0)
  }

  /// Sends messages until the duration ends.
  /// - Throws: `.client` when the session ended; `.unanswered`.
  mutating func run() throws(LoadError) {
    do throws(ClientError) {
      let start = Client.monotonicNow()
      let warm = start + options.warmUpMilliseconds * 1_000_000
      let end = warm + options.durationMilliseconds * 1_000_000
      progress.begin(at: start)
      var now = start
      while now < end {
        session.readClock()
        tally.isMeasuring = now >= warm
        guard try session.sendOrder(&random, now, .resting), try exchange() else { break }
        tally.isMeasuring = false
        session.readClock()
        guard try session.sendCancel(&random, now), try exchange() else { break }
        now = Client.monotonicNow()
        if progress.isDue(now) { progress.show(tally, now) }
      }
      measuredNanoseconds = now - min(now, warm)
    } catch {
      throw .client(error)
    }
    progress.end()
    if session.unanswered.count > 0 { throw .unanswered(session.unanswered.count) }
  }

  /// Flushes the session and waits for the answer.
  /// - Returns: `false` when no answer came within five seconds.
  private mutating func exchange() throws(ClientError) -> Bool {
    tally.sent += 1
    try session.client.flush()
    var looks = 0
    while session.unanswered.count > 0 {
      if try session.receive(&tally) > 0 { continue }
      looks += 1
      if options.spins {
        if looks & 0xFFFF == 0, Client.monotonicNow() > session.client.lastSent + 5_000_000_000 {
          return false
        }
      } else {
        if looks > 5_000 { return false }
        poller.wait(nanoseconds: 1_000_000) { _ in }
      }
    }
    return true
  }
}
