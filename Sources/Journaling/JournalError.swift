import Glibc
import MarketModel

/// Why a journal cannot be opened, read or written. Each message says what to do.
public enum JournalError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What was asked of the operating system.
  public enum Operation: String, Sendable {
    case open, create, read, write, sync, rename, remove, list, lock
  }

  /// The operating system refused. `code` is the errno; `offset` the file position, if there is one.
  case system(Operation, path: String, offset: Int?, code: Int32)
  /// Another process has the directory; `holder` is its process id, 0 when it is not known.
  case locked(path: String, holder: Int32)
  /// The directory that this process writes is no longer at its path, or another lies there.
  case moved(path: String)
  /// The journal has no segment, and a file beside its folder shows that it had one.
  case lost(path: String, beside: String)
  /// A block that must be there is damaged, and this is not the torn end of the last write.
  /// `expected` is the sequence number due at that place.
  case corrupt(path: String, offset: Int, expected: SequenceNumber, BlockDefect)
  /// The journal begins after the command asked for.
  case tooEarly(path: String, asked: SequenceNumber, oldest: SequenceNumber)
  /// A snapshot is damaged, or another program or configuration wrote it; the journal is as it was.
  case badSnapshot(path: String, String)
  /// No snapshot can be used, and the segments before `oldest` are gone: nothing leads to the state.
  case onlySnapshots(path: String, oldest: SequenceNumber, String)
  /// The list of refused commands is damaged, lacks what a snapshot holds, or belongs to another journal.
  case badRefusals(path: String, String)
  /// The command may not be refused; and why.
  case notRefusable(SequenceNumber, String)

  static func system(
    _ operation: Operation, _ path: String, _ failure: DiskFailure, at offset: Int? = nil
  ) -> JournalError {
    .system(operation, path: path, offset: offset, code: failure.code)
  }

  /// Whether the disk has no room: it may have some later.
  public var isFull: Bool {
    if case .system(_, _, _, let code) = self { code == ENOSPC || code == EDQUOT } else { false }
  }

  /// Whether whoever reads may ask for the same again later: the system refused, or a segment is not there
  /// just now. Nothing that is read is damaged.
  public var mayPass: Bool {
    switch self {
    case .system, .moved, .corrupt(_, _, _, .missing): true
    default: false
    }
  }

  /// Whether it can be over later, and kept nothing from being written that was promised: the disk has no room,
  /// there is no descriptor or memory left, or the file to be made cannot be.
  var canPass: Bool {
    switch self {
    case .moved: true
    case .system(.create, _, _, _), .system(.open, _, _, _): true
    default: isFull
    }
  }

  /// What happened and what to do about it.
  public var description: String {
    switch self {
    case .system(let operation, let path, let offset, let code):
      let place = offset.map { " at byte \($0)" } ?? ""
      return "cannot \(operation.rawValue) \(path)\(place): \(String(cString: strerror(code))). "
        + Self.advice(operation, code)
    case .locked(let path, let holder):
      let who = holder > 0 ? "process \(holder)" : "another process (`lslocks` names it)"
      return "\(path) is in use by \(who). Stop that server, or give this one another directory."
    case .moved(let path):
      return
        "\(path) was moved away or replaced while this server writes there. Put the folder back; "
        + "stop the server before its folder is moved."
    case .lost(let path, let other):
      return
        "\(path) holds no segment, but \(other) shows that an exchange was kept here: a new one would begin "
        + "beside its books. Nothing was changed. Mount that folder, or bring it back from a copy; to begin anew, "
        + "choose another data folder."
    case .corrupt(let path, let offset, let expected, let defect):
      return "\(path), byte \(offset), where command \(expected.rawValue) is due: \(defect). "
        + "Nothing was changed. Restore this file from a copy and start again; "
        + "`joulebook journal verify` shows what is readable."
    case .tooEarly(let path, let asked, let oldest):
      return "\(path) begins with command \(oldest.rawValue), so command \(asked.rawValue) is not "
        + "there. Bring back its older segments or start from a later command."
    case .badSnapshot(let path, let defect):
      return
        "\(path) cannot be used: \(defect). The journal is not concerned; an older snapshot, or "
        + "the journal from its first command, does the same."
    case .onlySnapshots(let path, let oldest, let defect):
      return
        "\(path) cannot be used: \(defect); nor can another snapshot, and the journal begins with command "
        + "\(oldest.rawValue): the segments before it are gone. Nothing was changed. Bring them back, or a whole "
        + "snapshot, from a backup; of another layout, the program that wrote it can read it: start that."
    case .badRefusals(let path, let defect):
      return
        "\(path) cannot be used: \(defect). Nothing was changed. Without it the exchange would be "
        + "another: bring back the file from a copy of the folder, do not remove it."
    case .notRefusable(let sequence, let reason):
      return
        "command \(sequence.rawValue) is not refused: \(reason). Nothing was changed. Only the "
        + "command in which the last run ended, and which nobody was told of, can be refused."
    }
  }

  private static func advice(_ operation: Operation, _ code: Int32) -> String {
    switch code {
    case ENOSPC, EDQUOT, EFBIG: "Make room on that disk, then start again."
    case EACCES, EPERM, EROFS: "Let this user read and write there, then start again."
    case ELOOP:
      "It is a link, and a journal writes to no file elsewhere. Remove the link, or put the file itself in "
        + "its place; a whole folder may lie elsewhere."
    case EEXIST: "Something else lies in its place. Move that away."
    case EMFILE:
      "This process has no file descriptor left: raise `ulimit -n`, or LimitNOFILE= of its unit."
    case ENFILE:
      "The system has no file descriptor left: raise fs.file-max, or end what holds so many."
    case ENOMEM: "The system has no memory left."
    case ENOENT: "Check that the directory is the journal's."
    case EIO where operation == .write || operation == .sync:
      "What was not acknowledged may be lost. Check the disk before starting again."
    default: "Check the disk and the directory, then start again."
    }
  }
}
