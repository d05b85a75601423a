// Lists by page: requests, rows and the end of a page (docs/PROTOCOL.md, "Lists").

import Foundation
import MarketModel
import Wire

/// A row of a list that has a message of its own. Orders come as `orderStatus`, energy as `balance`,
/// instructions as `agentSet`, areas and instruments as `area` and `instrument`; all have the
/// reference of the request.
public enum ListRow: Equatable, Sendable {
  /// An account, its label (empty: none), and whether it is closed.
  case account(AccountId, of: ParticipantId, label: Label, isClosed: Bool)
  /// The cash of an account in a currency.
  case cash(AccountId, Currency, free: Money, reserved: Money)
  /// A meter.
  case meter(ListedMeter)
  /// A participant and its short name.
  case participant(ParticipantId, name: Label)
  /// A session identity.
  case session(ListedSession)
  /// A limit.
  case limit(ListedLimit)
  /// A block.
  case block(ListedBlock)
  /// An announced change of a parameter.
  case parameterChange(ListedParameterChange)
  /// An announced change of a meter.
  case meterChange(ListedMeterChange)
  /// One side of a trade.
  case trade(TradeSide)
  /// A reading in quarantine.
  case quarantined(ListedQuarantine)
  /// Time of which a meter has no reading.
  case gap(ReadingGap)
  /// A kept interval of a meter.
  case reading(ListedInterval)
}

/// A registered meter.
public struct ListedMeter: Equatable, Sendable {
  /// Its number.
  public var meter: MeterId
  /// Whose energy it measures; null: it was ended.
  public var account: AccountId
  /// Where it measures.
  public var area: AreaId
  /// The key of its readings.
  public var key: PublicKey
  /// The rated power of what it meters, W; 0: the default of market rules 7.
  public var capacity: Int64
  /// Whether sessions with the trading role of the account's participant may send its readings.
  public var ownReadings: Bool
  /// Who answers for its readings.
  public var attestation: MeterAttestation
  /// What it measures.
  public var technology: MeterTechnology
  /// Where it stands; empty: not told.
  public var place: Label
}

/// A session identity, and its connection if it is established.
public struct ListedSession: Equatable, Sendable {
  /// The connection of an established session.
  public struct Connection: Equatable, Sendable {
    /// When the session was established, by the server's clock.
    public var since: Timestamp
    /// When the client's last message was handled, by the server's clock.
    public var lastMessage: Timestamp
    /// The client's address; of IPv6 its first 64 bits. Empty where the network does not tell.
    public var address: String
  }

  /// The session identity.
  public var session: SessionId
  /// The participant for which it acts.
  public var participant: ParticipantId
  /// Its roles; empty: it is revoked.
  public var roles: Roles
  /// Its key.
  public var key: PublicKey
  /// Its connection; `nil`: it is not established.
  public var connection: Connection?
}

/// The end of a page.
public struct ListEnd: Equatable, Sendable {
  /// Sequence number of the request.
  public var reference: UInt64
  /// The last command before the page: its rows are the state after it.
  public var through: SequenceNumber
  /// Where the next page begins; 0: there is none.
  public var cursor: UInt64
  /// Number of rows of the page; may be below the count requested while further pages follow.
  public var rows: UInt32
}

extension Client {
  /// Requests a page of a list. Answered with its rows, then `listEnd`; or with `rejected`.
  /// - Parameters:
  ///   - kind: What is listed; participants, sessions and house accounts are for operators, and a
  ///     participant's sessions for its administrator.
  ///   - scope: Whose rows; those of others are for operators.
  ///   - participant: The participant that the scope `participant` names.
  ///   - account: Only rows of this account; null: of all.
  ///   - meter: Only readings of this meter, which gaps and kept intervals need; 0: of all.
  ///   - period: Of trades: those at or after its lower bound and before its upper one; of gaps and kept
  ///     intervals: those that begin then.
  ///   - cursor: 0, or that of the `listEnd` before.
  ///   - count: Most rows, 1 to 100.
  /// - Returns: The sequence number of the message, to which rows and end refer.
  @discardableResult public func requestList(
    _ kind: ListKind, scope: ListScope = .own, participant: ParticipantId = ParticipantId(0),
    account: AccountId = .null, meter: MeterId = MeterId(0),
    period: Range<Timestamp> = ListQuery.always, cursor: UInt64 = 0,
    count: UInt32 = UInt32(ListQuery.mostRows)
  ) throws(ClientError) -> UInt64 {
    try write(ListRequestEncoder.frameLength) { frame, sequence, now in
      ListRequestEncoder(
        into: frame, seqNo: sequence, sendingTime: now, cursor: cursor, participant: participant,
        account: account, count: count, kind: kind, scope: scope, meter: meter,
        fromTime: period.lowerBound, toTime: period.upperBound)
    }
  }

