import Foundation
import JoulebookClient
import JoulebookServer
import MarketModel
import Testing

@Suite("Starting from snapshots", .serialized)
struct SnapshotServerTests {
  private static let options = [
    "--set", "journal.segment=64KiB", "--set", "capacity.orders=4096",
    "--set", "snapshot.commands=60",
  ]

  /// Ben enters orders one after the other, each journaled in its own block.
  private func trade(_ orders: ClosedRange<UInt64>, _ village: Village, _ server: ServerProcess)
    throws
  {
    let client = try village.trader(3, server)
    defer { client.close() }
    for id in orders {
      try client.enter(
        .limit(Village.ben, .buy, kilowattHours: 1, at: Int64(id % 50) + 1, id: id))
      try client.wait { if case .accepted = $0 { () } else { nil } }
    }
  }

  /// Waits until the server has made another snapshot.
  private func awaitSnapshot(_ server: ServerProcess, after count: Int = 0) throws {
    for _ in 0..<500 {
      if snapshots(server).count > count || server.log.contains("no snapshot") { break }
      usleep(20_000)
    }
    #expect(snapshots(server).count > count, "\(server.log)")
  }

  private func snapshots(_ server: ServerProcess) -> [Substring] {
    server.log.split(separator: "\n").filter { $0.contains("made a snapshot command=") }
  }

