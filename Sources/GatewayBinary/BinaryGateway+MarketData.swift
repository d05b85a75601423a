import MarketModel
import Wire

// Subscriptions: snapshots, gaps, tops.

extension BinaryGateway {
  func subscribe(_ frame: Frame, _ slot: Int) {
    guard let message = MarketDataSubscribeDecoder(frame), let writer = writer(slot) else {
      return
    }
    guard let kind = message.snapshot else {
      return refuse(frame, slot, Refusal(.badEnumValue, limit: Int64(message.snapshotRaw)))
    }
    let area = message.area
    guard directory.area(area) != nil else {
      return refuse(frame, slot, Refusal(.unknownArea, limit: Int64(directory.highestArea)))
    }
    let (reference, time) = (frame.sequenceNumber, answerTime)
    if kind != .top { peers.subscribe(slot, area) }
    writer.ack(0, time, reference: reference)
    switch kind {
    case .none: return
    case .top: subscribeToTops(area, slot)
    case .orders:
      feed.forEachOrder(in: area) {
        writer.marketData(.add($0), area: area, sequence: 0, time)
      }
    case .levels:
      for instrument in directory.instruments where instrument.definition.area == area {
        writer.levels(feed.levels(of: instrument.definition.instrument), of: instrument, time)
      }
    }
    writer.snapshotEnd(
      time, reference: reference, area: area, last: feed.lastSequence(of: area))
  }

  func unsubscribe(_ frame: Frame, _ slot: Int) {
    guard let message = MarketDataUnsubscribeDecoder(frame) else { return }
    guard directory.area(message.area) != nil else {
      return refuse(frame, slot, Refusal(.unknownArea, limit: Int64(directory.highestArea)))
    }
    peers.unsubscribe(slot, message.area)
    writer(slot)?.ack(0, answerTime, reference: frame.sequenceNumber)
  }

  /// Sends what a subscriber missed, from the number it names, and what follows.
  func resumeMarketData(_ frame: Frame, _ slot: Int) {
    guard let message = MarketDataResumeDecoder(frame), let writer = writer(slot) else { return }
    let (area, from) = (message.area, message.fromSeqNo)
    guard directory.area(area) != nil else {
      return refuse(frame, slot, Refusal(.unknownArea, limit: Int64(directory.highestArea)))
    }
    let first = feed.firstKept(of: area)
    guard from >= first, from <= feed.lastSequence(of: area) + 1 else {
      return refuse(frame, slot, Refusal(.marketDataTooOld, limit: Int64(clamping: first)))
    }
    peers.subscribe(slot, area)
    endTopsIfUnwanted()
    writer.ack(0, answerTime, reference: frame.sequenceNumber)
    feed.forEachUpdate(in: area, from: from) { update, number, time in
      counts.marketData += 1
      writer.marketData(update, area: area, sequence: number, time)
    }
  }

  private func subscribeToTops(_ area: AreaId, _ slot: Int) {
    peers.subscribeToTops(slot, area)
    feed.keepsTops = true
    for instrument in directory.instruments where instrument.definition.area == area {
      writer(slot)?.top(
        feed.top(of: instrument.definition.instrument), area: area,
        sequence: feed.lastSequence(of: area), answerTime)
    }
  }

  /// Sends the tops that changed since the last time.
  func publishTops() {
    guard feed.keepsTops else { return }
    endTopsIfUnwanted()
    for top in feed.takeChangedTops() {
      let area = feed.area(of: top.instrument)
      for slot in peers.topSubscribers(of: area) {
        counts.marketData += 1
        writer(Int(slot))?.top(
          top, area: area, sequence: feed.lastSequence(of: area), answerTime)
      }
    }
  }

  private func endTopsIfUnwanted() {
    if !peers.hasTopSubscribers { feed.keepsTops = false }
  }
}
