import GatewayKit
import MarketModel
import Wire

// Market-data subscriptions: requests, corrections of snapshots in progress, tops.

extension BinaryGateway {
  func subscribe(_ frame: Frame, _ slot: Int) {
    guard let message = MarketDataSubscribeDecoder(frame) else { return }
    guard let kind = message.snapshot else {
      return refuse(frame, slot, Refusal(.badEnumValue, message.snapshotRaw, .snapshot))
    }
    let area = message.area
    guard isKnown(area, frame, slot) else { return }
    let work: LongAnswer.Work?
    switch kind {
    case .none: work = nil
    case .orders: work = .orders(next: 0, known: 0)
    case .levels: work = .levels(through: nil)
    case .top: work = .tops(after: .null)
    }
    guard let work else {
      end(area, slot)
      writer(slot)?.ack(0, answerTime, reference: frame.sequenceNumber)
      return peers.subscribe(slot, area, .orders)
    }
    guard replaces(area, slot) || mayWait(frame, slot) else { return }
    end(area, slot)
    writer(slot)?.ack(0, answerTime, reference: frame.sequenceNumber)
    begin(frame, area, work, slot)
  }

  func unsubscribe(_ frame: Frame, _ slot: Int) {
    guard let message = MarketDataUnsubscribeDecoder(frame) else { return }
    guard isKnown(message.area, frame, slot) else { return }
    end(message.area, slot)
    writer(slot)?.ack(0, answerTime, reference: frame.sequenceNumber)
  }

  /// Handles MarketDataResume: sends the messages from the given number on, then live ones.
  func resumeMarketData(_ frame: Frame, _ slot: Int) {
    guard let message = MarketDataResumeDecoder(frame) else { return }
    guard let kind = message.view else {
      return refuse(frame, slot, Refusal(.badEnumValue, message.viewRaw, .view))
    }
    let (area, from) = (message.area, message.fromSeqNo)
    guard isKnown(area, frame, slot) else { return }
    if let refusal = resumeRefusal(from, area) { return refuse(frame, slot, refusal) }
    guard replaces(area, slot) || mayWait(frame, slot) else { return }
    cancelAnswers(slot, area)
    let work: LongAnswer.Work =
      kind == .levels ? .levelUpdates(from: from, nil) : .updates(next: from)
    begin(frame, area, work, slot)
  }

  /// Why the messages of `area` from a number on cannot be sent; `nil` if they can.
  func resumeRefusal(_ from: UInt64, _ area: AreaId) -> Refusal? {
    let first = view.feed.firstKept(of: area)
    if from >= first, from <= view.feed.lastSequence(of: area) + 1 { return nil }
    return Refusal(.marketDataTooOld, limit: Int64(clamping: first))
  }

  private func isKnown(_ area: AreaId, _ frame: Frame, _ slot: Int) -> Bool {
    if view.reference.area(area) != nil { return true }
    refuse(frame, slot, Refusal(.unknownArea, limit: Int64(view.reference.highestArea)))
    return false
  }

  /// Whether a request about `area` replaces one of the client in `slot` that is in progress or waits.
  private func replaces(_ area: AreaId, _ slot: Int) -> Bool {
    long.contains(slot) { $0.isMarketData(of: area) }
  }

  /// Ends the subscription of the client in `slot` to `area`, in progress or not.
  private func end(_ area: AreaId, _ slot: Int) {
    cancelAnswers(slot, area)
    peers.unsubscribe(slot, area)
  }

  private func begin(_ frame: Frame, _ area: AreaId, _ work: LongAnswer.Work, _ slot: Int) {
    let answer = LongAnswer(
      reference: frame.sequenceNumber, area: area, work: work, version: frame.version)
    if answer.needsLevels(of: answer.area) { view.feed.keepLevels(of: answer.area, for: number) }
    enqueue(answer, slot)
  }

  // MARK: Snapshots in progress

  /// Corrects the snapshots in progress by the messages of a command: what a client was sent already
  /// is sent again as it is now, with a null number; what it was not sent will come as it is then.
  func correct(_ messages: UnsafeBufferPointer<FeedMessage>, _ time: Timestamp) {
    for line in long.lines.indices {
      let (slot, answer) = (long.lines[line].slot, long.lines[line].answers[0])
      guard answer.hasBegun else { continue }
      for index in messages.indices where messages[index].area == answer.area {
        correct(line, slot, messages[index], time)
      }
    }
  }

  private func correct(_ line: Int, _ slot: Int, _ message: FeedMessage, _ time: Timestamp) {
    switch long.lines[line].answers[0].work {
    case .orders(let next, let known):
      guard let order = message.update.slot, order < next else { return }
      writer(slot)?.marketData(message.update, area: message.area, sequence: 0, time)
      long.update(line, .orders(next: next, known: known + message.update.orderBalance))
    case .levels(let through?):
      if case .state(let instrument, _) = message.update {
        guard instrument.rawValue <= through.instrument.rawValue else { return }
        writer(slot)?.marketData(message.update, area: message.area, sequence: 0, time)
      } else if let change = message.level, change.key <= through {
        writer(slot)?.level(change.level, of: change.instrument, area: message.area, sequence: 0)
      }
    case .levelUpdates(_, let missed?): missed.note(message, in: view.feed)
    default: break
    }
  }

  // MARK: Subscribers

  /// Sends the tops that changed since the last call.
  func publishTops() {
    for area in view.feed.areasKept(for: number) where peers.hasSubscribers(of: area, .tops) {
      let last = view.feed.lastSequence(of: area)
      for top in view.feed.takeChangedTops(of: area, for: number) {
        send(to: .tops, of: area) { $0.top(top, area: area, sequence: last, answerTime) }
      }
    }
  }

  /// Releases the levels of areas for which this gateway has no subscribers to levels or tops.
  func releaseLevels() {
    for area in view.feed.areasKept(for: number)
    where !peers.hasSubscribers(of: area, .levels) && !peers.hasSubscribers(of: area, .tops)
      && !long.needsLevels(of: area)
    {
      view.feed.releaseLevels(of: area, for: number, at: now)
    }
    view.feed.dropUnwantedLevels(at: now)
  }

  /// Encodes a message of an area once and sends it to all subscribers to this view.
  @inline(__always)
  func send(to view: MarketView, of area: AreaId, _ write: (ReportWriter) -> Void) {
    guard peers.hasSubscribers(of: area, view) else { return }
    write(ReportWriter(into: draft))
    let message = Frame(finished: draft)
    peers.forEachSubscriber(of: area, view) { slot in
      counts.marketData += 1
      let peer = peers.pointer(slot)
      guard let connection = peer.pointee?.connection,
        let room = transport.reserve(connection, message.length)
      else { return }
      room.copyMemory(from: message.start, byteCount: message.length)
      if let version = peer.pointee?.schemaVersion, version < WireSchema.version {
        OlderValues.replace(in: room, for: version)
      }
    }
  }
}
