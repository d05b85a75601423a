import GatewayKit
import MarketModel
import Wire

// Long answers, piece by piece: the queue of each connection, and its rounds.

extension BinaryGateway {
  /// Bounds of long answers.
  enum Bounds {
    /// Maximum number of a session's requests that wait behind the one in progress.
    static let waiting = 16
    /// Number of queued bytes below which a connection gets a further piece.
    static let queued = 64 << 10
    /// Maximum number of steps of a piece: of orders, levels, messages or rows visited.
    static let stepsOfPiece = 2_048
    /// Maximum number of steps at the end of a turn, and while requests are read in a turn.
    static let stepsOfTurn = 8_192
    /// Maximum number of order slots that building levels visits in a turn.
    static let stepsOfBuilding = 4_096
  }

  /// How a piece ended.
  private enum Outcome {
    /// The answer is complete, or rejected.
    case done
    /// Steps or space in the send queue are used up.
    case more
    /// The levels are not complete.
    case waits
  }

  /// Whether a further long answer may wait; rejects the request otherwise.
  func mayWait(_ frame: Frame, _ slot: Int) -> Bool {
    if long.count(slot) <= Bounds.waiting { return true }
    refuse(frame, slot, Refusal(.workLimit, limit: Int64(Bounds.waiting)))
    return false
  }

  /// Begins an answer at once if none is before it and the turn's steps allow; otherwise it waits.
  func enqueue(_ answer: LongAnswer, _ slot: Int) {
    let isFirst = long.count(slot) == 0
    long.append(answer, slot)
    guard isFirst, stepsOfReading > 0, view.feed.isBetweenCommands else { return }
    var steps = min(stepsOfReading, Bounds.stepsOfPiece)
    stepsOfReading -= steps
    if makePiece(slot, &steps) { hasUnflushedPiece = true }
    stepsOfReading += steps
  }

  /// Ends what is in progress or waits for a subscription of the client in `slot` to `area`, because
  /// another request replaces it.
  func cancelAnswers(_ slot: Int, _ area: AreaId) {
    for answer in long.remove(slot, where: { $0.isMarketData(of: area) })
    where answer.isResume && !answer.hasBegun {
      writer(slot)?.ack(0, answerTime, reference: answer.reference)
    }
  }

  /// Discards the answers of the session in `slot`, which has ended.
  func dropLongAnswers(_ slot: Int) { _ = long.remove(slot) { _ in true } }

  /// At the end of a turn: builds levels, and makes the next pieces in turn.
  func continueLongAnswers() {
    stepsOfReading = Bounds.stepsOfTurn
    let isBuilding = view.feed.isBuildingLevels
    guard isBuilding || !long.isEmpty else { return }
    guard view.feed.isBetweenCommands else { return transport.turnAgain() }
    if isBuilding { view.feed.buildLevels(steps: Bounds.stepsOfBuilding) }
    var (steps, isUnfinished) = (
      Bounds.stepsOfTurn, view.feed.isBuildingLevels || hasUnflushedPiece
    )
    hasUnflushedPiece = false
    for _ in 0..<long.lines.count where steps > 0 {
      guard let slot = long.rotate() else { break }
      var piece = min(steps, Bounds.stepsOfPiece)
      steps -= piece
      if makePiece(slot, &piece) { isUnfinished = true }
      steps += piece
    }
    if isUnfinished || steps <= 0 { transport.turnAgain() }
  }

  /// Makes the next piece for the client in `slot`.
  /// - Parameter steps: Maximum number of steps; afterwards what is left of it.
  /// - Returns: whether the next piece can be made in the next turn, if the socket accepts this one.
  ///   If it does not, the loop turns when it has; if levels are missing, when they are built.
  private func makePiece(_ slot: Int, _ steps: inout Int) -> Bool {
    guard hasRoom(slot) else { return false }
    while steps > 0, hasRoom(slot) {
      guard var answer = long.takeFirst(slot) else { return false }
      steps -= 1
      if !answer.hasBegun, !begin(&answer, slot) {
        finishIfAnswered(slot)
        continue
      }
      let outcome = advance(&answer, slot, &steps)
      if outcome == .done {
        finishIfAnswered(slot)
        continue
      }
      long.putBack(answer, slot)
      if outcome == .waits { return false }
    }
    return long.count(slot) > 0
  }

