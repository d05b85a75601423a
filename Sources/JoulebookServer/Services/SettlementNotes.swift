// What a server and `joulebook settle` tell each other, in two files of the data folder of 64 bytes
// each:
//
//     server  ── settlement.durable ──▶ settler   how far the journal may be settled
//     server  ◀── settlement.done ───── settler   the last batch in the ledger, and how settlement stands
//
//     offset size field                     offset size field
//          0    8 "JBDURABL"                     0    8 "JBSETTLE"
//          8    8 last durable command           8    8 last batch in the ledger; 0: none since the start
//         16   40 zero                          16    8 last command of that batch
//         56    8 FNV-1a of the bytes before    24    8 last command settled or in the open batch
//                                               32    8 when the open batch is due, ns; 2^64-1: none is open
//                                               40    8 size of the ledger's log
//                                               48    1 state: 0 settling, 1 waiting, 2 stopped
//                                               49    7 transfers that the history lacks; 2^56-1: none
//                                               56    8 FNV-1a of the bytes before
//
// All integers are little-endian. A file is written by one call. A reader that meets half of a
// write, or a file that a crash of the machine left damaged, sees a wrong sum and keeps what it
// knew. The writer of a file locks it for as long as it lives, so the other side knows whether it
// is there.

import Glibc
import MarketModel

/// How the settlement of another process stands.
struct SettlementNote: Equatable, Sendable {
  /// The states of settlement.
  enum State: UInt64 { case settling, waiting, stopped }

  /// The last batch that was applied since the settler started; `nil` when there was none.
  var confirmed: SettlementConfirmed?
  /// The last command whose transfers are in the ledger or in the open batch.
  var through = SequenceNumber.none
  /// When the open batch is due; `nil` when none is open.
  var due: Timestamp?
  /// Size of the ledger's write-ahead log, bytes.
  var logBytes: UInt64 = 0
  /// The transfers that the history of accounts lacks, below 2^56 - 1; else none is filled.
  var historyLag = HistoryService.noLag
  var state = State.settling
}

/// One of the two files, open. Owned by one thread.
final class SettlementFile {
  /// The number of 8-byte words.
  private static let words = 8
  /// No history is filled.
  private static let noLag: UInt64 = 1 << 56 - 1
  private static let done: UInt64 = 0x454C_5454_4553_424A  // "JBSETTLE"
  private static let durable: UInt64 = 0x4C42_4152_5544_424A  // "JBDURABL"

  private let descriptor: Int32
  /// The path, for messages.
  let path: String

  /// Opens the file at `path`, and creates it when there is none. Owner and group may read and
  /// write it.
  /// - Returns: `nil` when it cannot be opened; `errno` says why.
  init?(_ path: String) {
    self.path = path
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o660)
    if descriptor < 0 { return nil }
    // Whatever the umask took; it fails for a file of the other process, which has done so itself.
    _ = fchmod(descriptor, 0o660)
  }

  deinit { close(descriptor) }

  /// Locks the file for as long as this object lives.
  /// - Returns: `false` when another process has it.
  func lock() -> Bool {
    // `isLocked` of another process has it for a moment.
    for _ in 0..<20 {
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
      usleep(5_000)
    }
    return false
  }

  /// Whether the process that writes the file lives.
  var isLocked: Bool {
    if flock(descriptor, LOCK_SH | LOCK_NB) != 0 { return errno == EWOULDBLOCK }
    flock(descriptor, LOCK_UN)
    return false
  }

  /// The durable command in the file; `nil` when it has none.
  func readDurable() -> SequenceNumber? {
    read(Self.durable).map { SequenceNumber($0[1]) }
  }

  /// Writes the durable command. A failure shows as no progress.
  func write(durable: SequenceNumber) { write([Self.durable, durable.rawValue]) }

  /// How settlement stands according to the file; `nil` when it does not say.
  func readNote() -> SettlementNote? {
    guard let words = read(Self.done), let state = SettlementNote.State(rawValue: words[6] & 0xFF)
    else {
      return nil
    }
    var note = SettlementNote(through: SequenceNumber(words[3]), logBytes: words[5], state: state)
    if words[1] > 0 {
      note.confirmed = SettlementConfirmed(
        batch: words[1], lastSequence: SequenceNumber(words[2]))
    }
    if words[6] >> 8 < Self.noLag { note.historyLag = words[6] >> 8 }
    if words[4] < .max { note.due = Timestamp(nanoseconds: words[4]) }
    return note
  }

  /// Writes how settlement stands. A failure shows as no progress.
  func write(_ note: SettlementNote) {
    write([
      Self.done, note.confirmed?.batch ?? 0, note.confirmed?.lastSequence.rawValue ?? 0,
      note.through.rawValue, note.due?.nanoseconds ?? .max, note.logBytes,
      min(note.historyLag, Self.noLag) << 8 | note.state.rawValue,
    ])
  }

  private func read(_ magic: UInt64) -> [UInt64]? {
    var words = [UInt64](repeating: 0, count: Self.words)
    let size = Self.words * 8
    guard pread(descriptor, &words, size, 0) == size else { return nil }
    words = words.map { UInt64(littleEndian: $0) }
    guard words[0] == magic, words[Self.words - 1] == Self.sum(words.dropLast()) else { return nil }
    return words
  }

  private func write(_ values: [UInt64]) {
    let padding = [UInt64](repeating: 0, count: Self.words - 1 - values.count)
    var words = values + padding
    words.append(Self.sum(words[...]))
    words = words.map(\.littleEndian)
    _ = pwrite(descriptor, words, Self.words * 8, 0)
  }

  private static func sum(_ words: ArraySlice<UInt64>) -> UInt64 {
    var sum: UInt64 = 0xCBF2_9CE4_8422_2325
    for word in words {
      for byte in 0..<8 { sum = (sum ^ (word >> UInt64(8 * byte) & 0xFF)) &* 0x100_0000_01B3 }
    }
    return sum
  }
}
