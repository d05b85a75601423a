// Journals that older versions of this program wrote: Tests/golden/rules-N contains those of version
// N of the rules. Every later version must read them and replay them to the hashes of their writer.
//
//     limits      a data folder with snapshot and ledger: definitions and sums at and beyond the
//                 bounds of later rules
//     demo        a day of the demonstration, with a driven clock
//     random-N    12,000 random commands of the model comparison, with a checkpoint including the
//                 state hash every 500; small capacity for prices (7), orders (19), positions (105)

import ExchangeCore
import Foundation
import Journaling
import MarketModel
import Testing

@testable import JoulebookServer

@Suite("Journals of older versions")
struct GoldenJournalTests {
  /// A journal, the capacity of its exchange, and the hashes that its writer reached.
  struct Golden: Sendable, CustomTestStringConvertible {
    var name: String
    var capacity: Capacity
    var commands: UInt64
    var checkpoints: Int
    var rules: UInt32
    var eventHash: UInt64
    var stateHash: UInt64
    var testDescription: String { name }
  }

  static let all = [
    Golden(
      name: "rules-1/limits", capacity: .standard, commands: 60, checkpoints: 2, rules: 1,
      eventHash: 0xe0f6_c85f_bb82_d9d8, stateHash: 0x3ee4_aa03_537d_5239),
    Golden(
      name: "rules-1/demo", capacity: .standard, commands: 787, checkpoints: 2, rules: 1,
      eventHash: 0xec37_18a0_b70e_726d, stateHash: 0x89ac_a7df_3f26_11ce),
    Golden(
      name: "rules-1/random-7", capacity: .random(priceLevels: 8), commands: 12_024,
      checkpoints: 24, rules: 1, eventHash: 0x8770b3316018ad2, stateHash: 0xeeadc2775cd816a5),
    Golden(
      name: "rules-1/random-19", capacity: .random(orders: 11), commands: 12_024,
      checkpoints: 24, rules: 1, eventHash: 0x126738c0267a3343, stateHash: 0xa8db05f7cdc85a1e),
    Golden(
      name: "rules-1/random-105", capacity: .random(positions: 14), commands: 12_024,
      checkpoints: 24, rules: 1, eventHash: 0xea8e2a4f35dcbd63, stateHash: 0x2ab16e0eb0ae1389),
  ]

  @Test("It replays to the hashes that its writer found, at every checkpoint.", arguments: all)
  func replays(_ golden: Golden) throws {
    let folder = try Unpacked(golden.name)
    var exchange = Exchange(capacity: golden.capacity)
    var reader = try JournalReader(directory: folder.path + "/journal")
    var (commands, checkpoints) = (UInt64(0), 0)
    while let command = try reader.next() {
      commands += 1
      if case .control(.checkpoint(let hashes)) = command.body, hashes.stateHash != 0 {
        checkpoints += 1
      }
      for event in exchange.execute(command) {
        if case .control(.alarm(let alarm)) = event {
          #expect(alarm.kind != .checkpointMismatch, "command \(command.sequence.rawValue)")
        }
      }
    }
    #expect(commands == golden.commands && checkpoints == golden.checkpoints)
    #expect(exchange.rules == golden.rules)
    #expect(exchange.eventHash == golden.eventHash)
    #expect(exchange.stateHash() == golden.stateHash)
    #expect(exchange.invariantViolations().isEmpty)
  }

