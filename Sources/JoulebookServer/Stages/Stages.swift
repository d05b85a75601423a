/// The stages behind the gateways, and the services that they ask. They do not change while the loop runs, and the server
/// keeps them: going from one to the next counts no references.
final class Stages {
  /// Stages 3 to 7.
  let matching: MatchingStage
  /// Has them on a thread of its own; `nil`: they are on the I/O thread.
  let thread: Borrowed<MatchingThread>?
  private let keptThread: MatchingThread?
  /// Checks signatures of readings beside the loop; `nil`: the gateway checks them itself.
  let verifier: SignatureVerifier?
  /// `nil`: nothing is kept, and nothing is settled.
  let settlement: SettlementService?
  /// Finds old reports; `nil`: nothing is kept.
  let retransmission: RetransmissionService?
  /// `nil`: nothing is kept.
  let snapshots: SnapshotService?

  init(
    _ matching: MatchingStage, thread: MatchingThread? = nil, verifier: SignatureVerifier? = nil,
    settlement: SettlementService? = nil, retransmission: RetransmissionService? = nil,
    snapshots: SnapshotService? = nil
  ) {
    (self.matching, self.verifier, keptThread) = (matching, verifier, thread)
    self.thread = thread.map(Borrowed.init)
    (self.settlement, self.retransmission) = (settlement, retransmission)
    self.snapshots = snapshots
  }

  /// Asks the matching stage, with everything applied that came before.
  func ask<Answer>(_ body: (MatchingStage) -> Answer) -> Answer {
    if let thread { return thread { $0.ask(body) } }
    matching.work()
    return body(matching)
  }

  /// Whether everything that was taken in is applied, durable and delivered.
  var isIdle: Bool { thread?({ $0.isIdle }) ?? matching.isIdle }
}