  /// Reads a whole list, page by page, and waits where the limit of work (9007) requires it. Other
  /// messages that arrive before its end are dropped. Blocks the calling thread.
  /// - Parameters:
  ///   - kind: What is listed; participants, sessions and house accounts are for operators, and a
  ///     participant's sessions for its administrator.
  ///   - scope: Whose rows; those of others are for operators.
  ///   - participant: The participant that the scope `participant` names.
  ///   - account: Only rows of this account; null: of all.
  ///   - meter: Only readings of this meter, which gaps and kept intervals need; 0: of all.
  ///   - period: Of trades: those at or after its lower bound and before its upper one; of gaps and kept
  ///     intervals: those that begin then.
  ///   - timeoutMilliseconds: Longest wait for a message.
  ///   - row: Called with each row, in the order of the list.
  /// - Returns: The last command before the last page; of trades, the last one that is settled.
  /// - Errors: `.rejected`, `.timedOut`, and those of `poll`.
  @discardableResult public func readList(
    _ kind: ListKind, scope: ListScope = .own, participant: ParticipantId = ParticipantId(0),
    account: AccountId = .null, meter: MeterId = MeterId(0),
    period: Range<Timestamp> = ListQuery.always, timeoutMilliseconds: Int32 = 10_000,
    _ row: (ClientEvent) -> Void
  ) throws(ClientError) -> SequenceNumber {
    var cursor: UInt64 = 0
    while true {
      let reference = try requestList(
        kind, scope: scope, participant: participant, account: account, meter: meter,
        period: period, cursor: cursor)
      try flush()
      do throws(ClientError) {
        let end = try readPage(reference, timeoutMilliseconds, row)
        if end.cursor == 0 { return end.through }
        cursor = end.cursor
      } catch {
        guard case .rejected(let rejection) = error, rejection.code == .workLimit else {
          throw error
        }
        usleep(20_000)  // Then the same page again.
      }
    }
  }

  private func readPage(
    _ reference: UInt64, _ timeout: Int32, _ row: (ClientEvent) -> Void
  ) throws(ClientError) -> ListEnd {
    while let message = try poll(timeoutMilliseconds: timeout) {
      switch message.event {
      case .listEnd(let end) where end.reference == reference: return end
      case .rejected(let rejection) where rejection.reference == reference && !message.isReport:
        throw .rejected(rejection)
      case .orderStatus(_, reference), .balance(_, reference), .area(_, reference),
        .instrument(_, _, reference), .listRow(_, reference):
        row(message.event)
      case .agentSet(_, reference) where !message.isReport: row(message.event)
      default: break
      }
    }
    throw .timedOut
  }
}

