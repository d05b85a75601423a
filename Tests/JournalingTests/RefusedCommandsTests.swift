import Glibc
import MarketModel
import Testing

@testable import Journaling

@Suite("Refused commands")
struct RefusedCommandsTests {
  /// A transfer by session 7, with message number `number`.
  private func transfer(_ sequence: UInt64, number: UInt64 = 5) -> Command {
    Command(
      session: SessionId(7), clientSequence: number,
      body: .cash(
        .transfer(
          Transfer(
            from: AccountId(1), to: AccountId(2), asset: .cash, currency: Currency(978),
            amount: Int64(sequence), clientOrderId: ClientOrderId(sequence)))),
      sequence: SequenceNumber(sequence), time: Timestamp(nanoseconds: sequence * 10))
  }

  /// A folder with ten transfers, of which `refused` are refused.
  private func folder(refusing refused: [UInt64]) throws -> Folder {
    let folder = Folder()
    try folder.write([(1...4).map { transfer($0) }, (5...10).map { transfer($0) }])
    let lock = try DirectoryLock(folder.path)
    var list = try RefusedCommands(in: folder.path)
    for sequence in refused {
      try list.add(
        RefusedCommand(transfer(sequence), at: Timestamp(nanoseconds: 99), reason: "a\nreason"),
        lock)
    }
    return folder
  }

  @Test("A client's refused command is replaced by a rejected one with the same number and time.")
  func readsTheStandIn() throws {
    let folder = try folder(refusing: [10, 6])
    let commands = try folder.read()
    #expect(commands.map(\.sequence.rawValue) == Array(1...10))
    #expect(commands.map(\.time.nanoseconds) == (1...10).map { $0 * 10 })
    for command in commands {
      #expect(command.session == SessionId(7) && command.clientSequence == 5)
      let isRefused = [6, 10].contains(command.sequence.rawValue)
      switch command.body {
      case .cancel(let cancel): #expect(isRefused && cancel.account == .null)
      case .cash(.transfer): #expect(!isRefused)
      default: Issue.record("\(command)")
      }
    }
    #expect(try folder.read(from: 10).count == 1)
    #expect(try folder.recover().refused.entries.map(\.sequence.rawValue) == [6, 10])
    var asWritten = try JournalReader(directory: folder.path, asWritten: true)
    while let command = try asWritten.next() {
      guard case .cash(.transfer) = command.body else {
        Issue.record("\(command)")
        return
      }
    }
  }

  @Test("A refused command of the exchange's own is read as a tick.")
  func readsATick() {
    let command = Command(
      session: .exchange,
      body: .session(.endSession(EndSession(session: SessionId(3), version: 1))),
      sequence: SequenceNumber(4), time: Timestamp(nanoseconds: 9))
    let replacement = RefusedCommand.replacement(for: command)
    guard case .control(.tick) = replacement.body else {
      Issue.record("\(replacement)")
      return
    }
    #expect(replacement.sequence == command.sequence && replacement.time == command.time)
  }

  @Test("A list of refused commands reads as it was written, private to owner and group.")
  func readsAsWritten() throws {
    let folder = try folder(refusing: [6, 10])
    let list = try RefusedCommands(in: folder.path)
    #expect(list.entries.map(\.sequence.rawValue) == [6, 10])
    #expect(list.entries.allSatisfy { $0.reason == "a reason" && $0.hash.count == 64 })
    var status = stat()
    #expect(stat(list.path, &status) == 0 && status.st_mode & 0o777 == 0o640)
    #expect(!folder.names.contains("next.refused"))
    #expect(try RefusedCommands(in: "/nonexistent").entries.isEmpty)
  }

  /// A snapshot of an empty state after `sequence`, without the commands in `list`.
  private func snapshot(_ sequence: UInt64, without list: RefusedCommands, _ folder: Folder) throws
  {
    let writer = try SnapshotWriter(
      folder.path, sequence: SequenceNumber(sequence), without: list.entries)
    writer.put(UInt64(7))
    try writer.finish(
      SnapshotHeader(
        sequence: SequenceNumber(sequence), time: Timestamp(nanoseconds: sequence * 10),
        eventHash: 1, stateHash: 2, batch: 0, confirmedBatch: 0))
  }

  @Test("A list that lacks an entry of a snapshot is detected and restored by a start.")
  func snapshotsKnow() throws {
    let folder = try folder(refusing: [6, 10])
    let whole = try RefusedCommands(in: folder.path)
    try snapshot(8, without: whole, folder)
    try snapshot(10, without: whole, folder)
    let known = try Snapshots.refusals(folder.path).map { $0.refused.map(\.sequence.rawValue) }
    #expect(known == [[6, 10], [6]])
    #expect(try folder.recover().refused == whole)
    unlink(whole.path)
    for check: () throws -> Void in [
      { _ = try Recovery.examine(folder.path) }, { _ = try folder.recover() },
      { _ = try Snapshots.prune(folder.path, keep: 1, commands: nil) },
    ] {
      let error = #expect(throws: JournalError.self) { try check() }
      #expect(error?.description.contains("lacks command 6") == true)
    }
    do {
      let lock = try DirectoryLock(folder.path)
      let missing = try RefusedCommands.restore(lock, from: Snapshots.refusals(folder.path))
      #expect(missing.map(\.sequence.rawValue).sorted() == [6, 10])
      #expect(try RefusedCommands.restore(lock, from: Snapshots.refusals(folder.path)).isEmpty)
    }
    #expect(try RefusedCommands(in: folder.path) == whole)
    #expect(try folder.recover().refused == whole)
  }

