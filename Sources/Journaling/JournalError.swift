import Glibc
import MarketModel

/// The reason why a journal cannot be opened, read or written. Each message says what to do.
public enum JournalError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The system call that failed.
  public enum Operation: String, Sendable {
    case open, create, read, write, sync, rename, remove, list, lock
  }

  /// The system refused. `code` is the errno, `offset` the file position if there is one.
  case system(Operation, path: String, offset: Int?, code: Int32)
  /// Another process has locked the directory; `holder` is its process id, 0 if unknown.
  case locked(path: String, holder: Int32)
  /// The directory that this process writes is no longer at its path, or another one is.
  case moved(path: String)
  /// The journal has no segment, but a file beside its directory shows that it had one.
  case lost(path: String, beside: String)
  /// A block that must exist is damaged, other than as the torn end of the last write. `expected`
  /// is the sequence number expected there.
  case corrupt(path: String, offset: Int, expected: SequenceNumber, BlockDefect)
  /// The journal starts after the requested command.
  case tooEarly(path: String, asked: SequenceNumber, oldest: SequenceNumber)
  /// A snapshot is damaged, or was written by another program or configuration; the journal is not
  /// affected.
  case badSnapshot(path: String, String)
  /// No snapshot can be used, and the segments before `oldest` were removed, so the state cannot be
  /// restored.
  case onlySnapshots(path: String, oldest: SequenceNumber, String)
  /// The list of refused commands is damaged, lacks an entry of a snapshot, or belongs to another
  /// journal.
  case badRefusals(path: String, String)
  /// The command may not be refused, with the reason.
  case notRefusable(SequenceNumber, String)

  static func system(
    _ operation: Operation, _ path: String, _ failure: DiskFailure, at offset: Int? = nil
  ) -> JournalError {
    .system(operation, path: path, offset: offset, code: failure.code)
  }

  /// Whether the disk is full, which may change.
  public var isFull: Bool {
    if case .system(_, _, _, let code) = self { code == ENOSPC || code == EDQUOT } else { false }
  }

  /// Whether a reader may retry later: the system refused, or a segment is missing at the moment.
  /// No data are damaged.
  public var mayPass: Bool {
    switch self {
    case .system, .moved, .corrupt(_, _, _, .missing): true
    default: false
    }
  }

  /// Whether a writer may retry later, and no promised data were lost: the disk is full,
  /// descriptors or memory are exhausted, or the new file cannot be created.
  var canPass: Bool {
    switch self {
    case .moved: true
    case .system(.create, _, _, _), .system(.open, _, _, _): true
    default: isFull
    }
  }

  /// What happened and what to do about it, for the operator.
  public var description: String {
    switch self {
    case .system(let operation, let path, let offset, let code):
      let place = offset.map { " at byte \($0)" } ?? ""
      return "cannot \(operation.rawValue) \(path)\(place): \(String(cString: strerror(code))). "
        + Self.advice(operation, code)
    case .locked(let path, let holder):
      let who = holder > 0 ? "process \(holder)" : "another process (`lslocks` names it)"
      return "\(path) is in use by \(who). Stop that server, or give this one another data folder "
        + "(--data)."
    case .moved(let path):
      return
        "\(path) was moved or replaced while this server was writing to it. Put the folder back. "
        + "To move it, stop the server first."
    case .lost(let path, let other):
      return
        "\(path) has no segment, but \(other) shows that an exchange has run here, so its journal "
        + "is missing. Nothing was changed. Mount the journal's folder or restore it from a "
        + "backup. For a new exchange, choose another data folder."
    case .corrupt(let path, let offset, let expected, let defect):
      return "\(path), byte \(offset), where command \(expected.rawValue) is expected: \(defect). "
        + "Nothing was changed. Restore this file from a backup and start again; "
        + "`joulebook journal verify` shows what is readable."
    case .tooEarly(let path, let asked, let oldest):
      return "\(path) begins with command \(oldest.rawValue), so command \(asked.rawValue) is not "
        + "available. Restore the older segments or start from a later command."
    case .badSnapshot(let path, let defect):
      return
        "\(path) cannot be used: \(defect). The journal is not affected: an older snapshot, or a "
        + "replay of the whole journal, gives the same state."
    case .onlySnapshots(let path, let oldest, let defect):
      return
        "\(path) cannot be used: \(defect). No other snapshot can be used either, and the journal "
        + "begins with command \(oldest.rawValue), because the segments before it were removed. "
        + "Nothing was changed. Restore those segments or an undamaged snapshot from a backup. If "
        + "another version of the program wrote the snapshot, start that version."
    case .badRefusals(let path, let defect):
      return
        "\(path) cannot be used: \(defect). Nothing was changed. Do not remove the file: without "
        + "it a replay gives another state. Restore it from a backup of the folder."
    case .notRefusable(let sequence, let reason):
      return
        "command \(sequence.rawValue) cannot be refused: \(reason). Nothing was changed. Only the "
        + "command during which the last run crashed can be refused, if no client has received its "
        + "result."
    }
  }

  private static func advice(_ operation: Operation, _ code: Int32) -> String {
    switch code {
    case ENOSPC, EDQUOT, EFBIG: "Free space on that disk, then start again."
    case EACCES, EPERM, EROFS: "Give this user read and write access, then start again."
    case ELOOP:
      "It is a symbolic link, and a journal does not write through links. Remove the link, or "
        + "replace it with the file itself. A link to a whole folder is allowed."
    case EEXIST: "Another kind of file has that name. Move it away."
    case EMFILE:
      "This process has no file descriptor left: raise `ulimit -n`, or LimitNOFILE= of its unit."
    case ENFILE:
      "The system has no file descriptor left: raise fs.file-max, or stop the processes that use "
        + "most of them."
    case ENOMEM: "The system has no memory left."
    case ENOENT: "Check that the directory is the journal's."
    case EIO where operation == .write || operation == .sync:
      "Commands that were not acknowledged may be lost. Check the disk before starting again."
    default: "Check the disk and the directory, then start again."
    }
  }
}
