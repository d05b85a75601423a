import GatewayKit
import MarketModel
import Wire

// Lists by page (docs/PROTOCOL.md, "Lists"). Orders, accounts, instructions, limits, blocks, announced
// changes and house accounts are asked of the exchange like other questions, trades of the ledger. The rest comes from
// the view of durable events, and from the connections; it too keeps its place behind the answers
// that wait.

extension BinaryGateway {
  /// Most numbers of a table that a page of reference data looks at.
  private static let mostNumbers: UInt32 = 8_192

  /// Lets a request for a list wait while the client has not read what it was sent. Nothing is paid.
  func holdList(_ frame: Frame, _ template: Template, _ slot: Int) -> Next? {
    guard template == .listRequest, !hasRoom(slot) else { return nil }
    peers[slot]?.session.putBack(sequence: frame.sequenceNumber)
    pause(slot)
    return .wait
  }

  /// Answers a request for a list, or queues its answer.
  func list(_ frame: Frame, _ slot: Int) -> Next {
    guard let peer = peers[slot], let message = ListRequestDecoder(frame) else { return .go }
    switch query(message, peer) {
    case .failure(let refused):
      refuse(frame.sequenceNumber, slot, refused.refusal, account: message.account)
      return .go
    case .success(let query):
      if query.kind == .trades { return askTrades(query, message, frame, peer) }
      return ask(.list(query), query.account, frame, peer)
    }
  }

  private struct Refused: Error { let refusal: Refusal }

  /// The request, if the session may see what it names.
  private func query(_ message: ListRequestDecoder, _ peer: Peer) -> Result<ListQuery, Refused> {
    func refuse(
      _ code: RejectCode, _ limit: Int64 = 0, _ field: RejectField = RejectField.none
    ) -> Result<ListQuery, Refused> {
      .failure(Refused(refusal: Refusal(code, limit: limit, field: field)))
    }
    guard let kind = message.kind else {
      return refuse(.badEnumValue, Int64(message.kindRaw), .kind)
    }
    guard let scope = message.scope else {
      return refuse(.badEnumValue, Int64(message.scopeRaw), .scope)
    }
    let most = ListQuery.mostRows
    guard (1...UInt32(most)).contains(message.count) else {
      return refuse(.badListCount, Int64(most))
    }
    let isOperator = roles(of: peer).contains(.administration)
    let isOwnSessions = kind == .sessions && administersItself(peer)
    let isOfOther =
      scope == .all || scope == .participant && message.participant != peer.participant
    let seesOthers = !roles(of: peer).isDisjoint(with: kind.readersOfOthers)
    let isForeign = kind.isOfAccounts && isOfOther && !seesOthers
    if !isOperator, kind.isForOperators && !isOwnSessions || isForeign {
      return refuse(.notPermitted, Int64(kind.listers.rawValue))
    }
    var query = ListQuery(kind, cursor: message.cursor, count: Int(message.count))
    if isOwnSessions, !isOperator { query.participant = peer.participant }
    query.lastMeter = view.reference.highestMeter
    if kind == .meters { query.meter = message.meter }
    guard kind.isOfAccounts else { return .success(query) }
    if kind.isOfReadings {
      query.meter = message.meter
      query.intervals =
        message.fromTime.orBeginning..<max(message.toTime, message.fromTime.orBeginning)
      if let refusal = refusal(of: query, peer, seesOthers: seesOthers) {
        return .failure(Refused(refusal: refusal))
      }
    }
    query.lastAccount = view.reference.highestAccount
    if kind == .limits || kind == .blocks {
      query.lastParticipant = view.reference.highestParticipant
      query.lastSession = view.reference.highestSession
    }
    switch scope {
    case .all: break
    case .own: query.participant = peer.participant
    case .participant:
      guard view.reference.participants[message.participant] != nil else {
        return refuse(.unknownParticipant, Int64(view.reference.highestParticipant))
      }
      query.participant = message.participant
    }
    guard message.account != .null else { return .success(query) }
    guard let owner = view.reference.participant(of: message.account) else {
      return refuse(.unknownAccount)
    }
    // Who sees the rows of others may name the account of any participant, whatever the scope.
    guard seesOthers || owner == peer.participant else { return refuse(.foreignAccount) }
    (query.account, query.participant) = (message.account, owner)
    return .success(query)
  }