  /// Number of bytes that a further piece for the client in `slot` may have.
  private func room(_ slot: Int) -> Int {
    guard let connection = peers.pointer(slot).pointee?.connection else { return 0 }
    return min(Bounds.queued, transport.sendBound / 2) - transport.queued(connection)
  }

  /// Whether the send queue of the client in `slot` has space for a further piece.
  func hasRoom(_ slot: Int) -> Bool { room(slot) > 0 }

  /// - Returns: `false` if the request is rejected.
  private func begin(_ answer: inout LongAnswer, _ slot: Int) -> Bool {
    answer.hasBegun = true
    switch answer.work {
    case .orders, .levels, .tops, .referenceData: return true
    case .updates(let from), .levelUpdates(let from, _):
      if let refusal = resumeRefusal(from, answer.area) {
        refuse(answer.reference, slot, refusal)
        return false
      }
      writer(slot)?.ack(0, answerTime, reference: answer.reference)
      peers.unsubscribe(slot, answer.area)
      return true
    }
  }

  private func advance(_ answer: inout LongAnswer, _ slot: Int, _ steps: inout Int) -> Outcome {
    guard let writer = writer(slot) else { return .done }
    if var cursor = answer.definitions {
      let (area, reference) = (answer.area, answer.reference)
      let isComplete = sendDefinitions(area, reference: reference, slot, writer, &steps, &cursor)
      answer.definitions = isComplete ? nil : cursor
      if !isComplete { return .more }
    }
    if answer.needsLevels(of: answer.area), !view.feed.hasLevels(of: answer.area) { return .waits }
    switch answer.work {
    case .orders(let next, let known):
      return sendOrders(&answer, slot, writer, &steps, from: next, known)
    case .levels(let through): return sendLevels(&answer, slot, writer, &steps, behind: through)
    case .tops(let after): return sendTops(&answer, slot, writer, &steps, after: after)
    case .updates(let next): return sendUpdates(&answer, slot, writer, &steps, from: next)
    case .levelUpdates(let from, let known):
      let missed = known ?? MissedLevels(of: answer.area, from: from, in: view.feed)
      answer.work = .levelUpdates(from: from, missed)
      return sendLevelUpdates(answer, slot, writer, &steps, missed)
    case .referenceData(let cursor):
      return sendReferenceData(&answer, slot, writer, &steps, from: cursor)
    }
  }
}

// MARK: - The pieces

extension BinaryGateway {
  private func sendOrders(
    _ answer: inout LongAnswer, _ slot: Int, _ writer: ReportWriter, _ steps: inout Int,
    from start: Int, _ sent: Int
  ) -> Outcome {
    let (area, count, time) = (answer.area, view.feed.orderCount(of: answer.area), answerTime)
    var (next, known) = (start, sent)
    while known < count, next < view.feed.slotCount {
      guard steps > 0, hasRoom(slot) else {
        answer.work = .orders(next: next, known: known)
        return .more
      }
      if let order = view.feed.nextOrder(in: area, from: &next, steps: &steps) {
        writer.marketData(.add(order), area: area, sequence: 0, time)
        known += 1
      }
    }
    endSnapshot(answer, slot, writer, .orders)
    return .done
  }

  private func sendLevels(
    _ answer: inout LongAnswer, _ slot: Int, _ writer: ReportWriter, _ steps: inout Int,
    behind start: LevelKey?
  ) -> Outcome {
    let time = answerTime
    var through = start
    while let place = nextLevels(of: answer.area, behind: through) {
      guard steps > 0, hasRoom(slot) else {
        answer.work = .levels(through: through)
        return .more
      }
      let most = min(ReportWriter.mostLevels, 1 + room(slot) / ReportWriter.levelLength)
      let levels = view.feed.levels(of: place.instrument, behind: place.key, most: most)
      steps -= levels.count + 1
      let isFirst = place.key == nil
      if isFirst || !levels.isEmpty, let instrument = view.reference.instrument(place.instrument) {
        writer.levels(levels, of: instrument, time)
      }
      through = .last(of: place.instrument)
      if levels.count == most, let last = levels.last {
        through = LevelKey(instrument: place.instrument, side: last.side, price: last.price)
      }
    }
    endSnapshot(answer, slot, writer, .levels)
    return .done
  }

  /// Where a levels snapshot continues that contains the levels up to `key`; `nil` at its end.
  private func nextLevels(
    of area: AreaId, behind key: LevelKey?
  ) -> (instrument: InstrumentId, key: LevelKey?)? {
    if let key, key != .last(of: key.instrument) { return (key.instrument, key) }
    return view.feed.nextInstrument(of: area, after: key?.instrument ?? .null).map { ($0, nil) }
  }

