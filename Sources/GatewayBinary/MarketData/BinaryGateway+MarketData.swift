import GatewayKit
import MarketModel
import Wire

// Market-data subscriptions: snapshots, gap fills, tops.

extension BinaryGateway {
  func subscribe(_ frame: Frame, _ slot: Int) {
    guard let message = MarketDataSubscribeDecoder(frame), let writer = writer(slot) else {
      return
    }
    guard let kind = message.snapshot else {
      return refuse(frame, slot, Refusal(.badEnumValue, limit: Int64(message.snapshotRaw)))
    }
    let area = message.area
    guard view.reference.area(area) != nil else {
      return refuse(frame, slot, Refusal(.unknownArea, limit: Int64(view.reference.highestArea)))
    }
    let (reference, time) = (frame.sequenceNumber, answerTime)
    writer.ack(0, time, reference: reference)
    switch kind {
    case .none: return follow(area, slot, .orders)
    case .top: subscribeToTops(area, slot)
    case .orders:
      follow(area, slot, .orders)
      view.feed.forEachOrder(in: area) {
        writer.marketData(.add($0), area: area, sequence: 0, time)
      }
    case .levels:
      follow(area, slot, .levels)
      let depth = view.feed.depth(of: area)
      for instrument in view.reference.instruments where instrument.definition.area == area {
        writer.levels(depth[instrument.definition.instrument] ?? [], of: instrument, time)
      }
    }
    writer.snapshotEnd(
      time, reference: reference, area: area, last: view.feed.lastSequence(of: area))
  }

  func unsubscribe(_ frame: Frame, _ slot: Int) {
    guard let message = MarketDataUnsubscribeDecoder(frame) else { return }
    guard view.reference.area(message.area) != nil else {
      return refuse(frame, slot, Refusal(.unknownArea, limit: Int64(view.reference.highestArea)))
    }
    peers.unsubscribe(slot, message.area)
    keepWhatIsWanted()
    writer(slot)?.ack(0, answerTime, reference: frame.sequenceNumber)
  }

  /// Handles MarketDataResume: sends the messages from the given number on, then live ones.
  func resumeMarketData(_ frame: Frame, _ slot: Int) {
    guard let message = MarketDataResumeDecoder(frame), let writer = writer(slot) else { return }
    guard let kind = message.view else {
      return refuse(frame, slot, Refusal(.badEnumValue, limit: Int64(message.viewRaw)))
    }
    let (area, from) = (message.area, message.fromSeqNo)
    guard view.reference.area(area) != nil else {
      return refuse(frame, slot, Refusal(.unknownArea, limit: Int64(view.reference.highestArea)))
    }
    let first = view.feed.firstKept(of: area)
    guard from >= first, from <= view.feed.lastSequence(of: area) + 1 else {
      return refuse(frame, slot, Refusal(.marketDataTooOld, limit: Int64(clamping: first)))
    }
    follow(area, slot, kind == .levels ? .levels : .orders)
    writer.ack(0, answerTime, reference: frame.sequenceNumber)
    switch kind {
    case .orders:
      view.feed.forEachUpdate(in: area, from: from) { update, number, time in
        counts.marketData += 1
        writer.marketData(update, area: area, sequence: number, time)
      }
    case .levels:
      view.feed.forEachLevel(in: area, from: from) { message, number, time in
        counts.marketData += 1
        switch message {
        case .level(let level, let instrument):
          writer.level(level, of: instrument, area: area, sequence: number)
        case .other(let update): writer.marketData(update, area: area, sequence: number, time)
        }
      }
    }
  }

  /// Subscribes the client in `slot` to `area` in this view.
  private func follow(_ area: AreaId, _ slot: Int, _ kind: MarketView) {
    peers.subscribe(slot, area, kind)
    keepWhatIsWanted()
  }

  private func subscribeToTops(_ area: AreaId, _ slot: Int) {
    peers.subscribe(slot, area, .tops)
    keepWhatIsWanted()
    for instrument in view.reference.instruments where instrument.definition.area == area {
      writer(slot)?.top(
        view.feed.top(of: instrument.definition.instrument), area: area,
        sequence: view.feed.lastSequence(of: area), answerTime)
    }
  }

  /// Sends the tops that changed since the last call.
  func publishTops() {
    keepWhatIsWanted()
    guard peers.isWanted(.tops) else { return }
    for top in view.feed.takeChangedTops() {
      let area = view.feed.area(of: top.instrument)
      let last = view.feed.lastSequence(of: area)
      send(to: .tops, of: area) { $0.top(top, area: area, sequence: last, answerTime) }
    }
  }

  /// Encodes a message of an area once and sends it to all subscribers to this view.
  @inline(__always)
  func send(to view: MarketView, of area: AreaId, _ write: (ReportWriter) -> Void) {
    guard peers.hasSubscribers(of: area, view) else { return }
    write(ReportWriter(into: draft))
    let message = Frame(finished: draft)
    peers.forEachSubscriber(of: area, view) { slot in
      counts.marketData += 1
      guard let connection = peers.pointer(slot).pointee?.connection,
        let room = transport.reserve(connection, message.length)
      else { return }
      room.copyMemory(from: message.start, byteCount: message.length)
    }
  }

  /// Has levels and tops maintained only while this gateway has subscribers for them.
  private func keepWhatIsWanted() {
    view.feed.keepLevels(peers.isWanted(.levels), for: number)
    view.feed.keepTops(peers.isWanted(.tops), for: number)
  }
}
