import GatewayKit
import MarketModel

// Definitions of areas and instruments: they begin every snapshot and every repetition of missed
// messages, and come again to subscribers when they have changed.

extension BinaryGateway {
  /// Sends the definition that an event has made or changed to the subscribers of its area. A change
  /// that holds from a later moment on comes at its moment.
  func publishDefinition(_ event: ReferenceEvent, _ time: Timestamp) {
    switch event {
    case .tariffSet(let tariff): publish(tariff.area, time)
    case .instrumentCreated(let made): publish(made.instrument, time)
    case .parameterSet(let made):
      switch made.change.subject {
      case .area: publish(AreaId(UInt16(truncatingIfNeeded: made.change.number)), time)
      case .instrument: publish(InstrumentId(made.change.number), time)
      case .link, .pool: break
      }
    default: break
    }
  }

  private func publish(_ area: AreaId, _ time: Timestamp) {
    guard let known = view.reference.area(area) else { return }
    let readings = view.reference.readings(of: area)
    toSubscribers(of: area) { $0.area(time, reference: 0, known, readings) }
  }

  private func publish(_ instrument: InstrumentId, _ time: Timestamp) {
    guard let known = view.reference.instrument(instrument) else { return }
    toSubscribers(of: known.definition.area) { $0.instrument(time, reference: 0, known) }
  }

  /// Sends a message to all subscribers of `area`, those of snapshots in progress too.
  private func toSubscribers(of area: AreaId, _ write: (ReportWriter) -> Void) {
    for view in MarketView.allCases { send(to: view, of: area, write) }
    for line in long.lines where line.answers[0].hasBegun && line.answers[0].isMarketData(of: area)
    {
      // Tops are subscribed from their first one on.
      if case .tops(let after) = line.answers[0].work, after != .null { continue }
      if let writer = writer(line.slot) { write(writer) }
    }
  }

  /// Sends definitions from a place on, as far as steps and the send queue allow.
  /// - Parameters:
  ///   - filter: Only this area and its instruments; null: all.
  ///   - cursor: Where to continue; afterwards what is still to be sent.
  /// - Returns: whether none is left.
  func sendDefinitions(
    _ filter: AreaId, reference: UInt64, _ slot: Int, _ writer: ReportWriter, _ steps: inout Int,
    _ cursor: inout ReferenceCursor
  ) -> Bool {
    let time = answerTime
    while steps > 0, hasRoom(slot) {
      steps -= 1
      if let number = cursor.area {
        let area = filter == .null ? AreaId(UInt16(number)) : filter
        let isLast = filter != .null || number >= view.reference.highestArea
        cursor.area = isLast ? nil : number + 1
        if let known = view.reference.area(area) {
          writer.area(time, reference: reference, known, view.reference.readings(of: area))
          cursor.areas += 1
        }
      } else if let instrument = nextInstrument(after: cursor.instrument, filter) {
        cursor.instrument = instrument
        if let known = view.reference.instrument(instrument) {
          writer.instrument(time, reference: reference, known)
          cursor.instruments += 1
        }
      } else {
        return true
      }
    }
    return false
  }

  /// The next instrument number to look at; `nil` after the last.
  private func nextInstrument(after last: InstrumentId, _ filter: AreaId) -> InstrumentId? {
    if filter != .null { return view.feed.nextInstrument(of: filter, after: last) }
    guard last.rawValue < view.reference.highestInstrument else { return nil }
    return InstrumentId(last.rawValue + 1)
  }
}