extension EventReader {
  /// Decodes the rows that only lists have, and the end of a page.
  static func listEvent(_ frame: Frame, _ template: Template) -> ClientEvent? {
    switch template {
    case .participantRow:
      ParticipantRowDecoder(frame).map {
        .listRow(.participant($0.participant, name: $0.name), reference: $0.refSeqNo)
      }
    case .sessionRow:
      SessionRowDecoder(frame).map { .listRow(.session($0.session), reference: $0.refSeqNo) }
    case .accountRow:
      AccountRowDecoder(frame).map {
        .listRow(
          .account($0.account, of: $0.participant, label: $0.label, isClosed: $0.isClosed),
          reference: $0.refSeqNo)
      }
    case .cashRow:
      CashRowDecoder(frame).map {
        .listRow(
          .cash($0.account, $0.currency, free: $0.freeCash, reserved: $0.reservedCash),
          reference: $0.refSeqNo)
      }
    case .meterRow:
      MeterRowDecoder(frame).flatMap { row in
        row.listed.map { .listRow(.meter($0), reference: row.refSeqNo) }
      }
    case .limitRow:
      LimitRowDecoder(frame).flatMap { row in
        row.limit.map { .listRow(.limit($0), reference: row.refSeqNo) }
      }
    case .blockRow:
      BlockRowDecoder(frame).map { .listRow(.block($0.block), reference: $0.refSeqNo) }
    case .parameterChangeRow:
      ParameterChangeRowDecoder(frame).flatMap { row in
        row.change.map { .listRow(.parameterChange($0), reference: row.refSeqNo) }
      }
    case .meterChangeRow:
      MeterChangeRowDecoder(frame).map {
        .listRow(.meterChange($0.change), reference: $0.refSeqNo)
      }
    case .tradeRow:
      TradeRowDecoder(frame).flatMap { row in
        row.trade.map { .listRow(.trade($0), reference: row.refSeqNo) }
      }
    case .quarantineRow:
      QuarantineRowDecoder(frame).flatMap { row in
        row.listed.map { .listRow(.quarantined($0), reference: row.refSeqNo) }
      }
    case .readingGapRow:
      ReadingGapRowDecoder(frame).map {
        .listRow(
          .gap(ReadingGap(meter: $0.meter, from: $0.gapStart, to: $0.gapEnd)),
          reference: $0.refSeqNo)
      }
    case .readingRow:
      ReadingRowDecoder(frame).flatMap { row in
        row.listed.map { .listRow(.reading($0), reference: row.refSeqNo) }
      }
    case .listEnd:
      ListEndDecoder(frame).map {
        .listEnd(
          ListEnd(
            reference: $0.refSeqNo, through: $0.through, cursor: $0.cursor, rows: $0.rowCount))
      }
    default: nil
    }
  }
}

extension MeterRowDecoder {
  fileprivate var listed: ListedMeter? {
    guard let attestation, let technology else { return nil }
    return ListedMeter(
      meter: meter, account: account, area: area, key: publicKey, capacity: capacity,
      ownReadings: ownReadings, attestation: attestation, technology: technology, place: place)
  }
}

extension SessionRowDecoder {
  fileprivate var session: ListedSession {
    ListedSession(
      session: sessionId, participant: participant, roles: roles, key: publicKey,
      connection: isConnected
        ? ListedSession.Connection(
          since: since, lastMessage: lastMessage,
          address: address.text + address2.text + address3.text)
        : nil)
  }
}

extension LimitRowDecoder {
  fileprivate var limit: ListedLimit? {
    kind.map {
      ListedLimit(
        $0, of: participant, account: account, session: sessionId, ofOperator: ofOperator,
        ofAdministrator: ofAdministrator)
    }
  }
}

extension BlockRowDecoder {
  fileprivate var block: ListedBlock {
    ListedBlock(
      of: participant, account: account, session: sessionId, byOperator: byOperator,
      byAdministrator: byAdministrator)
  }
}

extension TradeRowDecoder {
  fileprivate var trade: TradeSide? {
    side.map {
      TradeSide(
        trade: tradeId, sequence: sequence, time: tradeTime, account: account, side: $0, area: area,
        currency: currency, quantity: quantity, notional: notional, fee: fee,
        isLocal: isLocal)
    }
  }
}

extension ParameterChangeRowDecoder {
  fileprivate var change: ListedParameterChange? {
    guard let subject, let parameter else { return nil }
    return ListedParameterChange(
      SetParameter(
        subject: subject, number: number, parameter: parameter, value: value, from: fromTime),
      present: present, session: sessionId, fits: fits)
  }
}

extension MeterChangeRowDecoder {
  fileprivate var change: ListedMeterChange {
    var change = ListedMeterChange(
      meter: meter, from: fromTime, account: account, area: area, ownReadings: ownReadings,
      newAccount: newAccount, newArea: newArea, newOwnReadings: newOwnReadings)
    (change.key, change.newKey) = (publicKey, newPublicKey)
    return change
  }
}
