/// The rooms behind the gateway that the I/O thread works in or asks. They do not change while the loop runs:
/// going from one to the next counts no references.
final class Rooms {
  /// Rooms 3 to 7.
  let market: MarketRoom
  /// Has the market on a thread of its own; `nil`: it is on this one.
  let pipeline: Pipeline?
  /// The same, for what is called for every command.
  let passage: Unmanaged<Pipeline>?
  /// `nil`: nothing is kept, and nothing is settled.
  let follower: Follower?
  /// Finds old reports; `nil`: nothing is kept.
  let history: HistoryDesk?
  /// Checks readings beside the loop; `nil`: the gateway checks them itself.
  let readings: ReadingRoom?
  /// `nil`: nothing is kept.
  let snapshots: SnapshotDesk?

  init(
    _ market: MarketRoom, pipeline: Pipeline? = nil, follower: Follower? = nil,
    history: HistoryDesk? = nil, readings: ReadingRoom? = nil, snapshots: SnapshotDesk? = nil
  ) {
    (self.market, self.pipeline, self.follower) = (market, pipeline, follower)
    passage = pipeline.map(Unmanaged.passUnretained)
    (self.history, self.readings, self.snapshots) = (history, readings, snapshots)
  }
}
