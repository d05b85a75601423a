import MarketModel

// The end of a run: every fault is over, and everything must come right.

extension Run {
  /// Rounds in which a healthy exchange must have answered everything.
  private static let mostRounds = 6_000

  /// No fault any more, the right time, room on the disk; the process starts anew.
  func recoverFromEverything() throws(Violation) {
    disk.faults = .none
    (files.isFailing, files.isRead) = (false, false)
    disk.endProcess()
    try judge()
    clock.wallError = 0
    if server == nil { disk.start() }
    // Damage of the last steps shows now, of a snapshot first, then of the journal; after each refusal
    // the files are brought back.
    for _ in 0..<4 where server == nil { try boot() }
    guard server != nil else { throw Violation("it does not start on a healthy disk") }
    // Behind a snapshot a start does not look at older segments; settlement may have to.
    disk.restore()
    _ = disk.restoreSnapshots()
  }

  /// Clients and server go on until nothing is left to answer.
  func answerEverything() throws(Violation) {
    for _ in 0..<Self.mostRounds {
      ioTurn()
      journalStep()
      settlementStep()
      clock.advance(nanoseconds: 20_000_000)
      try judge()
      if people.allSatisfy(\.outstanding.isEmpty) { return }
    }
    let waiting = people.flatMap(\.outstanding)
    throw Violation("\(waiting.count) requests are never answered, among them \(waiting[0].body)")
  }

  /// SIGTERM: drained, settled, sealed; then the last audit.
  func stopInOrder() throws(Violation) {
    let (eventHash, stateHash) = try drain()
    letGo()
    disk.restore()
    let claimed = people.reduce(into: Set<Claim>()) { $0.formUnion($1.claims) }
    let found = try audit(claimed, isFinal: true)
    guard found == (eventHash, stateHash) else {
      throw Violation("the replay arrives at another state than the exchange had at its end")
    }
    report.claims = claimed.count
    report.sightings = people.reduce(0) { $0 + $1.sightings }
    report.trace = eventHash ^ UInt64(disk.counts.calls) << 32 ^ UInt64(clock.elapsed)
  }

  /// - Returns: event hash and state hash at the end.
  private func drain() throws(Violation) -> (UInt64, UInt64) {
    guard let server else { throw Violation("the server is gone") }
    server.stop()
    var rounds = 0
    while !server.isClosed {
      ioTurn()
      journalStep()
      settlementStep()
      clock.advance(nanoseconds: 10_000_000)
      if let failure { throw failure }
      rounds += 1
      guard rounds < Self.mostRounds else { throw Violation("it does not stop") }
    }
    server.close()
    return (server.eventHash, server.stateHash)
  }
}
