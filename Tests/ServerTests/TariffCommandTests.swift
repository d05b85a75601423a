import Foundation
import JoulebookClient
import MarketModel
import Testing

@Suite("joulebook tariff")
struct TariffCommandTests {
  private let folder: TemporaryFolder
  private let village = Village()

  init() throws { folder = try TemporaryFolder() }

  private func write(_ retail: String) throws -> String {
    let path = folder.path + "/tariff.yaml"
    try """
    area: 1
    time-zone: Europe/Zurich
    tariffs:
      - from: 2026-01-01
        rates:
          low: {feed-in: 0.08, retail: 0.22, network: 0.06}
          high: {feed-in: 0.08, retail: \(retail), network: 0.10}
        table:
          - {days: all, from: "06:00", to: "22:00", rate: high}
          - {days: all, from: "22:00", to: "06:00", rate: low}
        charges:
          - {name: Metering, per: day, amount: 0.50}
    """.write(toFile: path, atomically: true, encoding: .utf8)
    return path
  }

  @Test("A dry run prints local time and UTC, also of the day with 25 hours, and needs no server.")
  func dryRun() throws {
    let result = try Joulebook.run([
      "tariff", try write("0.32"), "--from", "2026-10-24T22:00:00Z", "--to", "2026-10-26",
    ])
    #expect(
      result.output == """
        local                    UTC                   rate  feed-in  retail  network
        2026-10-25 00:00 +02:00  2026-10-24T22:00:00Z  low      0.08    0.22     0.06
        2026-10-25 06:00 +01:00  2026-10-25T05:00:00Z  high     0.08    0.32     0.10
        2026-10-25 22:00 +01:00  2026-10-25T21:00:00Z  low      0.08    0.22     0.06

        area 1, Europe/Zurich: 2 changes; --apply announces them

        """, "\(result)")
    #expect(result.status == 0)
  }

  @Test(
    "What cannot be used says so.",
    arguments: [
      ("none.yaml", 66, "does not exist"), ("F --to 2020-01-01 --from 2021-01-01", 64, "--to"),
      ("F --replace", 64, "goes with --apply"), ("F --most 2000", 64, "from 1 to 1024"),
      ("F --from 2025-01-01 --to 2025-02-01", 66, "has no prices"),
    ] as [(String, Int32, String)])
  func options(words: String, status: Int32, text: String) throws {
    let file = try write("0.32")
    let arguments = words.split(separator: " ").map { $0 == "F" ? file : String($0) }
    let result = try Joulebook.run(["tariff"] + arguments)
    #expect(result.status == status && result.errors.contains(text), "\(result)")
    let faulty = try Joulebook.run(["tariff", try write("0.05")])
    #expect(faulty.status == 78 && faulty.errors.contains("tariff.yaml:7: rate high: feed-in"))
  }

  @Test("It announces what is missing, once, up to a bound; other prices need a decision.")
  func applies() throws {
    let server = try ServerProcess(data: folder.path + "/data")
    try village.setUp(on: server)
    func run(_ words: [String]) throws -> Joulebook.Result {
      try Joulebook.run(
        words + ["--data", server.data, "--connect", "127.0.0.1:\(server.port)"])
    }
    let span = ["--from", "2200-01-01T12:00:00Z", "--to", "2200-01-05"]
    let few = try run(["tariff", try write("0.32"), "--apply", "--most", "5"] + span)
    #expect(
      few.output.contains("5 changes announced, 5 in all")
        && few.output.contains("up to 2200-01-03T05:00:00Z"), "\(few)")
    let rest = try run(["tariff", try write("0.32"), "--apply"] + span)
    #expect(
      rest.output.contains("4 changes announced, 9 in all")
        && rest.output.contains("up to 2200-01-05T00:00:00Z"), "\(rest)")
    let again = try run(["tariff", try write("0.32"), "--apply"] + span)
    #expect(again.status == 0 && again.output.hasPrefix("0 changes announced, 9 in all"))
    let list = try run(["admin", "list", "changes", "--csv"]).output
    #expect(
      list.contains("2200-01-02T21:00:00Z,area,1,retailPrice,0.32,0.22,per kWh,yes"), "\(list)")
    // Another price for the same moments.
    let dearer = try run(["tariff", try write("0.35"), "--apply"] + span)
    #expect(
      dearer.status == 70
        && dearer.errors.contains(
          "announced and not in the tariff: retailPrice 0.32 from 2200-01-02T05:00:00Z"),
      "\(dearer)")
    #expect(try run(["admin", "list", "changes", "--csv"]).output == list)
    let replaced = try run(["tariff", try write("0.35"), "--apply", "--replace"] + span)
    #expect(replaced.status == 0, "\(replaced)")
    let now = try run(["admin", "list", "changes", "--csv"]).output
    #expect(now.contains(",0.35,") && now.split(separator: "\n").count == 10, "\(now)")
    #expect(server.stop() == 0)
    let bill = try Joulebook.run([
      "ledger", "statement", "10", "--data", server.data, "--tariff", try write("0.32"), "--from",
      "2026-06-01",
    ])
    #expect(bill.status == 64 && bill.errors.contains("--from and --to"), "\(bill)")
  }
}
