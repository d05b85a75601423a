import MarketModel
import Wire

/// Decodes the server's messages. Stateless; allocates only for groups (levels, explanations).
package enum EventReader {
  /// Decodes a frame that was checked by a `FrameReader`.
  /// - Throws: `.protocolViolation` if an enumeration has an undefined value.
  package static func read(
    _ frame: Frame, _ template: Template, receivedAt: UInt64
  ) throws(ClientError) -> ClientMessage {
    guard let event = try event(frame, template) else {
      throw .protocolViolation("template \(frame.templateId) came in an established session")
    }
    return ClientMessage(
      sequence: isNumbered(template) ? frame.sequenceNumber : 0,
      time: carriesTime(template) ? AckDecoder.time(of: frame) : .never, receivedAt: receivedAt,
      isReport: frame.sequenceNumber != 0 && isReport(template), event: event)
  }

  /// Whether messages with this template, if numbered, count as reports of the session.
  static func isReport(_ template: Template) -> Bool {
    switch template {
    case .accepted, .replaced, .canceled, .trade, .rejected, .restated, .massCancelReport,
      .balanceUpdate, .transferReport, .agentReport, .ack, .noted, .meterReadingAck,
      .readingQuarantined, .reportCopy, .settlementNotice:
      true
    default: false
    }
  }

  private static func isNumbered(_ template: Template) -> Bool {
    template != .notApplied && template != .retransmitReject
  }

  private static func carriesTime(_ template: Template) -> Bool {
    switch template {
    case .orderAdd, .orderModify, .orderDelete, .levelUpdate, .notApplied, .retransmitReject: false
    default: true
    }
  }

  private static func event(
    _ frame: Frame, _ template: Template
  ) throws(ClientError) -> ClientEvent? {
    switch template {
    case .accepted: try AcceptedDecoder(frame)?.event()
    case .replaced: try ReplacedDecoder(frame)?.event()
    case .canceled: try CanceledDecoder(frame)?.event()
    case .trade: try TradeDecoder(frame)?.event()
    case .rejected: RejectedDecoder(frame)?.event()
    case .restated: try RestatedDecoder(frame)?.event()
    case .massCancelReport: try MassCancelReportDecoder(frame)?.event()
    case .balanceUpdate: BalanceUpdateDecoder(frame)?.event()
    case .orderStatus: try OrderStatusDecoder(frame)?.event()
    case .explanation: try ExplanationDecoder(frame)?.event()
    case .transferReport: try TransferReportDecoder(frame)?.event()
    case .agentReport: AgentReportDecoder(frame)?.event()
    case .noted: NotedDecoder(frame)?.event()
    case .ack: AckDecoder(frame)?.event()
    case .reportCopy: ReportCopyDecoder(frame)?.event()
    case .settlementNotice: SettlementNoticeDecoder(frame)?.event()
    case .meterReadingAck: try MeterReadingAckDecoder(frame)?.event()
    case .readingQuarantined: try ReadingQuarantinedDecoder(frame)?.event()
    case .areaDefinition: try AreaDefinitionDecoder(frame)?.event()
    case .instrumentDefinition: try InstrumentDefinitionDecoder(frame)?.event()
    case .stateChange: try StateChangeDecoder(frame)?.event()
    case .referenceDataEnd: ReferenceDataEndDecoder(frame)?.event()
    case .orderAdd: try OrderAddDecoder(frame)?.event()
    case .orderModify: try OrderModifyDecoder(frame)?.event()
    case .orderDelete: try OrderDeleteDecoder(frame)?.event()
    case .marketTrade: try MarketTradeDecoder(frame)?.event()
    case .levelSnapshot: try LevelSnapshotDecoder(frame)?.event()
    case .levelUpdate: try LevelUpdateDecoder(frame)?.event()
    case .topOfBook: TopOfBookDecoder(frame)?.event()
    case .snapshotEnd: SnapshotEndDecoder(frame)?.event()
    case .status: StatusDecoder(frame)?.event()
    case .participantRow, .sessionRow, .accountRow, .cashRow, .meterRow, .limitRow, .blockRow,
      .tradeRow, .parameterChangeRow, .meterChangeRow, .quarantineRow, .readingGapRow, .readingRow,
      .listEnd:
      listEvent(frame, template)
    case .retransmitReject: RetransmitRejectDecoder(frame)?.event()
    case .notApplied: NotAppliedDecoder(frame)?.event()
    default: nil
    }
  }

  /// Unwraps an enumeration; servers send no undefined value.
  static func known<Value>(_ value: Value?) throws(ClientError) -> Value {
    if let value { return value }
    throw .protocolViolation("a field has a value outside its list")
  }
}

extension AckDecoder {
  /// The `transactTime` of a report or answer, which is at the same offset in all of them.
  fileprivate static func time(of frame: Frame) -> Timestamp {
    Timestamp(
      nanoseconds: UInt64(
        littleEndian: frame.start.loadUnaligned(
          fromByteOffset: Frame.headerLength + 8, as: UInt64.self)))
  }
}