  /// Whether the session administers its participant, whose sessions it may list.
  private func administersItself(_ peer: Peer) -> Bool {
    roles(of: peer).contains(.participantAdministration)
  }

  // MARK: Its page

  /// Sends a page, if the session still may see it.
  func send(_ page: ListPage, _ answer: WaitingAnswer, _ peer: Peer) {
    guard case .list(let query) = answer.question else { return }
    let (slot, reference) = (peer.connection.slot, answer.reference)
    let isOwn =
      query.participant == peer.participant
      && (query.kind.isOfAccounts || query.kind == .sessions && administersItself(peer))
    let isPublic = query.kind == .areas || query.kind == .instruments
    let seesOthers = !roles(of: peer).isDisjoint(with: query.kind.readersOfOthers)
    guard isOwn || isPublic || seesOthers else {
      let needed = Int64(query.kind.listers.rawValue)
      return refuse(reference, slot, Refusal(.notPermitted, limit: needed))
    }
    guard let writer = writer(slot) else { return }
    var (next, count) = (page.next, page.rows.count)
    switch query.kind {
    case .orders, .accounts, .instructions, .house, .limits, .blocks, .changes:
      for row in page.rows { writer.row(answerTime, reference: reference, withKeys(row)) }
    case .quarantine, .gaps, .readings: count = sendReadings(page, query, reference, writer)
    case .trades: assertionFailure("trades come from the ledger")
    case .meters, .participants, .sessions, .areas, .instruments:
      (next, count) = sendReference(query, reference, writer)
    }
    writer.listEnd(
      answerTime, reference: reference, through: answer.through, next: next, rows: count)
  }

  /// A row with the keys of its meter, which the exchange does not keep.
  private func withKeys(_ row: ListPage.Row) -> ListPage.Row {
    guard case .meterChange(var change) = row, change.from.nanoseconds > 0 else { return row }
    let before = Timestamp(nanoseconds: change.from.nanoseconds - 1)
    if change.account != .null {
      change.key = view.reference.key(of: change.meter, at: before) ?? change.key
    }
    change.newKey = view.reference.key(of: change.meter, at: change.from) ?? change.newKey
    return .meterChange(change)
  }

  /// Sends rows of the view, whose keys are their numbers.
  /// - Returns: where the next page begins, and the number of rows.
  private func sendReference(
    _ query: ListQuery, _ reference: UInt64, _ writer: ReportWriter
  ) -> (next: UInt64, rows: Int) {
    var highest = highestNumber(query.kind)
    var (number, rows, looked) = (UInt32(clamping: max(1, query.cursor)), 0, UInt32(0))
    if query.meter != MeterId(0) {
      (number, highest) = (max(number, query.meter.rawValue), min(highest, query.meter.rawValue))
    }
    while number <= highest {
      if rows == query.count || looked == Self.mostNumbers { return (UInt64(number), rows) }
      if sendRow(number, query, reference, writer) { rows += 1 }
      number += 1
      looked += 1
    }
    return (0, rows)
  }

  private func highestNumber(_ kind: ListKind) -> UInt32 {
    switch kind {
    case .meters: view.reference.highestMeter
    case .participants: view.reference.highestParticipant
    case .sessions: view.reference.highestSession
    case .areas: UInt32(view.reference.highestArea)
    case .instruments: view.reference.highestInstrument
    default: 0
    }
  }

