import GatewayKit
import MarketModel
import Testing

@testable import GatewayBinary

/// One session on one connection, with clocks that the test sets.
private struct World {
  var session: FixpSession
  var identities = SessionIdentities(versionFloor: 100)
  /// The interval clock.
  var now = SteadyTime(nanoseconds: 5_000_000_000_000)
  /// The wall clock, for timestamps.
  var wall = Timestamp(nanoseconds: 1_000_000_000_000)
  static let bot = SessionId(7)

  init() { session = FixpSession(now: now) }

  mutating func negotiate(
    version: UInt64 = 101, skew: Int64 = 0, doubt: Refusal? = nil, session id: SessionId = bot
  ) -> FixpSession.Action {
    session.negotiate(
      NegotiateRequest(session: id, version: version, timestamp: timestamp(skew)),
      now: now, wall: wall, identities: &identities, doubt: doubt)
  }

  /// A client's clock that differs by `skew` ns.
  func timestamp(_ skew: Int64 = 0) -> Timestamp {
    Timestamp(nanoseconds: UInt64(Int64(wall.nanoseconds) + skew))
  }

  mutating func establish(
    version: UInt64 = 101, skew: Int64 = 0, doubt: Refusal? = nil, keepAlive: UInt32 = 1000,
    session id: SessionId = bot
  ) -> FixpSession.Action {
    session.establish(
      EstablishRequest(
        session: id, version: version, timestamp: timestamp(skew),
        keepAliveMilliseconds: keepAlive),
      now: now, wall: wall, identities: &identities, doubt: doubt)
  }

  mutating func log(on version: UInt64 = 101) {
    #expect(negotiate(version: version) == .answer(.respond))
    #expect(establish(version: version) == .answer(.acknowledge))
  }

  mutating func pass(milliseconds: UInt64) {
    now = SteadyTime(nanoseconds: now.nanoseconds + milliseconds * 1_000_000)
    wall = Timestamp(nanoseconds: wall.nanoseconds + milliseconds * 1_000_000)
  }

  /// The client connects again.
  mutating func reconnect() {
    if session.state == .established {
      identities.release(session.identity, nextIncoming: session.nextIncoming)
    }
    session = FixpSession(now: now)
  }
}

@Suite("A FIXP session")
struct FixpSessionTests {
  @Test("Negotiate, Establish, messages, Terminate: the usual life.")
  func usualLife() {
    var world = World()
    #expect(world.session.state == .connected)
    #expect(world.negotiate() == .answer(.respond))
    #expect(world.session.state == .negotiated)
    #expect(world.establish() == .answer(.acknowledge))
    #expect(world.session.state == .established)
    #expect(world.session.identity == World.bot)
    for sequence in UInt64(1)...3 {
      #expect(world.session.admit(sequence: sequence, now: world.now) == .process)
    }
    #expect(world.session.terminated() == .answerTerminate)
    #expect(world.session.state == .ended)
    #expect(world.session.terminated() == .none)
    #expect(world.session.terminate(Refusal(.shuttingDown)) == .none)
  }

  @Test("Every fault in Negotiate has its code and the limit broken.")
  func negotiateFaults() {
    typealias Fault = (String, (inout World) -> FixpSession.Action, Refusal)
    let faults: [Fault] = [
      ("signature", { $0.negotiate(doubt: Refusal(.badSignature)) }, Refusal(.badSignature)),
      (
        "late", { $0.negotiate(skew: -5_000_000_001) },
        Refusal(.timestampOutOfWindow, limit: 5_000_000_000)
      ),
      (
        "early", { $0.negotiate(skew: 5_000_000_001) },
        Refusal(.timestampOutOfWindow, limit: 5_000_000_000)
      ),
      (
        "floor", { $0.negotiate(version: 100) },
        Refusal(.sessionVersionNotIncreasing, limit: 100)
      ),
    ]
    for (name, act, refusal) in faults {
      var world = World()
      #expect(act(&world) == .answer(.rejectNegotiation(refusal)), "\(name)")
      #expect(world.session.state == .ended, "\(name)")
    }
  }