  private func sendTops(
    _ answer: inout LongAnswer, _ slot: Int, _ writer: ReportWriter, _ steps: inout Int,
    after start: InstrumentId
  ) -> Outcome {
    let (area, time) = (answer.area, answerTime)
    if start == .null {
      // Changes from before its first top are not sent again.
      if !peers.hasSubscribers(of: area, .tops) {
        _ = view.feed.takeChangedTops(of: area, for: number)
      }
      peers.subscribe(slot, area, .tops)
    }
    var last = start
    while let instrument = view.feed.nextInstrument(of: area, after: last) {
      guard steps > 0, hasRoom(slot) else {
        answer.work = .tops(after: last)
        return .more
      }
      if let top = view.feed.top(of: instrument) {
        writer.top(top, area: area, sequence: view.feed.lastSequence(of: area), time)
      }
      steps -= 1
      last = instrument
    }
    writer.snapshotEnd(
      time, reference: answer.reference, area: area, last: view.feed.lastSequence(of: area))
    return .done
  }

  /// Sends SnapshotEnd; the channel continues with the next number.
  private func endSnapshot(
    _ answer: LongAnswer, _ slot: Int, _ writer: ReportWriter, _ kind: MarketView
  ) {
    peers.subscribe(slot, answer.area, kind)
    writer.snapshotEnd(
      answerTime, reference: answer.reference, area: answer.area,
      last: view.feed.lastSequence(of: answer.area))
  }

  private func sendUpdates(
    _ answer: inout LongAnswer, _ slot: Int, _ writer: ReportWriter, _ steps: inout Int,
    from start: UInt64
  ) -> Outcome {
    let area = answer.area
    guard start >= view.feed.firstKept(of: area) else { return refuseTooOld(answer, slot) }
    var next = start
    while next <= view.feed.lastSequence(of: area) {
      guard steps > 0, hasRoom(slot) else {
        answer.work = .updates(next: next)
        return .more
      }
      let (update, time) = view.feed.message(next, of: area)
      writer.marketData(update, area: area, sequence: next, time)
      counts.marketData += 1
      next += 1
      steps -= 1
    }
    peers.subscribe(slot, area, .orders)
    return .done
  }

  private func sendLevelUpdates(
    _ answer: LongAnswer, _ slot: Int, _ writer: ReportWriter, _ steps: inout Int,
    _ missed: MissedLevels
  ) -> Outcome {
    let area = answer.area
    guard missed.isKept(in: view.feed) else { return refuseTooOld(answer, slot) }
    missed.walkBack(view.feed, steps: &steps)
    while missed.isReady, steps > 0, hasRoom(slot) {
      guard let (message, number, time) = missed.take(view.feed) else {
        peers.subscribe(slot, area, .levels)
        return .done
      }
      switch message {
      case .level(let level, let instrument):
        writer.level(level, of: instrument, area: area, sequence: number)
      case .other(let update): writer.marketData(update, area: area, sequence: number, time)
      }
      counts.marketData += 1
      steps -= MissedLevels.stepsOfChange
    }
    return .more
  }

  /// The client reads so slowly that the next message is no longer stored.
  private func refuseTooOld(_ answer: LongAnswer, _ slot: Int) -> Outcome {
    let first = view.feed.firstKept(of: answer.area)
    refuse(answer.reference, slot, Refusal(.marketDataTooOld, limit: Int64(clamping: first)))
    return .done
  }

  private func sendReferenceData(
    _ answer: inout LongAnswer, _ slot: Int, _ writer: ReportWriter, _ steps: inout Int,
    from start: ReferenceCursor
  ) -> Outcome {
    var cursor = start
    guard sendDefinitions(answer.area, reference: answer.reference, slot, writer, &steps, &cursor)
    else {
      answer.work = .referenceData(cursor)
      return .more
    }
    writer.referenceDataEnd(
      answerTime, reference: answer.reference, areas: cursor.areas,
      instruments: cursor.instruments)
    return .done
  }
}

extension LevelKey {
  /// A key behind all levels of an instrument.
  fileprivate static func last(of instrument: InstrumentId) -> LevelKey {
    LevelKey(instrument: instrument, side: .sell, price: Price(ticks: .max))
  }
}
