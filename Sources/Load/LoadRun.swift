// One thread serves all sessions. It repeatedly sends the messages that are due and then reads the
// answers that have arrived:
//
//     due:       |    |    |    |    |    |    |         at even intervals
//     sent:      |    |    |              | | ||  |      a late message counts from when it was due
//     answered:    |    |                   |
//                             ^ the server stalls
//
// A stall therefore raises the latency of every message that it delayed (no coordinated omission).

import Glibc
import JoulebookClient
import MarketModel

/// Sends a load of orders and measures the answers. Owned by the load's thread.
final class LoadRun {
  /// Longest wait for the last answers, in ns.
  private static let answerTimeout: UInt64 = 5_000_000_000

  private let options: LoadOptions
  private let sessions: [LoadSession]
  private let idle: [Client]
  private var poller = Poller()
  private var random: SeededRandom
  private var flow: FlowCursor?
  private var dirty: [Int] = []
  private var waitsToSend: [Bool]
  private var turn = 0
  /// Whether each answer is followed at once by the next message.
  private var refills = false
  private var progress: LoadProgress
  /// Difference of wall clock and monotonic clock in ns; updated once a second.
  private var wallOffset: UInt64 = 0
  private(set) var tally = Tally()
  /// Trade reports of a flow's prefill, which `tally` does not include.
  private(set) var prefillTrades: (count: UInt64, volume: Int64) = (0, 0)
  /// Measured time in ns.
  private(set) var measuredNanoseconds: UInt64 = 0

  init(
    _ options: LoadOptions, sessions: [LoadSession], idle: [Client], flow: FlowCursor?,
    progress: LoadProgress
  ) {
    (self.options, self.sessions, self.idle) = (options, sessions, idle)
    self.flow = flow
    self.progress = progress
    random = SeededRandom(seed: options.seed)
    waitsToSend = Array(repeating: false, count: sessions.count)
    dirty.reserveCapacity(sessions.count)
    for (index, session) in sessions.enumerated() {
      poller.watch(session.client.descriptor, index)
    }
    for (index, client) in idle.enumerated() {
      poller.watch(client.descriptor, sessions.count + index)
    }
  }

  /// Runs the load until its duration, its number of messages or its flow ends, and waits for the
  /// answers.
  /// - Throws: `.client` when a session ended; `.unanswered`.
  func run() throws(LoadError) {
    do throws(ClientError) {
      try prefill()
      setClocks()
      let start = Client.monotonicNow()
      let warm = start + (flow == nil ? options.warmUpMilliseconds * 1_000_000 : 0)
      let end = warm + options.durationMilliseconds * 1_000_000
      (tally.isMeasuring, tally.measuresFrom) = (true, warm)
      progress.begin(at: start)
      if options.rate == 0 {
        try flood(until: end)
      } else {
        try pace(from: start, until: end)
      }
      measuredNanoseconds = Client.monotonicNow() - warm
      try drain()
    } catch {
      throw .client(error)
    }
    progress.end()
    let open = sessions.reduce(0) { $0 + $1.unanswered.count }
    if open > 0 { throw .unanswered(open) }
  }

  // MARK: Sending

  /// Sends the prefill of a flow as fast as it is answered.
  private func prefill() throws(ClientError) {
    guard let count = flow?.flow.prefill, count > 0 else { return }
    setClocks()
    while let next = flow?.next, next < count {
      let now = Client.monotonicNow()
      var left = min(1_024, count - next)
      while left > 0, try issue(due: now, now) { left -= 1 }
      try flush()
      try receive(waiting: 0)
    }
    try drain()
    prefillTrades = (tally.trades, tally.volume)
    tally = Tally()
  }

  /// Sends messages at even intervals.
  private func pace(from start: UInt64, until end: UInt64) throws(ClientError) {
    let interval = 1_000_000_000 / Double(options.rate)
    var issued: UInt64 = 0
    while true {
      let now = Client.monotonicNow()
      if now >= end || isOver { return }
      var due = start + UInt64(Double(issued) * interval)
      // The burst is bounded, so that answers are read between two bursts.
      var left = 4 * sessions.count + 64
      while due <= now, left > 0, try issue(due: due, now) {
        issued += 1
        left -= 1
        due = start + UInt64(Double(issued) * interval)
      }
      try flush()
      let later = Client.monotonicNow()
      let canWait = !options.spins && due > later
      try receive(waiting: canWait ? min(due - later, 1_000_000) : 0)
      // On a shared machine a thread of the server may be queued on this core. Without the yield it
      // could wait for a scheduler tick (4 ms), which would be measured as latency of the server.
      if options.spins, due > later { sched_yield() }
      try doHousekeeping(later)
    }
  }