  @Test("The edge of the clock window is inside.")
  func clockWindowEdge() {
    var world = World()
    #expect(world.negotiate(skew: -5_000_000_000) == .answer(.respond))
    #expect(world.establish(skew: 5_000_000_000) == .answer(.acknowledge))
  }

  @Test("Every fault in Establish has its code and the limit broken.")
  func establishFaults() {
    typealias Fault = (String, (inout World) -> FixpSession.Action, Refusal)
    let faults: [Fault] = [
      ("signature", { $0.establish(doubt: Refusal(.badSignature)) }, Refusal(.badSignature)),
      (
        "clock", { $0.establish(skew: 6_000_000_000) },
        Refusal(.timestampOutOfWindow, limit: 5_000_000_000)
      ),
      (
        "version", { $0.establish(version: 102) }, Refusal(.unknownSessionVersion, limit: 101)
      ),
      (
        "identity", { $0.establish(session: SessionId(8)) },
        Refusal(.unknownSessionVersion, limit: 101)
      ),
      ("short", { $0.establish(keepAlive: 999) }, Refusal(.keepAliveOutOfRange, limit: 1000)),
      (
        "long", { $0.establish(keepAlive: 60_001) }, Refusal(.keepAliveOutOfRange, limit: 60_000)
      ),
    ]
    for (name, act, refusal) in faults {
      var world = World()
      #expect(world.negotiate() == .answer(.respond))
      #expect(act(&world) == .answer(.rejectEstablishment(refusal)), "\(name)")
      #expect(world.session.state == .ended, "\(name)")
    }
  }

