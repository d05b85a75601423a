import Crypto
import Foundation
import JoulebookClient
import JoulebookServer
import MarketModel
import Testing

@Suite("joulebook import")
struct ImportCommandTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func write(_ text: String, _ name: String = "readings.csv") throws -> String {
    let path = folder.path + "/" + name
    try text.write(toFile: path, atomically: false, encoding: .utf8)
    return path
  }

  private static let header = "meter,start,end,produced,consumed,quality\n"

  /// A quarter of an hour some days ago, in the window of the market, s since 1970.
  private static let recent = (Int(Date().timeIntervalSince1970) / 900 - 2_000) * 900

  private static let fixed = 1_763_334_000

  /// A line of a quarter of an hour.
  private static func line(
    _ quarter: Int, _ produced: Int, _ consumed: Int, meter: Int = 1, quality: String = "",
    from first: Int = ImportCommandTests.recent
  ) -> String {
    let start = first + quarter * 900
    return "\(meter),\(start),\(start + 900),\(produced),\(consumed),\(quality)\n"
  }

  @Test("A dry run prints what is in the file, and 65 when something cannot be sent.")
  func dryRun() throws {
    let good = try write(
      Self.header + Self.line(0, 5, 0, from: Self.fixed) + Self.line(2, 5, 0, from: Self.fixed))
    let fine = try Joulebook.run(["import", good, "--gaps", "1"])
    #expect(fine.status == 0 && fine.errors.isEmpty, "\(fine.errors)")
    #expect(
      fine.output.hasSuffix(
        """
        gaps         1 in 1 meter, 1 interval
          meter 1  2025-11-16T23:15:00Z to 2025-11-16T23:30:00Z  1 interval
        This was a dry run: nothing was sent. --apply sends 2 readings.

        """), "\(fine.output)")
    let list = folder.path + "/rejected.csv"
    let bad = try write(
      Self.header + Self.line(0, 5, -3, from: Self.fixed) + Self.line(1, 5, 0, from: Self.fixed)
        + "oops\n")
    let faulty = try Joulebook.run(["import", bad, "--rejected", list])
    #expect(
      faulty.status == 65 && faulty.output.contains("not sent     2: 1 unreadable, 1 negative"))
    let rows = try String(contentsOfFile: list, encoding: .utf8).split(separator: "\r\n")
    #expect(
      rows.first == "line,meter,start,end,produced,consumed,code,name,limit,cure,quarantine"
        && rows.count == 3
    )
    #expect(
      rows[1].hasPrefix("2,1,2025-11-16T23:00:00Z,2025-11-16T23:15:00Z,5,-3,7004,negativeReading,"))
    #expect(rows[2].hasPrefix("4,,,,,,,unreadable,,\"it has 1 cells, and 5 are needed;"))
  }

  @Test(
    "Options that do not fit say what to do.",
    arguments: [
      ("F --profile french", 64, "the profiles are own, german, nem12 and columns"),
      ("F --apply", 64, "name the folder of the meters' keys (--key-folder)"),
      ("F --key-folder keys", 64, "keys are for --apply"),
      ("F --unsigned", 64, "keys are for --apply"),
      ("F --apply --compare --unsigned", 64, "give --apply or --compare, not both"),
      (
        "F --profile columns --time-column t --register-column a --value-column b", 64,
        "name neither columns of values nor of ends"
      ),
      (
        "F --profile columns --time-column t --register-column a --register-digits 3", 64, "4 to 9"
      ),
      ("F --value-column x", 64, "need --profile columns"),
      ("F --profile columns", 64, "name the column of the time with --time-column"),
      ("F --profile columns --time-column t", 64, "with --value-column or --produced-column"),
      (
        "F --profile columns --time-column a --time-column b --time-column c --wide consumed", 64,
        "--year"
      ),
      ("F --zone Nowhere", 64, "--zone Nowhere: this system does not know the zone"),
      ("F --interval 2d", 64, "interval"), ("F --interval 0s", 64, "--interval is from 1s"),
      ("F --unit joule", 64, "the units are Wh, kWh, MWh, W, kW and MW"),
      ("F --from 2026-06-02 --to 2026-06-01", 64, "--to is not after --from."),
      ("F --revision 64", 64, "0 to 63"), ("F --meter 1 --meters F", 64, "leave --meters out"),
      ("none.csv", 66, "none.csv cannot be read: No such file or directory"),
      ("F --meters none.csv", 66, "--meters: "),
      ("F --profile nem12", 65, "does not begin with 100,NEM12"),
      ("F --profile german", 65, "no line names a column of times"),
      ("F --rejected none/list", 64, "nothing can be written to none"),
      ("- --profile nem12", 64, "is read twice: give its name instead of -"),
      (
        "F --profile columns --time-column start --value-column consumed --meter 7", 64,
        "--interval 15m"
      ),
    ] as [(String, Int32, String)])
  func options(words: String, status: Int32, text: String) throws {
    let file = try write(Self.header + Self.line(0, 5, 0))
    let arguments = words.split(separator: " ").map { $0 == "F" ? file : String($0) }
    let result = try Joulebook.run(["import"] + arguments)
    #expect(result.status == status && result.errors.contains(text), "\(result)")
  }

  @Test(
    "What is applied is booked once; the same file again, and a broken-off one, change nothing more."
  )
  func applied() throws {
    let village = Village()
    let server = try ServerProcess(
      data: folder.path + "/data", options: ["--set", "capacity.orders=1024"])
    try village.setUp(on: server)
    // Ana's session sends the readings of her meter.
    let session = try write(
      village.key.rawRepresentation.map { String(format: "%02x", $0) }.joined(), "ana.key")
    let meters = folder.path + "/meters"
    try FileManager.default.createDirectory(atPath: meters, withIntermediateDirectories: false)
    let meter = try write(
      village.meterKey.rawRepresentation.map { String(format: "%02x", $0) }.joined(), "meters/1.key"
    )
    for key in [session, meter] { chmod(key, 0o600) }
    func apply(_ text: String, _ more: [String] = []) throws -> Joulebook.Result {
      try Joulebook.run(
        [
          "import", try write(text), "--apply", "--connect", "127.0.0.1:\(server.port)",
          "--session",
          "2", "--key", session, "--key-folder", meters,
        ] + more)
    }
    let first = (0..<300).map { Self.line($0, 10, 4) }.joined()
    let begun = try apply(Self.header + first)
    #expect(begun.status == 0 && begun.output.hasSuffix("booked       300\n"), "\(begun)")
    let after = try village.status(server)
    let again = try apply(Self.header + first)
    #expect(
      again.status == 0
        && again.output.hasSuffix(
          """
          booked       0
          unchanged    300: the exchange has them, or later versions of them (7003)
          Nothing has changed.

          """),
      "\(again)")
    let more = try apply(Self.header + first + (300..<600).map { Self.line($0, 10, 4) }.joined())
    #expect(more.output.contains("booked       300\nunchanged    300"), "\(more)")
    #expect(try village.status(server).eventHash != after.eventHash)
    // 600 quarters of 10 Wh, own use first: 6 Wh each are left, which Ana's cap holds.
    let client = try village.trader(2, server)
    try client.requestBalance(of: Village.ana, in: AreaId(1))
    let energy = try client.wait {
      if case .balance(let balance, _) = $0 { balance.energy } else { nil }
    }
    #expect(energy == Energy(wattHours: 3_600))
    client.close()

    let list = folder.path + "/rejected.csv"
    let wrong = try apply(
      Self.header + Self.line(600, 10, 4) + Self.line(601, -1, 4) + Self.line(602, 1, 1, meter: 2)
        + Self.line(1_000_000, 1, 1) + Self.line(602, 1, 1), ["--rejected", list])
    #expect(wrong.status == 77, "\(wrong)")
    #expect(
      wrong.output.contains(
        "booked       2\nno key       1\nrejected     1: 1 with 7009 intervalInFuture\n"
          + "quarantine   1 of them, number 1: the operator releases or refuses them\n"),
      "\(wrong)")
    let rows = try String(contentsOfFile: list, encoding: .utf8).split(separator: "\r\n")
      .dropFirst()
    #expect(rows.map { $0.split(separator: ",").first } == ["3", "4", "5"], "\(rows)")
    #expect(rows.contains { $0.contains("meters/2.key is missing") })
    #expect(
      rows.contains { $0.contains(",7009,intervalInFuture,latest end: 20") && $0.hasSuffix(",1") })
    #expect(server.stop() == 0)
  }

  @Test(
    "Estimated, then measured: a next version, as the comparison says before; the same file again is none."
  )
  func versions() throws {
    let village = Village()
    let server = try ServerProcess(
      data: folder.path + "/data", options: ["--set", "capacity.orders=1024"])
    try village.setUp(on: server)
    let keys = try ["ana.key": village.key, "meter.key": village.meterKey].map { name, key in
      let path = try write(key.rawRepresentation.map { String(format: "%02x", $0) }.joined(), name)
      chmod(path, 0o600)
      return (name, path)
    }
    let path = Dictionary(uniqueKeysWithValues: keys)
    let session = [
      "--connect", "127.0.0.1:\(server.port)", "--session", "2", "--key",
      try #require(path["ana.key"]),
    ]
    let signing = ["--signing-key", try #require(path["meter.key"])]
    let early = try write(
      Self.header + Self.line(0, 10, 4) + Self.line(1, 0, 9, quality: "estimated"), "early.csv")
    let late = try write(
      Self.header + Self.line(0, 10, 4) + Self.line(1, 0, 7) + Self.line(2, 1, 1), "late.csv")
    let sent = try Joulebook.run(["import", early, "--apply", "--estimated"] + session + signing)
    #expect(sent.status == 0 && sent.output.hasSuffix("booked       2\n"), "\(sent)")
    let compared = try Joulebook.run(["import", late, "--compare"] + session)
    #expect(
      compared.status == 0
        && compared.output.contains(
          """
          new          1: intervals that the exchange does not have
          versions     1: next versions of intervals that it has
          unchanged    1: the exchange has the same values
          This was a dry run: nothing was sent.
          """),
      "\(compared)")
    let corrected = try Joulebook.run(["import", late, "--apply"] + session + signing)
    #expect(
      corrected.output.contains("booked       1\ncorrected    1: later versions")
        && corrected.output.contains("unchanged    1"), "\(corrected)")
    let list = try Joulebook.run(["list", "readings", "--meter", "1", "--csv"] + session)
    let rows = list.output.split(separator: "\n").dropFirst().map { $0.split(separator: ",") }
    #expect(rows.map { $0[5] } == ["0.004", "0.007", "0.001"], "\(list)")
    #expect(rows.allSatisfy { $0[6] == "measured" }, "\(list)")
    // What was estimated does not come back, and another value needs a higher revision.
    let other = try write(Self.header + Self.line(1, 0, 8), "other.csv")
    let lower = try Joulebook.run(["import", other, "--compare"] + session)
    #expect(lower.output.contains("older        1: other values, whose register"), "\(lower)")
    let raised = try Joulebook.run(["import", other, "--compare", "--revision", "1"] + session)
    #expect(raised.output.contains("versions     1"), "\(raised)")
    #expect(server.stop() == 0)
  }

  @Test("A meter for which a metering operator answers needs no key.")
  func unsigned() throws {
    let village = Village()
    let server = try ServerProcess(
      data: folder.path + "/data", options: ["--set", "capacity.orders=1024"])
    try village.setUp(on: server)
    let attested = try Joulebook.run([
      "admin", "meter", "2", "--account", "11", "--area", "1", "--attestation", "operator",
      "--technology", "solar", "--data", server.data, "--connect", "127.0.0.1:\(server.port)",
    ])
    #expect(attested.status == 0, "\(attested)")
    let key = try write(
      village.key.rawRepresentation.map { String(format: "%02x", $0) }.joined(), "ana.key")
    chmod(key, 0o600)
    let file = try write(Self.header + Self.line(0, 10, 4, meter: 2) + Self.line(0, 10, 4))
    let done = try Joulebook.run([
      "import", file, "--apply", "--unsigned", "--connect", "127.0.0.1:\(server.port)",
      "--session", "2", "--key", key,
    ])
    // Meter 1 has a device with a key, which must sign.
    #expect(
      done.status == 77
        && done.output.contains("booked       1\nrejected     1: 1 with 7002 badMeterSignature"),
      "\(done)")
    #expect(server.stop() == 0)
  }

  @Test(
    "A key that signs for all meters is that of a metering operator; without the role nothing is sent."
  )
  func metering() throws {
    let village = Village()
    let server = try ServerProcess(
      data: folder.path + "/data", options: ["--set", "capacity.orders=1024"])
    try village.setUp(on: server)
    let key = try write(
      village.meterKey.rawRepresentation.map { String(format: "%02x", $0) }.joined(), "common.key")
    chmod(key, 0o600)
    let file = try write(Self.header + Self.line(0, 10, 4))
    let common = [
      "import", file, "--apply", "--connect", "127.0.0.1:\(server.port)", "--signing-key", key,
    ]
    let refused = try Joulebook.run(common + ["--data", server.data])
    #expect(refused.status == 77 && refused.errors.contains("3001 notPermitted"), "\(refused)")
    let session = try write(
      village.key.rawRepresentation.map { String(format: "%02x", $0) }.joined(), "ana.key")
    chmod(session, 0o600)
    let done = try Joulebook.run(common + ["--session", "2", "--key", session])
    #expect(done.status == 0 && done.output.hasSuffix("booked       1\n"), "\(done)")
    #expect(server.stop() == 0)
    let gone = try Joulebook.run(common + ["--session", "2", "--key", session])
    #expect(gone.status == 69 && gone.errors.contains("cannot connect"), "\(gone)")
  }

  @Test("A server that throttles gets what it rejected once more, in order.")
  func throttled() throws {
    let village = Village()
    let server = try ServerProcess(
      data: folder.path + "/data", options: ["--set", "capacity.orders=1024"])
    try village.setUp(on: server)
    let client = try village.operatorClient(server)
    try client.settle(
      client.submit(
        .reference(
          .registerSession(
            RegisterSession(
              session: SessionId(7), participant: ParticipantId(2), roles: [.metering],
              publicKey: PublicKey(village.key.publicKey))))))
    client.close()
    let limited = try Joulebook.run([
      "admin", "limit", "session", "7", "messagesPerSecond", "100", "--data", server.data,
      "--connect",
      "127.0.0.1:\(server.port)",
    ])
    #expect(limited.status == 0, "\(limited)")
    let keys = try ["ana.key": village.key, "common.key": village.meterKey].map { name, key in
      let path = try write(key.rawRepresentation.map { String(format: "%02x", $0) }.joined(), name)
      chmod(path, 0o600)
      return (name, path)
    }
    let path = Dictionary(uniqueKeysWithValues: keys)
    // A hundred are taken in the first second; the others come again in the next one. What came out of
    // order would be rejected (7006).
    let file = try write(Self.header + (0..<150).map { Self.line($0, 10, 4) }.joined())
    let result = try Joulebook.run([
      "import", file, "--apply", "--connect", "127.0.0.1:\(server.port)", "--session", "7", "--key",
      try #require(path["ana.key"]), "--signing-key", try #require(path["common.key"]), "--rate",
      "1000",
    ])
    #expect(result.status == 0 && result.output.hasSuffix("booked       150\n"), "\(result)")
    #expect(server.stop() == 0)
  }
}