  /// Keeps the window of unanswered messages of every session full.
  private func flood(until end: UInt64) throws(ClientError) {
    refills = flow == nil
    defer { refills = false }
    // Each answer refills its session's window; once per ms all windows are checked.
    var nextCheck: UInt64 = 0
    while true {
      let now = Client.monotonicNow()
      if now >= end || isOver { return }
      if flow != nil {
        var left = 4_096
        while left > 0, try issue(due: now, now) { left -= 1 }
      } else if now >= nextCheck {
        nextCheck = now + 1_000_000
        for index in sessions.indices { try fillWindow(index, due: now) }
      }
      try flush()
      try receive(waiting: options.spins ? 0 : 1_000_000)
      try doHousekeeping(now)
    }
  }

  private var isOver: Bool {
    if options.messages > 0, tally.sent >= options.messages { return true }
    return flow?.isAtEnd ?? false
  }

  /// Whether every record of the flow was sent.
  var isComplete: Bool { flow?.isAtEnd ?? false }

  private func setClocks() {
    // The wrapping difference of two clocks; it is negative when the wall clock is set before 1970
    // plus the uptime, and `wall` adds it with wrapping too.
    wallOffset = Client.wallClock().nanoseconds &- Client.monotonicNow()
  }

  private func wall(_ monotonic: UInt64) -> Timestamp {
    Timestamp(nanoseconds: monotonic &+ wallOffset)
  }

  /// Sends messages until the window of a session is full.
  private func fillWindow(_ index: Int, due: UInt64) throws(ClientError) {
    let session = sessions[index]
    let sent = try session.fillWindow(options.mix, &random, due: due, at: wall(due))
    if sent == 0 { return }
    tally.sent += sent
    mark(index)
  }

  /// Sends the next message: a flow's record on its session, a message of the mix on the next
  /// session in turn whose window is not full.
  /// - Returns: `false` when no session can send now; the message stays due.
  private func issue(due: UInt64, _ now: UInt64) throws(ClientError) -> Bool {
    if flow != nil { return try issueRecord(due: due, now) }
    for _ in sessions.indices {
      turn = turn + 1 == sessions.count ? 0 : turn + 1
      let session = sessions[turn]
      if session.canSend, try session.send(options.mix, &random, due: due, at: wall(now)) {
        tally.sent += 1
        mark(turn)
        return true
      }
    }
    return false
  }

  private func issueRecord(due: UInt64, _ now: UInt64) throws(ClientError) -> Bool {
    guard flow?.isAtEnd == false, let trader = flow?.trader, sessions[trader].canSend else {
      return false
    }
    try flow?.send(on: sessions[trader], due: due, now: wall(now))
    tally.sent += 1
    mark(trader)
    return true
  }

  private func mark(_ index: Int) {
    guard !sessions[index].isDirty else { return }
    sessions[index].isDirty = true
    dirty.append(index)
  }

  /// Passes the written messages to the kernel. A session whose socket buffer is full is flushed
  /// again when the socket becomes writable.
  private func flush() throws(ClientError) {
    for index in dirty {
      let session = sessions[index]
      session.isDirty = false
      try session.client.flush()
      if session.client.hasUnsent != waitsToSend[index] {
        waitsToSend[index].toggle()
        poller.watch(
          session.client.descriptor, index, forSending: waitsToSend[index], isKnown: true)
      }
    }
    dirty.removeAll(keepingCapacity: true)
  }

  // MARK: Receiving

  private func receive(waiting nanoseconds: UInt64) throws(ClientError) {
    try poller.wait(nanoseconds: nanoseconds) { (index) throws(ClientError) in
      guard index < sessions.count else {
        try idle[index - sessions.count].pollFrames { (_, _) throws(ClientError) in }
        return
      }
      _ = try sessions[index].receive(&tally)
      if waitsToSend[index] { mark(index) }
      // Refilling at once gives the server work while the other sessions are read.
      if refills {
        try fillWindow(index, due: sessions[index].client.lastReceived)
        try flush()
      }
    }
  }

  /// Once a second: sends keep-alives, updates the clocks and prints the progress.
  private func doHousekeeping(_ now: UInt64) throws(ClientError) {
    guard progress.isDue(now) else { return }
    setClocks()
    for session in sessions { try session.client.keepAlive() }
    for client in idle { try client.keepAlive() }
    progress.show(tally, now)
  }

  private func drain() throws(ClientError) {
    let end = Client.monotonicNow() + Self.answerTimeout
    while sessions.contains(where: { $0.unanswered.count > 0 }), Client.monotonicNow() < end {
      try flush()
      try receive(waiting: 1_000_000)
    }
  }
}