  @Test("Messages out of place end the session with a code.")
  func messagesOutOfPlace() {
    var world = World()
    #expect(world.establish() == .answer(.rejectEstablishment(Refusal(.notNegotiated))))
    world.reconnect()
    #expect(
      world.session.admit(sequence: 1, now: world.now) == .terminate(Refusal(.notNegotiated)))
    world.reconnect()
    #expect(
      world.session.sequence(next: 1, now: world.now) == .terminate(Refusal(.notNegotiated)))
    world.reconnect()
    #expect(world.negotiate() == .answer(.respond))
    #expect(
      world.session.admit(sequence: 1, now: world.now) == .terminate(Refusal(.notEstablished)))
    world.reconnect()
    #expect(world.negotiate(version: 102) == .answer(.respond))
    #expect(world.negotiate(version: 103) == .terminate(Refusal(.alreadyNegotiated)))
    world.reconnect()
    world.log(on: 104)
    #expect(world.establish(version: 104) == .terminate(Refusal(.alreadyEstablished)))
    #expect(world.session.state == .ended)
  }

  /// An event that happens to a session.
  private enum Act: String, CaseIterable {
    case negotiate, establish, message, sequence, request, finished, received, terminate, silence

    /// The result, as text.
    func verdict(_ world: inout World) -> String {
      switch self {
      case .negotiate: "\(world.negotiate(version: 900))"
      case .establish: "\(world.establish(version: world.session.version))"
      case .message: "\(world.session.admit(sequence: 1, now: world.now))"
      case .sequence: "\(world.session.sequence(next: 1, now: world.now))"
      case .request: "\(world.session.request(now: world.now))"
      case .finished:
        "\(world.session.finishedSending(version: world.session.version, last: 0, now: world.now))"
      case .received:
        "\(world.session.finishedReceiving(version: world.session.version, now: world.now))"
      case .terminate: "\(world.session.terminated())"
      case .silence:
        {
          world.pass(milliseconds: 10_001)
          return "\(world.session.tick(now: world.now))"
        }()
      }
    }
  }

  @Test("In each state each message has one outcome: the whole machine as a table.")
  func theWholeMachine() {
    func ends(_ code: RejectCode, _ limit: Int64 = 0) -> String {
      "\(FixpSession.Action.terminate(Refusal(code, limit: limit)))"
    }
    let responds = "\(FixpSession.Action.answer(.respond))"
    let acknowledges = "\(FixpSession.Action.answer(.acknowledge))"
    let refused = "\(FixpSession.Action.answer(.rejectEstablishment(Refusal(.notNegotiated))))"
    // Columns: negotiate, establish, message, sequence, request, finished sending, finished receiving,
    // terminate, silence.
    let table: [(state: FixpSession.State, outcomes: [String])] = [
      (
        .connected,
        [
          responds, refused, ends(.notNegotiated), ends(.notNegotiated), ends(.notNegotiated),
          ends(.notNegotiated), ends(.notNegotiated), "answerTerminate", ends(.notNegotiated),
        ]
      ),
      (
        .negotiated,
        [
          ends(.alreadyNegotiated), acknowledges, ends(.notEstablished), ends(.notEstablished),
          ends(.notEstablished), ends(.notEstablished), ends(.notEstablished), "answerTerminate",
          ends(.notEstablished),
        ]
      ),
      (
        .established,
        [
          ends(.alreadyNegotiated), ends(.alreadyEstablished), "process", "drop", "process",
          "process", ends(.finishOutOfPlace), "answerTerminate",
          ends(.keepAliveExpired, 10_001_000_000),
        ]
      ),
      (
        .ended,
        [
          "none", "none", ends(.notEstablished), ends(.notEstablished), ends(.notEstablished),
          ends(.notEstablished), ends(.notEstablished), "none", "none",
        ]
      ),
    ]
    for (state, outcomes) in table {
      for (act, outcome) in zip(Act.allCases, outcomes) {
        var world = World()
        if state != .connected { #expect(world.negotiate() == .answer(.respond)) }
        if state == .established || state == .ended {
          #expect(world.establish() == .answer(.acknowledge))
        }
        if state == .ended { _ = world.session.terminated() }
        #expect(world.session.state == state)
        let verdict = act.verdict(&world)
        #expect(verdict == outcome, "\(act) when \(state)")
        let goesOn = [responds, acknowledges, "process", "drop"].contains(outcome)
        #expect((world.session.state == .ended) == !goesOn, "\(act) when \(state)")
      }
    }
  }

  @Test("Each step of finishing has one outcome for each message: a table of its own.")
  func finishing() {
    func ends(_ code: RejectCode, _ limit: Int64 = 0) -> String {
      "\(FixpSession.Action.terminate(Refusal(code, limit: limit)))"
    }
    let out = ends(.finishOutOfPlace)
    // Columns as above, without the last two.
    let table: [(finish: FixpSession.Finish, outcomes: [String])] = [
      (
        .received,
        [
          ends(.alreadyNegotiated), ends(.alreadyEstablished), out, "drop", "process", "drop", out,
        ]
      ),
      (
        .sent,
        [
          ends(.alreadyNegotiated), ends(.alreadyEstablished), out, "drop", "process", "drop",
          "process",
        ]
      ),
      (
        .done,
        [
          ends(.alreadyNegotiated), ends(.alreadyEstablished), out, "drop", "process", "drop",
          "process",
        ]
      ),
    ]
    for (finish, outcomes) in table {
      for (act, outcome) in zip(Act.allCases, outcomes) {
        var world = World()
        world.log()
        let early = world.session.finishSending()
        #expect(!early, "the client has not finished")
        _ = Act.finished.verdict(&world)
        #expect(world.session.isSending)
        if finish != .received {
          let (once, twice) = (world.session.finishSending(), world.session.finishSending())
          #expect(once && !twice)
          #expect(!world.session.isSending)
        }
        if finish == .done { _ = Act.received.verdict(&world) }
        #expect(world.session.finish == finish)
        #expect(act.verdict(&world) == outcome, "\(act) when \(finish)")
      }
    }
  }

  @Test(
    "The announced last number closes a gap, is not below received numbers and does not change.")
  func lastNumber() {
    func finished(_ world: inout World, _ last: UInt64, version: UInt64 = 101)
      -> FixpSession.Admission
    {
      world.session.finishedSending(version: version, last: last, now: world.now)
    }
    func world() -> World {
      var world = World()
      world.log()
      #expect(world.session.admit(sequence: 1, now: world.now) == .process)
      #expect(world.session.admit(sequence: 2, now: world.now) == .process)
      return world
    }
    var exact = world()
    #expect(finished(&exact, 2) == .process)
    #expect(finished(&exact, 2) == .drop, "said again")
    #expect(finished(&exact, 3) == .terminate(Refusal(.sequenceGap, limit: 3)))
    var gap = world()
    #expect(finished(&gap, 5) == .processAfterGap(from: 3, count: 3))
    #expect(
      gap.session.sequence(next: 7, now: gap.now) == .terminate(Refusal(.finishOutOfPlace)))
    var low = world()
    #expect(finished(&low, 1) == .terminate(Refusal(.sequenceGap, limit: 3)))
    var highest = world()
    #expect(finished(&highest, .max) == .terminate(Refusal(.sequenceGap, limit: 3)))
    var other = world()
    #expect(
      finished(&other, 2, version: 9) == .terminate(Refusal(.unknownSessionVersion, limit: 101)))
  }

  @Test("A session version is used once, also after a reconnect.")
  func versionsIncrease() {
    var world = World()
    world.log(on: 500)
    world.reconnect()
    #expect(
      world.negotiate(version: 500)
        == .answer(.rejectNegotiation(Refusal(.sessionVersionNotIncreasing, limit: 500))))
    world.reconnect()
    world.log(on: 501)
  }

  @Test("An identity is established on one connection at a time.")
  func oneConnectionAtATime() {
    var world = World()
    world.log()
    var second = FixpSession(now: world.now)
    let request = NegotiateRequest(
      session: World.bot, version: 200, timestamp: world.timestamp())
    #expect(
      second.negotiate(
        request, now: world.now, wall: world.wall, identities: &world.identities, doubt: nil)
        == .answer(.rejectNegotiation(Refusal(.alreadyEstablished))))
    world.identities.release(World.bot, nextIncoming: 1)
    var third = FixpSession(now: world.now)
    #expect(
      third.negotiate(
        request, now: world.now, wall: world.wall, identities: &world.identities, doubt: nil)
        == .answer(.respond))
  }

  @Test("Of two connections that negotiate, only the one with the higher version can establish.")
  func overtakenNegotiation() {
    var world = World()
    #expect(world.negotiate(version: 101) == .answer(.respond))
    var second = FixpSession(now: world.now)
    let request = NegotiateRequest(
      session: World.bot, version: 102, timestamp: world.timestamp())
    #expect(
      second.negotiate(
        request, now: world.now, wall: world.wall, identities: &world.identities, doubt: nil)
        == .answer(.respond))
    #expect(
      world.establish(version: 101)
        == .answer(.rejectEstablishment(Refusal(.unknownSessionVersion, limit: 102))))
  }

  @Test("Who has not proved who it is learns neither versions nor whether a session is open.")
  func strangers() {
    let doubt = Refusal(.badSignature)
    for version in [0, 100, 101, 102] as [UInt64] {
      var world = World()
      world.log()
      world.session = FixpSession(now: world.now)
      #expect(
        world.establish(version: version, skew: 9_000_000_000, doubt: doubt)
          == .answer(.rejectEstablishment(doubt)))
      world.session = FixpSession(now: world.now)
      #expect(
        world.negotiate(version: version, skew: 9_000_000_000, doubt: doubt)
          == .answer(.rejectNegotiation(doubt)))
    }
  }

  @Test("Log-ons of an identity may have the same timestamp: the nonce distinguishes them.")
  func equalTimestamps() {
    var world = World()
    for version in [101, 102, 103] as [UInt64] {
      #expect(world.negotiate(version: version, skew: -1_000) == .answer(.respond))
      #expect(world.establish(version: version, skew: -1_000) == .answer(.acknowledge))
      world.reconnect()
    }
  }

  @Test("A timestamp from before the server's clock was set back keeps nobody out.")
  func clockSetBack() {
    var world = World()
    world.log()
    world.reconnect()
    world.wall = Timestamp(nanoseconds: world.wall.nanoseconds - 20_000_000_000)
    world.log(on: 102)
  }

  @Test("A duplicate is dropped silently; a gap is reported and processing continues.")
  func duplicatesAndGaps() {
    var world = World()
    world.log()
    #expect(world.session.admit(sequence: 1, now: world.now) == .process)
    #expect(world.session.admit(sequence: 1, now: world.now) == .drop)
    #expect(world.session.admit(sequence: 0, now: world.now) == .drop)
    #expect(
      world.session.admit(sequence: 5, now: world.now) == .processAfterGap(from: 2, count: 3))
    #expect(world.session.admit(sequence: 6, now: world.now) == .process)
    #expect(world.session.admit(sequence: 3, now: world.now) == .drop)
    #expect(world.session.sequence(next: 7, now: world.now) == .drop)
    #expect(
      world.session.sequence(next: 9, now: world.now) == .processAfterGap(from: 7, count: 2))
    #expect(world.session.admit(sequence: 9, now: world.now) == .process)
    #expect(
      world.session.admit(sequence: .max, now: world.now)
        == .terminate(Refusal(.sequenceGap, limit: 10)))
  }

  @Test("A message that is put back is admitted again.")
  func putBack() {
    var world = World()
    world.log()
    #expect(world.session.admit(sequence: 1, now: world.now) == .process)
    world.session.putBack(sequence: 1)
    #expect(world.session.admit(sequence: 1, now: world.now) == .process)
    #expect(world.session.admit(sequence: 2, now: world.now) == .process)
  }

  @Test("Silence of two intervals ends the session; anything received keeps it.")
  func silence() {
    var world = World()
    world.log()
    world.pass(milliseconds: 1999)
    #expect(world.session.tick(now: world.now) == .sendSequence)
    _ = world.session.sequence(next: 1, now: world.now)
    world.pass(milliseconds: 2000)
    #expect(world.session.tick(now: world.now) == .sendSequence)
    world.pass(milliseconds: 1)
    #expect(
      world.session.tick(now: world.now)
        == .terminate(Refusal(.keepAliveExpired, limit: 2_001_000_000)))
    #expect(world.session.tick(now: world.now) == .none)
  }

  @Test("The server sends a keep-alive only if it sent nothing else for an interval.")
  func keepAlive() {
    var world = World()
    world.log()
    world.pass(milliseconds: 900)
    #expect(world.session.tick(now: world.now) == .none)
    world.session.noteSent(now: world.now)
    world.pass(milliseconds: 999)
    #expect(world.session.tick(now: world.now) == .none)
    world.pass(milliseconds: 1)
    #expect(world.session.tick(now: world.now) == .sendSequence)
    #expect(world.session.tick(now: world.now) == .none)
  }

  @Test("A client that does not log on within ten seconds is disconnected.")
  func handshakeTimeout() {
    var world = World()
    world.pass(milliseconds: 10_000)
    #expect(world.session.tick(now: world.now) == .none)
    world.pass(milliseconds: 1)
    #expect(world.session.tick(now: world.now) == .terminate(Refusal(.notNegotiated)))
    world.reconnect()
    #expect(world.negotiate() == .answer(.respond))
    world.pass(milliseconds: 10_001)
    #expect(world.session.tick(now: world.now) == .terminate(Refusal(.notEstablished)))
  }

  @Test(
    "After a journaled message with the greatest number no further one is expected, without overflow."
  )
  func highestNumberInJournal() {
    var identities = SessionIdentities(versionFloor: 0)
    identities.applied(World.bot, sequence: .max - 1)
    #expect(identities.nextIncoming(World.bot) == .max)
    identities.applied(World.bot, sequence: .max)
    #expect(identities.nextIncoming(World.bot) == .max)
  }
}