  /// - Returns: whether there is a row of that number that the query means.
  private func sendRow(
    _ number: UInt32, _ query: ListQuery, _ reference: UInt64, _ writer: ReportWriter
  ) -> Bool {
    let time = answerTime
    switch query.kind {
    case .meters:
      // As it is now; what is announced is listed among the changes.
      let (id, now) = (MeterId(number), view.time ?? Timestamp(nanoseconds: 0))
      guard let meter = view.reference.meter(id, at: now), isMeant(meter, query) else {
        return false
      }
      writer.meter(time, reference: reference, id, meter, view.reference.terms(of: id, at: now))
    case .participants:
      guard let name = view.reference.participants[ParticipantId(number)] else { return false }
      writer.participant(time, reference: reference, ParticipantId(number), name)
    case .sessions:
      guard let session = view.reference.session(SessionId(number)),
        query.participant.map({ $0 == session.participant }) ?? true
      else { return false }
      writer.session(time, reference: reference, SessionId(number), session, live(number))
    case .areas:
      let id = AreaId(UInt16(number))
      guard let area = view.reference.area(id) else { return false }
      writer.area(time, reference: reference, area, view.reference.readings(of: id))
    case .instruments:
      guard let instrument = view.reference.instrument(InstrumentId(number)) else { return false }
      writer.instrument(time, reference: reference, instrument)
    default: return false  // Not in the view.
    }
    return true
  }

  private func isMeant(_ meter: ReferenceData.Meter, _ query: ListQuery) -> Bool {
    if query.account != .null { return meter.account == query.account }
    return query.participant.map { view.reference.participant(of: meter.account) == $0 } ?? true
  }

  /// The connection of a session; `nil`: it is not established here.
  private func live(_ number: UInt32) -> LiveSession? {
    guard let slot = peers.slot(of: SessionId(number)), let peer = peers[slot] else { return nil }
    let silence = now.since(peer.session.lastReceived)
    let time = configuration.clock().nanoseconds
    return LiveSession(
      since: peer.since, lastMessage: Timestamp(nanoseconds: time - min(silence, time)),
      address: configuration.address(transport, peer.connection)?.description ?? "")
  }
}

extension ListKind {
  /// The roles of which a session needs one to list what is not its participant's own account's.
  fileprivate var listers: Roles { self == .sessions ? .administrations : readersOfOthers }

  /// The roles of which a session needs one to list the rows of all participants.
  fileprivate var readersOfOthers: Roles {
    switch self {
    case .orders, .accounts: [.administration, .surveillance]
    // Who sends the readings of all meters knows them.
    case .quarantine, .gaps, .readings: [.administration, .metering]
    default: .administration
    }
  }
}

/// The connection of an established session.
struct LiveSession {
  /// When it was established, by the wall clock.
  let since: Timestamp
  /// When its client's last message was handled, by the wall clock.
  let lastMessage: Timestamp
  /// The address of its client.
  let address: String

  /// Characters of the address from an offset on, at most 16.
  func label(from offset: Int) -> Label {
    Label(String(address.dropFirst(offset).prefix(16))) ?? .empty
  }
}

// MARK: - Rows

extension ReportWriter {
  func row(_ time: Timestamp, reference: UInt64, _ row: ListPage.Row) {
    switch row {
    case .order(let state): orderStatus(time, reference: reference, state)
    case .balance(let held): balance(0, time, reference: reference, held)
    case .instruction(let agent):
      let done = SetAgentDone(agent: agent, session: .exchange, clientSequence: reference)
      agentSet(0, time, done)
    case .account(let account, let participant, let label, let isClosed):
      guard let frame = room(AccountRowEncoder.frameLength) else { return }
      AccountRowEncoder(
        into: frame, seqNo: 0, transactTime: time, refSeqNo: reference, account: account,
        participant: participant, isClosed: isClosed, label: label)
    case .cash(let account, let currency, let free, let reserved):
      guard let frame = room(CashRowEncoder.frameLength) else { return }
      CashRowEncoder(
        into: frame, seqNo: 0, transactTime: time, refSeqNo: reference, freeCash: free,
        reservedCash: reserved, account: account, currency: currency)
    case .limit(let limit):
      guard let frame = room(LimitRowEncoder.frameLength) else { return }
      LimitRowEncoder(
        into: frame, seqNo: 0, transactTime: time, refSeqNo: reference, inForce: limit.inForce,
        ofOperator: limit.ofOperator, ofAdministrator: limit.ofAdministrator,
        participant: limit.participant, account: limit.account, sessionId: limit.session,
        kind: limit.kind)
    case .block(let block):
      guard let frame = room(BlockRowEncoder.frameLength) else { return }
      BlockRowEncoder(
        into: frame, seqNo: 0, transactTime: time, refSeqNo: reference,
        participant: block.participant, account: block.account, sessionId: block.session,
        byOperator: block.byOperator, byAdministrator: block.byAdministrator)
    case .parameterChange(let pending): parameterChange(time, reference: reference, pending)
    case .meterChange(let pending): meterChange(time, reference: reference, pending)
    case .quarantined, .gap, .reading:
      break  // They need the account of their interval: sendReadings.
    }
  }

