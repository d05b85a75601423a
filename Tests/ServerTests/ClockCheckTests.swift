import Glibc
import JoulebookServer
import Journaling
import MarketModel
import Testing

@Suite("The clock at a start", .serialized)
struct ClockCheckTests {
  private static let day: UInt64 = 86_400_000_000_000
  private static let built = Timestamp(nanoseconds: 1_790_000_000_000_000_000)

  @Test(
    "A clock is compared with the journal's last time, or in a new exchange with the program's file.",
    arguments: [
      // Columns: days of the clock since the program was built, since the journal's last command
      // (nil: none); whether the clock is accepted.
      (0, nil, true), (1_000, nil, true), (1_096, nil, false), (5 * 365, nil, false),
      (-0.9, nil, true), (-1.1, nil, false), (-2_000, nil, false),
      (100, 100, true), (130, 100, true), (132, 100, false), (100 + 5 * 365, 100, false),
      (50, 100, true), (-2_000, 100, true), (5_000, 4_990, true),
    ] as [(Double, Double?, Bool)])
  func table(clock: Double, last: Double?, isBelieved: Bool) {
    func time(_ days: Double) -> UInt64 {
      UInt64(Double(Self.built.nanoseconds) + days * Double(Self.day))
    }
    let doubt = ClockCheck(program: Self.built).doubt(
      wall: time(clock), last: last.map { Timestamp(nanoseconds: time($0)) })
    #expect((doubt == nil) == isBelieved, "\(doubt.map { "\($0)" } ?? "believed")")
  }

  @Test(
    "A reproducible program file's time and a never driven clock's time are ignored."
  )
  func noReference() {
    let wall = Self.built.nanoseconds
    #expect(ClockCheck(program: Timestamp(nanoseconds: 1)).doubt(wall: wall, last: nil) == nil)
    #expect(ClockCheck().doubt(wall: wall, last: nil) == nil)
    #expect(ClockCheck().doubt(wall: wall, last: Timestamp(nanoseconds: 0)) == nil)
  }

  /// A data folder whose last command is `days` from now.
  private func exchange(_ folder: TemporaryFolder, days: Int64) throws -> String {
    let data = folder.path + "/data"
    try DataFolder(data).create()
    let lock = try DirectoryLock(DataFolder(data).journal)
    var appender = try JournalAppender(lock, Recovery.recover(lock), segmentBytes: 64 * 1024)
    let time = Int64(SystemTime().wall) + days * Int64(Self.day)
    try appender.append([
      Command(
        session: .exchange, body: .control(.tick), sequence: SequenceNumber(1),
        time: Timestamp(nanoseconds: UInt64(time)))
    ])
    try appender.seal()
    return data
  }

  private func lastTime(_ data: String) throws -> Timestamp {
    try Recovery.examine(DataFolder(data).journal).lastTime
  }

  private static func year(_ nanoseconds: UInt64) -> String {
    "\(Timestamp(nanoseconds: nanoseconds).date.year)-"
  }

  @Test(
    "A clock far ahead of the journal is refused with both times, unless --accept-time is given."
  )
  func farAhead() throws {
    let folder = try TemporaryFolder()
    let data = try exchange(folder, days: -400)
    let before = try lastTime(data)
    let refused = try Joulebook.run(["serve", "--data", data, "--listen", "127.0.0.1:0"])
    #expect(refused.status == 78)
    for word in [
      "--accept-time", Self.year(before.nanoseconds), Self.year(SystemTime().wall),
    ] {
      #expect(refused.errors.contains(word), "\(refused.errors)")
    }
    #expect(try lastTime(data) == before)
    let server = try ServerProcess(data: data, options: ["--accept-time"])
    try Village().setUp(on: server)
    #expect(server.stop() == 0)
    #expect(server.log.contains("the system's clock was accepted"))
    #expect(try lastTime(data) > Timestamp(nanoseconds: SystemTime().wall - Self.day))
    let again = try ServerProcess(data: data)
    #expect(again.stop() == 0)
  }

  @Test("A server that was down over a holiday starts, and so does one with a driven clock.")
  func holiday() throws {
    let folder = try TemporaryFolder()
    let server = try ServerProcess(data: exchange(folder, days: -30))
    #expect(server.stop() == 0)
    let other = try TemporaryFolder()
    let driven = try ServerProcess(
      data: exchange(other, days: -4_000), options: ["--set", "clock=driven"])
    #expect(driven.stop() == 0)
  }

  @Test(
    "A clock behind the journal raises an alarm with both times, and time continues from the journal's."
  )
  func behind() throws {
    let folder = try TemporaryFolder()
    let data = try exchange(folder, days: 400)
    let before = try lastTime(data)
    let server = try ServerProcess(data: data)
    let village = Village()
    try village.setUp(on: server)
    #expect(server.stop() == 0)
    let alarms = server.log.split(separator: "\n").filter {
      $0.contains("ALARM: the system's clock")
    }
    #expect(alarms.count == 1, "\(server.log)")
    #expect(alarms.first?.contains(Self.year(before.nanoseconds)) == true)
    #expect(alarms.first?.contains(Self.year(SystemTime().wall)) == true)
    let last = try lastTime(data)
    #expect(last >= before && last < Timestamp(nanoseconds: before.nanoseconds + 60_000_000_000))
  }
}
