// The two files through which a server and `joulebook settle` tell each other where they are.

import Foundation
import MarketModel
import Testing

@testable import JoulebookServer

@Suite("What server and settler tell each other")
struct SettlementNotesTests {
  @Test("A note comes back as it was written; one with any damaged byte is none.")
  func roundTrip() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/settlement.done"
    let file = try #require(SettlementFile(path))
    #expect(file.readNote() == nil && file.readDurable() == nil)
    var note = SettlementNote(through: SequenceNumber(.max), logBytes: .max, state: .stopped)
    file.write(note)
    #expect(file.readNote() == note)
    note.confirmed = SettlementConfirmed(batch: 7, lastSequence: SequenceNumber(4711))
    (note.due, note.state) = (Timestamp(nanoseconds: 5), .waiting)
    file.write(note)
    #expect(file.readNote() == note && file.readDurable() == nil)
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    #expect(whole.count == 64)
    let handle = try #require(FileHandle(forWritingAtPath: path))
    for index in whole.indices {
      var damaged = whole
      damaged[index] ^= 0x40
      try handle.seek(toOffset: 0)
      try handle.write(contentsOf: damaged)
      #expect(file.readNote() == nil, "byte \(index)")
    }
    try handle.truncate(atOffset: 63)
    #expect(file.readNote() == nil)
    file.write(durable: SequenceNumber(12))
    #expect(file.readDurable() == SequenceNumber(12) && file.readNote() == nil)
  }

  @Test("The writer of a file is known to be there for as long as it has it.")
  func lock() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/settlement.done"
    let reader = try #require(SettlementFile(path))
    #expect(!reader.isLocked)
    do {
      let writer = try #require(SettlementFile(path))
      #expect(writer.lock() && reader.isLocked && !reader.lock())
    }
    #expect(!reader.isLocked && reader.lock())
  }

  @Test("A link in place of a file is not followed.")
  func link() throws {
    let folder = try TemporaryFolder()
    try #require(symlink("/tmp/nothing", folder.path + "/settlement.done") == 0)
    #expect(SettlementFile(folder.path + "/settlement.done") == nil)
  }
}
