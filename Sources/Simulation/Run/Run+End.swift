import MarketModel

// The end of a run: without further faults, every request must be answered and all states must
// agree.

extension Run {
  /// Rounds after which an exchange without faults must have answered all requests.
  private static let mostRounds = 6_000

  /// Ends all faults, corrects the clock, frees the disk and restarts the server.
  /// - Throws: A violation when the server does not start.
  func recoverFromEverything() throws(Violation) {
    disk.faults = .none
    (files.isFailing, files.isRead, files.callsUntilFailure) = (false, false, nil)
    disk.endProcess()
    try checkFailures()
    clock.wallError = 0
    if server == nil { disk.start() }
    // Damage of the last steps may refuse a start, first of a snapshot, then of the journal; each
    // refusal repairs the files.
    for _ in 0..<4 where server == nil { try boot() }
    guard server != nil else { throw Violation("the server does not start on a repaired disk") }
    // A start from a snapshot does not read older segments, but settlement may read them.
    disk.restore()
    _ = disk.restoreSnapshots()
  }

  /// Runs clients and server until every request is answered.
  func answerEverything() throws(Violation) {
    for _ in 0..<Self.mostRounds {
      ioTurn()
      journalStep()
      settlementStep()
      clock.advance(nanoseconds: 20_000_000)
      try checkFailures()
      if clients.allSatisfy(\.outstanding.isEmpty) { return }
    }
    let waiting = clients.flatMap(\.outstanding)
    throw Violation("\(waiting.count) requests are never answered, among them \(waiting[0].body)")
  }

  /// Stops the server as SIGTERM does: it drains, settles and seals the journal. Then the last
  /// audit runs.
  func stopInOrder() throws(Violation) {
    let (eventHash, stateHash) = try drain()
    releaseServer()
    disk.restore()
    let claimed = sessions.reduce(into: Set<Claim>()) { $0.formUnion($1.claims) }
    let found = try audit(claimed, isFinal: true)
    guard found == (eventHash, stateHash) else {
      throw Violation("the state of the replay differs from that of the exchange at its end")
    }
    report.claims = claimed.count
    report.observationCount = sessions.reduce(0) { $0 + $1.observationCount }
    report.trace = eventHash ^ UInt64(disk.counts.calls) << 32 ^ UInt64(clock.elapsed)
  }

  /// Drains the server.
  /// - Returns: Event hash and state hash at the end.
  private func drain() throws(Violation) -> (UInt64, UInt64) {
    guard let server else { throw Violation("the server has ended before its drain") }
    server.stop()
    var rounds = 0
    while !server.isClosed {
      ioTurn()
      journalStep()
      settlementStep()
      clock.advance(nanoseconds: 10_000_000)
      if let failure { throw failure }
      rounds += 1
      guard rounds < Self.mostRounds else { throw Violation("the server does not stop") }
    }
    server.close()
    return (server.eventHash, server.stateHash)
  }
}
