// Log lines carry their variable parts in metadata fields (key=value), so that they can be searched
// and counted; the message text is constant. Field names: session, command, batch, path, byte,
// errno, error.

import Journaling
import Logging
import MarketModel

extension SessionId {
  /// The number, as a metadata value.
  var field: Logger.MetadataValue { "\(rawValue)" }
}

extension SequenceNumber {
  /// The number, as a metadata value.
  var field: Logger.MetadataValue { "\(rawValue)" }
}

extension JournalError {
  /// The error's message, location and advice as metadata.
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
  /// The error's message, location and advice as metadata.
  var fields: Logger.Metadata {
    switch self {
    case .journal(let error): error.fields
    case .diverged(let sequence): ["error": "\(self)", "command": sequence.field]
    case .batches(let error): ["error": "\(error)"]
    }
  }
}