  @Test("A list with a command that was applied in a snapshot is detected.")
  func snapshotsKnowWhatWasApplied() throws {
    let folder = try folder(refusing: [6])
    try snapshot(5, without: RefusedCommands(in: "/nonexistent"), folder)
    #expect(try folder.recover().lastSequence == SequenceNumber(10))
    try snapshot(6, without: RefusedCommands(in: "/nonexistent"), folder)
    let error = #expect(throws: JournalError.self) { try Recovery.examine(folder.path) }
    #expect(error?.description.contains("contains command 6") == true)
  }

  @Test("A snapshot's entries are not restored into another journal.")
  func anotherJournalTakesNothing() throws {
    let refusing = try folder(refusing: [6])
    let other = Folder()
    try other.write([(1...10).map { transfer($0, number: 6) }])
    try snapshot(8, without: RefusedCommands(in: refusing.path), other)
    let lock = try DirectoryLock(other.path)
    #expect(throws: JournalError.self) {
      try RefusedCommands.restore(lock, from: Snapshots.refusals(other.path))
    }
    #expect(try RefusedCommands(in: other.path).entries.isEmpty)
  }

  @Test("Any byte of the list that is changed, or cut off, is found.")
  func findsDamage() throws {
    let folder = try folder(refusing: [6])
    let path = folder.path + "/refused"
    let whole = bytes(of: path)
    for place in whole.indices {
      var changed = whole
      changed[place] ^= 1
      write(changed, to: path, at: 0)
      expectBad(folder)
    }
    for length in 0..<whole.count {
      write(whole, to: path, at: 0)
      truncate(path, off_t(length))
      expectBad(folder)
    }
    write(whole, to: path, at: 0)
    #expect(try folder.read().count == 10)
  }

  @Test("A refused command that is another in the journal, or is not there, is found.")
  func findsAnotherJournal() throws {
    for commands in [(1...10).map { transfer($0, number: 6) }, (1...9).map { transfer($0) }] {
      let refusing = try folder(refusing: [10])
      let other = Folder()
      try other.write([commands])
      #expect(try other.read().count == commands.count)
      link(refusing.path + "/refused", other.path + "/refused")
      #expect(throws: JournalError.self) { try other.recover() }
      #expect(throws: JournalError.self) { try Recovery.examine(other.path) }
    }
    let refusing = try folder(refusing: [2])
    let other = Folder()
    try other.write([(1...10).map { transfer($0, number: 6) }])
    link(refusing.path + "/refused", other.path + "/refused")
    var reader = try JournalReader(directory: other.path)
    #expect(try reader.next()?.sequence == SequenceNumber(1))
    for _ in 0..<3 { #expect(throws: JournalError.self) { try reader.next() } }
  }

  @Test("Pruning the journal keeps the list.")
  func pruneKeepsIt() throws {
    let folder = try folder(refusing: [6])
    _ = try Snapshots.prune(folder.path, keep: 1, commands: 0)
    #expect(folder.names.contains("refused"))
  }

  private func expectBad(_ folder: Folder) {
    #expect {
      _ = try RefusedCommands(in: folder.path)
    } throws: { error in
      if case .badRefusals = error as? JournalError { true } else { false }
    }
  }
}

@Suite("The record of the current command")
struct CurrentCommandTests {
  @Test("Only a line exactly as written is read as a note.")
  func readsAsWritten() {
    for purpose in CurrentCommand.Purpose.allCases {
      for sequence in [1, 4_711, UInt64.max] {
        let record = CrashNote.Record(
          purpose: purpose, sequence: SequenceNumber(sequence), run: sequence / 2, signal: 11)
        var line = [UInt8](repeating: 0, count: CrashNote.lineLength)
        line.withUnsafeMutableBufferPointer { buffer in
          if let base = buffer.baseAddress { record.write(to: base) }
        }
        #expect(CrashNote.Record(line: line) == record)
        #expect(line.last == UInt8(ascii: "\n"))
        for place in line.indices {
          var changed = line
          changed[place] = UInt8(ascii: "x")
          #expect(CrashNote.Record(line: changed) == nil)
        }
      }
    }
  }

  @Test("A note keeps its record until it is cleared.")
  func noteIsCleared() throws {
    let folder = Folder()
    let lock = try DirectoryLock(folder.path)
    let record = CrashNote.Record(
      purpose: .live, sequence: SequenceNumber(12), run: 3, signal: 4)
    var line = [UInt8](repeating: 0, count: CrashNote.lineLength)
    line.withUnsafeMutableBufferPointer { buffer in
      if let base = buffer.baseAddress { record.write(to: base) }
    }
    do {
      let note = try CrashNote(lock)
      #expect(note.live == nil && note.other == nil && !note.isDamaged)
      write(line, to: note.path, at: 0)
    }
    do {
      let note = try CrashNote(lock)
      #expect(note.live == record && note.other == nil && !note.isDamaged)
      try note.clear()
      #expect(note.live == nil)
    }
    let note = try CrashNote(lock)
    #expect(note.live == nil && note.other == nil && !note.isDamaged)
    write(line, to: note.path, at: 1)
    #expect(try CrashNote(lock).isDamaged)
  }

  @Test("Places are reused, and more records than places are harmless.")
  func placesAreGivenBack() {
    for round in 0..<(3 * CurrentCommand.slots) {
      let current = CurrentCommand(.replay)
      current.registerThread()
      current.begin(SequenceNumber(UInt64(round) + 1))
      #expect(current.sequence == SequenceNumber(UInt64(round) + 1))
      current.end()
      #expect(current.sequence == .none)
    }
  }
}
