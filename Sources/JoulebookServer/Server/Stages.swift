/// The stages behind the gateway, and the services that the I/O thread asks. They do not change while the loop
/// runs: a call from one to the next counts no references.
final class Stages {
  /// Stages 3 to 7.
  let market: MatchingStage
  /// Has the market on a thread of its own; `nil`: it is on this one.
  let pipeline: MatchingThread?
  /// The same, unretained: for what is called for every command.
  let passage: Unmanaged<MatchingThread>?
  /// Settles what is durable; `nil`: nothing is kept.
  let follower: SettlementService?
  /// Reads old reports again; `nil`: nothing is kept.
  let history: RetransmissionService?
  /// Checks signatures of readings beside the loop; `nil`: the gateway checks them itself.
  let readings: SignatureVerifier?
  /// Makes snapshots; `nil`: nothing is kept.
  let snapshots: SnapshotService?

  /// All fields.
  init(
    _ market: MatchingStage, pipeline: MatchingThread? = nil, follower: SettlementService? = nil,
    history: RetransmissionService? = nil, readings: SignatureVerifier? = nil,
    snapshots: SnapshotService? = nil
  ) {
    (self.market, self.pipeline, self.follower) = (market, pipeline, follower)
    passage = pipeline.map(Unmanaged.passUnretained)
    (self.history, self.readings, self.snapshots) = (history, readings, snapshots)
  }
}