  private func parameterChange(
    _ time: Timestamp, reference: UInt64, _ pending: ListedParameterChange
  ) {
    guard let frame = room(ParameterChangeRowEncoder.frameLength) else { return }
    let change = pending.change
    ParameterChangeRowEncoder(
      into: frame, seqNo: 0, transactTime: time, refSeqNo: reference, fromTime: change.from,
      present: pending.present, value: change.value, number: change.number,
      sessionId: pending.session, subject: change.subject, parameter: change.parameter,
      fits: pending.fits)
  }

  private func meterChange(_ time: Timestamp, reference: UInt64, _ pending: ListedMeterChange) {
    guard let frame = room(MeterChangeRowEncoder.frameLength) else { return }
    MeterChangeRowEncoder(
      into: frame, seqNo: 0, transactTime: time, refSeqNo: reference, fromTime: pending.from,
      publicKey: pending.key, newPublicKey: pending.newKey, meter: pending.meter,
      account: pending.account, newAccount: pending.newAccount, area: pending.area,
      newArea: pending.newArea, ownReadings: pending.ownReadings,
      newOwnReadings: pending.newOwnReadings)
  }

  func meter(
    _ time: Timestamp, reference: UInt64, _ number: MeterId, _ meter: ReferenceData.Meter,
    _ terms: ReferenceData.MeterTerms
  ) {
    guard let frame = room(MeterRowEncoder.frameLength) else { return }
    MeterRowEncoder(
      into: frame, seqNo: 0, transactTime: time, refSeqNo: reference, publicKey: meter.key,
      meter: number, account: meter.account, area: meter.area, ownReadings: terms.ownReadings,
      attestation: terms.attestation, capacity: terms.capacity, place: terms.place,
      technology: terms.technology)
  }

  func participant(
    _ time: Timestamp, reference: UInt64, _ participant: ParticipantId, _ name: Label
  ) {
    guard let frame = room(ParticipantRowEncoder.frameLength) else { return }
    ParticipantRowEncoder(
      into: frame, seqNo: 0, transactTime: time, refSeqNo: reference, name: name,
      participant: participant)
  }

  func session(
    _ time: Timestamp, reference: UInt64, _ number: SessionId, _ session: ReferenceData.Session,
    _ live: LiveSession?
  ) {
    guard let frame = room(SessionRowEncoder.frameLength) else { return }
    SessionRowEncoder(
      into: frame, seqNo: 0, transactTime: time, refSeqNo: reference, since: live?.since ?? .never,
      lastMessage: live?.lastMessage ?? .never, publicKey: session.key,
      address: live?.label(from: 0) ?? .empty, address2: live?.label(from: 16) ?? .empty,
      address3: live?.label(from: 32) ?? .empty, sessionId: number,
      participant: session.participant, roles: session.roles, isConnected: live != nil)
  }

  func listEnd(
    _ time: Timestamp, reference: UInt64, through: SequenceNumber, next: UInt64, rows: Int
  ) {
    guard let frame = room(ListEndEncoder.frameLength) else { return }
    ListEndEncoder(
      into: frame, seqNo: 0, transactTime: time, refSeqNo: reference, through: through,
      cursor: next, rowCount: UInt32(rows))
  }
}
