import GatewayKit
import MarketModel
import Wire

// Encoding of an event as the report of one session.

extension ReportWriter {
  /// Writes a report.
  @inline(__always) func report(
    _ report: Report, _ event: UnsafePointer<Event>, _ time: Timestamp
  ) {
    let number = report.number
    if report.part == .copyNotice {
      return copied(number, time, report)
    }
    switch event.kind {
    case .accepted: accepted(number, time, event.payload(OrderState.self).pointee)
    case .replaced: replaced(number, time, event.payload(OrderState.self).pointee)
    case .restated: restated(number, time, event.payload(OrderState.self).pointee)
    case .canceled: canceled(number, time, event.payload(OrderCanceled.self).pointee)
    case .trade:
      let trade: UnsafePointer<Trade> = event.payload()
      if report.part == .buyer {
        self.trade(number, time, trade.pointee, .buy, trade.pointee.buyer)
      } else {
        self.trade(number, time, trade.pointee, .sell, trade.pointee.seller)
      }
    case .balance: balance(number, time, reference: 0, event.payload(Balance.self).pointee)
    case .other: rare(number, time, event.pointee)
    }
  }

  private func rare(_ number: UInt64, _ time: Timestamp, _ event: Event) {
    switch event {
    case .rejected(let rejected): self.rejected(number, time, rejected)
    case .metered(let done): metered(number, time, done)
    case .order(.massCanceled(let done)): massCanceled(number, time, done)
    case .order(.agentSet(let done)): agentSet(number, time, done)
    case .order(.noted(let noted)): self.noted(number, time, noted)
    case .cash(.transferred(let done)): transferred(number, time, done)
    case .metering(.corrected(let done)): corrected(number, time, done)
    case .metering(.quarantined(let kept)): quarantined(number, time, kept)
    case .control(.acknowledged(let done)): ack(number, time, reference: done.clientSequence)
    case .control(.settlementConfirmed(let done)): settled(number, time, done)
    default: preconditionFailure("the flows number no other event")
    }
  }

  /// The frames of past reports, concatenated.
  static func frames(of reports: [PastReport]) -> [UInt8] {
    var frames: [UInt8] = []
    withUnsafeTemporaryAllocation(byteCount: RecentReports.longestReport, alignment: 8) { room in
      guard let start = room.baseAddress else { return }
      for past in reports {
        withUnsafePointer(to: past.event) { event in
          ReportWriter(into: start).report(past.report, event, past.time)
        }
        frames += Frame(finished: start).bytes
      }
    }
    return frames
  }
}
