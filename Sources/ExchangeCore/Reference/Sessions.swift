// Session identities, each with a key, a set of roles and a participant; and the permissions of a
// session (section 11, "All").

import MarketModel

/// A session identity.
struct Session: BitwiseCopyable {
  var exists: Bool
  var roles: UInt8
  /// Between which orders the prevention of self-trades of its orders applies.
  private(set) var selfTrade: SelfTradeScope
  private var marks: UInt8
  var participant: UInt32
  var publicKey: PublicKey

  /// A registered session without a note.
  init(_ new: RegisterSession, isRestricted: Bool) {
    (exists, roles, selfTrade) = (true, new.roles.rawValue, new.selfTrade)
    marks =
      Session.tradingMark(roles) | (isRestricted ? Session.restricted : 0)
      | (selfTrade == .account ? 0 : Session.chosen)
    (participant, publicKey) = (new.participant.rawValue, new.publicKey)
  }

  private static let noted: UInt8 = 1
  private static let restricted: UInt8 = 2
  private static let trading: UInt8 = 4
  private static let chosen: UInt8 = 8

  private static func tradingMark(_ roles: UInt8) -> UInt8 {
    roles & Roles.trading.rawValue != 0 ? trading : 0
  }

  /// Whether it has the trading role, no note waits, it is not restricted and has not chosen between
  /// which orders self-trades are prevented: one comparison for what nearly every order needs to know
  /// about its session.
  @inline(__always) var tradesFreely: Bool { marks == Session.trading }

  /// Whether a note waits for its next order (Notes.swift).
  var hasNote: Bool {
    @inline(__always) get { marks & Session.noted != 0 }
    set { marks = marks & ~Session.noted | (newValue ? Session.noted : 0) }
  }

  /// Whether it is blocked, so that orders must look at the restrictions (Restrictions.swift).
  var isRestricted: Bool {
    @inline(__always) get { marks & Session.restricted != 0 }
    set { marks = marks & ~Session.restricted | (newValue ? Session.restricted : 0) }
  }

  /// Sets what older images lack: no note waits, and nothing is restricted.
  mutating func clearAdditions() { (selfTrade, marks) = (.account, Session.tradingMark(roles)) }
}

extension Exchange {
  func validateSession(_ session: SessionId) -> Refusal? {
    session.rawValue >= 1 && session.rawValue <= capacity.sessions
      && reference.sessions[session.rawValue].exists ? nil : Refusal(.unknownSession)
  }

  /// Refuses unless the session has one of `roles`.
  @inline(__always) func permission(_ request: Request, _ roles: Roles) -> Refusal? {
    if request.isExchange { return nil }
    let number = request.session.rawValue
    guard number <= capacity.sessions, reference.sessions[number].exists,
      reference.sessions[number].roles != 0
    else {
      return Refusal(.unknownSession)
    }
    if reference.sessions[number].roles & roles.rawValue != 0 { return nil }
    return Refusal(.notPermitted, UInt32(roles.intersection(knownRoles).rawValue))
  }

  /// The roles that the rules in force know.
  var knownRoles: Roles { rules < 4 ? .first : .all }

  /// Ends a session's connections: the gateways do it when they learn of the event.
  mutating func cutSession(_ cut: CutSession, _ request: Request) {
    let refusal =
      permission(request, Roles.administrations) ?? validateSession(cut.session)
      ?? validateOwn(
        reference.sessions[cut.session.rawValue].participant, request, Refusal(.foreignSession))
    if let refusal { return reject(refusal, request) }
    invariant(validateSession(cut.session) == nil, "the session is registered")
    emit(.session(.sessionCut(cut)))
    acknowledge(request)
  }

  /// Records that a FIXP session version began or was resumed. The gateway uses the event to number
  /// the session's reports after a restart.
  mutating func beginSession(_ session: BeginSession, _ request: Request) {
    if let refusal = permission(request, []) ?? validateSession(session.session) {
      return reject(refusal, request)
    }
    invariant(request.isExchange, "only the gateway begins a session")
    invariant(
      reference.participants[reference.sessions[session.session.rawValue].participant].exists,
      "a session's participant exists")
    reference.sessions[session.session.rawValue].hasNote = false
    emit(.session(.sessionBegan(session)))
  }

  /// Refuses a client's command whose participant had used up its work. Changes nothing.
  mutating func refuseWork(_ refusal: RefuseWork, _ request: Request) {
    reject(Refusal(.workLimit, refusal.left), request)
  }
}
