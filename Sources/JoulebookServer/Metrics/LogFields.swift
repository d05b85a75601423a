// What a line of the log is about stands in fields (key=value), so that it can be looked for and counted; the
// words are the same each time. Names of fields: session, command, batch, path, byte, errno, error.

import Journaling
import Logging
import MarketModel

extension SessionId {
  /// As a field.
  var field: Logger.MetadataValue { "\(rawValue)" }
}

extension SequenceNumber {
  /// As a field.
  var field: Logger.MetadataValue { "\(rawValue)" }
}

extension JournalError {
  /// What happened, where, and what to do about it.
  var fields: Logger.Metadata {
    var fields: Logger.Metadata = ["error": "\(self)"]
    switch self {
    case .system(let operation, let path, let offset, let code):
      fields["operation"] = "\(operation.rawValue)"
      fields["path"] = "\(path)"
      fields["errno"] = "\(code)"
      if let offset { fields["byte"] = "\(offset)" }
    case .locked(let path, let holder):
      fields["path"] = "\(path)"
      fields["process"] = "\(holder)"
    case .corrupt(let path, let offset, let expected, _):
      fields["path"] = "\(path)"
      fields["byte"] = "\(offset)"
      fields["command"] = expected.field
    case .tooEarly(let path, let asked, let oldest):
      fields["path"] = "\(path)"
      fields["command"] = asked.field
      fields["oldest"] = oldest.field
    case .onlySnapshots(let path, let oldest, _):
      fields["path"] = "\(path)"
      fields["oldest"] = oldest.field
    case .badSnapshot(let path, _), .moved(let path), .badRefusals(let path, _), .lost(let path, _):
      fields["path"] = "\(path)"
    case .notRefusable(let sequence, _):
      fields["command"] = sequence.field
    }
    return fields
  }
}

extension SnapshotError {
  /// What happened, where, and what to do about it.
  var fields: Logger.Metadata {
    switch self {
    case .journal(let error): error.fields
    case .diverged(let sequence): ["error": "\(self)", "command": sequence.field]
    case .batches(let error): ["error": "\(error)"]
    }
  }
}
