// Lists of readings: the quarantine, and the gaps and kept intervals of a meter. A row belongs to the account
// that the meter had at its interval.

import GatewayKit
import MarketModel
import Wire

extension BinaryGateway {
  /// Why a list of readings is not given: it names no meter, or one that the session may not see.
  func refusal(of query: ListQuery, _ peer: Peer, seesOthers: Bool) -> Refusal? {
    if query.meter == MeterId(0), query.kind == .quarantine { return nil }
    guard view.reference.meter(query.meter) != nil else {
      return Refusal(.unknownMeter, limit: Int64(view.reference.highestMeter))
    }
    return seesOthers || view.reference.isMeter(query.meter, of: peer.participant)
      ? nil : Refusal(.foreignAccount)
  }

  /// Sends the rows of a page that the query means.
  /// - Returns: the number of rows.
  func sendReadings(
    _ page: ListPage, _ query: ListQuery, _ reference: UInt64, _ writer: ReportWriter
  ) -> Int {
    var count = 0
    for row in page.rows {
      switch row {
      case .quarantined(let kept, let more):
        let account = account(of: kept.reading.meter, at: kept.reading.intervalStart)
        guard isMeant(account, query) else { continue }
        writer.quarantineRow(answerTime, reference: reference, kept, more: more, account)
      case .gap(let gap):
        // The time between two intervals may be that of two accounts.
        let last = Timestamp(nanoseconds: gap.to.nanoseconds - 1)
        guard
          isMeant(account(of: gap.meter, at: gap.from), query)
            || isMeant(account(of: gap.meter, at: last), query)
        else { continue }
        writer.gapRow(answerTime, reference: reference, gap)
      case .reading(let kept):
        let account = account(of: kept.reading.meter, at: kept.reading.intervalStart)
        guard isMeant(account, query) else { continue }
        writer.readingRow(answerTime, reference: reference, kept, account)
      default: continue
      }
      count += 1
    }
    return count
  }

  /// Whose interval it is; null: nobody's.
  private func account(of meter: MeterId, at start: Timestamp) -> AccountId {
    view.reference.meter(meter, at: start)?.account ?? .null
  }

  private func isMeant(_ account: AccountId, _ query: ListQuery) -> Bool {
    if query.account != .null { return account == query.account }
    return query.participant.map { view.reference.participant(of: account) == $0 } ?? true
  }
}

extension Timestamp {
  /// The moment, where null means the beginning of time.
  var orBeginning: Timestamp { self == .never ? Timestamp(nanoseconds: 0) : self }
}