  @Test("Every record is written again as the same bytes.", arguments: all)
  func isWrittenAgain(_ golden: Golden) throws {
    let folder = try Unpacked(golden.name)
    var blocks = try BlockReader(directory: folder.path + "/journal")
    var records = UInt64(0)
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: CommandCodec.longestRecord, alignment: 8)
    defer { memory.deallocate() }
    while let block = try blocks.next() {
      var written: [UInt8] = []
      for command in try block.commands() {
        let length = CommandCodec.encode(command, into: memory)
        written += UnsafeRawBufferPointer(start: memory, count: length)
        records += 1
      }
      #expect(written.elementsEqual(block.payload), "the block before command \(records)")
    }
    #expect(records == golden.commands)
  }

  @Test("A snapshot of the previous version is read, and fields that it lacks are computed.")
  func readsItsSnapshot() throws {
    let folder = try Unpacked("rules-1/limits")
    let setting = MarketState.Setting(try DataFolder(folder.path).fixedMarket())
    let history = try MarketState.read(
      folder.path + "/journal/00000000000000000060.snapshot", setting, disk: SystemDisk())
    #expect(history.sequence == SequenceNumber(60))
    #expect(history.exchange.rules == 1 && history.exchange.stateHash() == 0x3ee4_aa03_537d_5239)
    #expect(history.exchange.invariantViolations().isEmpty)

    // Its layout is unknown, and the state cannot be reached in another way.
    let journal = folder.path + "/journal/0000000000000000"
    try Data("no snapshot".utf8).write(to: URL(fileURLWithPath: journal + "0060.snapshot"))
    try FileManager.default.moveItem(
      atPath: journal + "0001.journal", toPath: journal + "0002.journal")
    let answer = try Joulebook.run(["snapshot", folder.path])
    #expect(answer.status == 65)
    #expect(
      answer.errors.contains("begins with command 2, because the segments before it were removed"),
      "\(answer.errors)")
  }

  @Test(
    "A server opens a folder of the previous version with its rules, snapshot and ledger."
  )
  func isServed() throws {
    let folder = try Unpacked("rules-1/limits")
    let before = try Joulebook.run(["replay", folder.path, "--ledger"])
    #expect(before.status == 0, "\(before.output)\(before.errors)")
    #expect(before.output.contains("state hash  3ee4aa03537d5239"))

    let server = try ServerProcess(data: folder.path, options: ["--accept-time"])
    let address = ["--data", folder.path, "--connect", "127.0.0.1:\(server.port)"]
    let status = try Joulebook.run(["admin", "status"] + address)
    let rules = "rules        version 1, this program knows \(RulesVersion.newest)"
    #expect(status.output.contains(rules))
    let areas = try Joulebook.run(["admin", "list", "areas"] + address)
    let note = "own-use and local-first have an effect from version 6 of the rules on"
    #expect(areas.status == 0 && areas.errors.contains(note), "\(areas)")
    // More of the currency exists than the newer rules allow.
    let switching = try Joulebook.run(["admin", "rules", "2"] + address)
    #expect(switching.status == 77 && switching.errors.contains("5004"), "\(switching.errors)")
    #expect(server.stop() == 0, "\(server.log)")
    #expect(!server.log.contains("a snapshot cannot be used"))
    #expect(server.log.contains("recovery continues after the snapshot"))
    #expect(server.log.contains("this program knows newer rules"))

    let verified = try Joulebook.run(["ledger", "verify", "--data", folder.path])
    #expect(verified.status == 0, "\(verified.output)\(verified.errors)")
    let after = try Joulebook.run(["replay", folder.path, "--ledger"])
    #expect(after.status == 0, "\(after.output)\(after.errors)")
    #expect(after.output.contains("ledger      equals the engine"))
  }
}

extension Capacity {
  /// The capacity of the model comparison's random markets.
  fileprivate static func random(
    positions: UInt32 = 48, orders: UInt32 = 1_024, priceLevels: UInt32 = 1_024
  ) -> Capacity {
    Capacity(
      participants: 4, sessions: 16, accounts: 16, areas: 4, instruments: 8, meters: 32,
      positions: positions, orders: orders, priceLevels: priceLevels)
  }
}

/// A folder unpacked from Tests/golden, removed with this object.
final class Unpacked: Sendable {
  let path: String
  private let parent: URL

  /// - Throws: if the archive is missing or `tar` fails.
  init(_ name: String) throws {
    let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
      .deletingLastPathComponent().deletingLastPathComponent()
    let archive = root.appendingPathComponent("golden/\(name).tar.gz").path
    parent = FileManager.default.temporaryDirectory
      .appendingPathComponent("joulebook-golden-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
    path = parent.appendingPathComponent(String(name.split(separator: "/").last ?? "")).path
    let tar = Process()
    tar.executableURL = URL(fileURLWithPath: "/bin/tar")
    tar.arguments = ["-xzf", archive, "-C", parent.path]
    try tar.run()
    tar.waitUntilExit()
    try #require(tar.terminationStatus == 0, "tar cannot unpack \(archive)")
  }

  deinit {
    do { try FileManager.default.removeItem(at: parent) } catch { Issue.record(error) }
  }
}
