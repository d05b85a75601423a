/// The rooms behind the gateway that the I/O thread works in or asks. They do not change while the loop runs:
/// going from one to the next counts no references.
final class Stages {
  /// Rooms 3 to 7.
  let market: MatchingStage
  /// Has the market on a thread of its own; `nil`: it is on this one.
  let pipeline: MatchingThread?
  /// The same, for what is called for every command.
  let passage: Unmanaged<MatchingThread>?
  /// `nil`: nothing is kept, and nothing is settled.
  let follower: SettlementService?
  /// Finds old reports; `nil`: nothing is kept.
  let history: RetransmissionService?
  /// Checks readings beside the loop; `nil`: the gateway checks them itself.
  let readings: SignatureVerifier?
  /// `nil`: nothing is kept.
  let snapshots: SnapshotService?

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