  private func files(_ data: String, _ suffix: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: data + "/journal")
      .filter { $0.hasSuffix(suffix) }.sorted().map { data + "/journal/" + $0 }
  }

  @Test("A killed server continues from its snapshot, also without the old segments.")
  func goesOn() throws {
    let folder = try TemporaryFolder()
    let (village, data) = (Village(), folder.path + "/data")
    var server = try ServerProcess(data: data, options: Self.options)
    try village.setUp(on: server)
    try trade(1...100, village, server)
    try awaitSnapshot(server)
    try trade(101...120, village, server)
    let before = try village.status(server)
    server.kill()

    server = try ServerProcess(data: data, options: Self.options)
    #expect(server.log.contains("recovery continues after the snapshot"), "\(server.log)")
    let after = try village.status(server)
    #expect(after.openOrderCount == before.openOrderCount && before.openOrderCount == 120)
    #expect(after.participantCount == before.participantCount)
    #expect(after.instrumentCount == 1 && after.accountCount == 2 && after.meterCount == 1)
    try trade(121...125, village, server)
    #expect(server.stop() == 0)

    // Recovery from a snapshot and a replay of the whole journal agree.
    let whole = try Joulebook.run(["replay", data, "--ledger"])
    #expect(whole.status == 0, "\(whole.errors)")
    let made = try Joulebook.run(["snapshot", data])
    #expect(made.status == 0 && made.output.contains("snapshot   command"), "\(made.errors)")
    #expect(try Joulebook.run(["snapshot", data]).output.contains("made before"))
    let segments = try files(data, ".journal")
    let pruned = try Joulebook.run(["journal", "prune", data, "--keep", "0"])
    #expect(pruned.status == 0, "\(pruned.errors)")
    #expect(try files(data, ".journal").count < segments.count, "\(pruned.output)")
    let rest = try Joulebook.run(["replay", data, "--ledger"])
    #expect(rest.status == 0 && rest.output.contains("begin"), "\(rest.errors)\(rest.output)")
    func hashes(_ output: String) -> [Substring] {
      output.split(separator: "\n").filter { $0.contains("hash") }
    }
    #expect(hashes(rest.output) == hashes(whole.output) && hashes(rest.output).count == 2)

    server = try ServerProcess(data: data, options: Self.options)
    #expect(try village.status(server).openOrderCount == 125)
    try trade(126...130, village, server)
    #expect(server.stop() == 0)
    #expect(try Joulebook.run(["replay", data, "--ledger"]).status == 0)
    #expect(try Joulebook.run(["journal", "verify", data]).status == 0)
  }

  @Test("A snapshot after which segments are missing, as a crash may leave it, is not used.")
  func leftOver() throws {
    let folder = try TemporaryFolder()
    let (village, data) = (Village(), folder.path + "/data")
    let server = try ServerProcess(data: data, options: Self.options)
    try village.setUp(on: server)
    for round in UInt64(0)..<2 {
      try trade((round * 70 + 1)...(round * 70 + 70), village, server)
      try awaitSnapshot(server, after: Int(round))
    }
    #expect(server.stop() == 0)
    #expect(try Joulebook.run(["snapshot", data]).status == 0)
    let oldest = URL(fileURLWithPath: try #require(try files(data, ".snapshot").first))
    let bytes = try Data(contentsOf: oldest)
    #expect(try Joulebook.run(["journal", "prune", data, "--keep", "0"]).status == 0)
    #expect(!FileManager.default.fileExists(atPath: oldest.path))
    try bytes.write(to: oldest)
    let replay = try Joulebook.run(["replay", data, "--ledger"])
    #expect(replay.status == 0 && replay.output.contains("begin"), "\(replay.errors)")
  }

  @Test("With a pruned journal a session still receives the reports that were kept for it.")
  func reportsBehindAShortenedJournal() throws {
    let folder = try TemporaryFolder()
    let (village, data) = (Village(), folder.path + "/data")
    let options = Self.options + ["--set", "snapshot.keep=1", "--set", "journal.retain=150"]
    var server = try ServerProcess(data: data, options: options)
    try village.setUp(on: server)
    let client = try village.trader(3, server)
    var reports: [UInt64: String] = [:]
    // Several snapshots, so that one is old enough to be the begin.
    for round in UInt64(0)..<6 {
      let made = snapshots(server).count
      for id in 1...UInt64(100) {
        try client.enter(
          .limit(
            Village.ben, .buy, kilowattHours: 1, at: Int64(id % 50) + 1, id: round * 100 + id))
        try client.flush()
        let message = try #require(try client.poll(timeoutMilliseconds: 30_000))
        if message.isReport { reports[message.sequence] = "\(message.time) \(message.event)" }
      }
      try awaitSnapshot(server, after: made)
    }
    #expect(server.log.contains("it is in snapshots, and settled"), "\(server.log)")
    var position = client.position
    server.kill()
    server = try ServerProcess(data: data, options: options)
    let last = position.nextReport - 1
    position.nextReport -= 100
    let back = try village.trader(3, server, resume: position)
    for number in position.nextReport...last {
      let message = try #require(try back.poll(timeoutMilliseconds: 30_000), "report \(number)")
      #expect(message.sequence == number && message.isRetransmitted)
      #expect("\(message.time) \(message.event)" == reports[number])
    }
    back.close()
    #expect(server.stop() == 0)
  }

  @Test(
    "A damaged snapshot is not used; without any, and without the first segment, nothing starts.")
  func damaged() throws {
    let folder = try TemporaryFolder()
    let (village, data) = (Village(), folder.path + "/data")
    var server = try ServerProcess(data: data, options: Self.options)
    try village.setUp(on: server)
    try trade(1...80, village, server)
    try awaitSnapshot(server)
    try trade(81...200, village, server)
    try awaitSnapshot(server, after: 1)
    #expect(server.stop() == 0)
    func flip(_ path: String) throws {
      let file = try #require(FileHandle(forUpdatingAtPath: path))
      try file.seek(toOffset: 5_000)
      let byte = try #require(try file.read(upToCount: 1)?.first)
      try file.seek(toOffset: 5_000)
      try file.write(contentsOf: [byte ^ 4])
      try file.close()
    }
    let snapshots = try files(data, ".snapshot")
    #expect(snapshots.count == 2)
    try flip(try #require(snapshots.last))
    #expect(try Joulebook.run(["journal", "verify", data]).status == 65)
    server = try ServerProcess(
      data: data, options: Self.options + ["--set", "snapshot.commands=0"])
    #expect(server.log.contains("cannot be used"), "\(server.log)")
    #expect(try village.status(server).openOrderCount == 200)
    #expect(server.stop() == 0)

    try flip(try #require(snapshots.first))
    server = try ServerProcess(
      data: data, options: Self.options + ["--set", "snapshot.commands=0"])
    #expect(try village.status(server).openOrderCount == 200)
    #expect(server.stop() == 0)

    let first = try #require(try files(data, ".journal").first)
    try FileManager.default.removeItem(atPath: first)
    #expect(throws: ServerProcess.DidNotStart.self) {
      try ServerProcess(data: data, options: Self.options)
    }
  }
}
