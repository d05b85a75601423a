import Journaling
import MarketModel
import Transport

/// Why a server does not start. Each says what to do.
public enum StartError: Error, CustomStringConvertible {
  /// Configuration, data folder or keys cannot be used.
  case configuration(ConfigurationError)
  /// The journal cannot be read or written, or is damaged.
  case journal(JournalError)
  /// No snapshot can be made.
  case snapshot(SnapshotError)
  /// The address cannot be listened on.
  case transport(TransportError)
  /// The system's clock shows a time that it can hardly be.
  case clock(ClockCheck.Doubt)
  /// The replay of the journal differs from the history that was written at this checkpoint.
  case diverged(SequenceNumber)

  /// What happened and what to do about it.
  public var description: String {
    switch self {
    case .configuration(let error): "\(error)"
    case .journal(let error): "\(error)"
    case .snapshot(let error): "\(error)"
    case .transport(let error): "\(error). Choose another address with --listen"
    case .clock(let doubt): "\(doubt)"
    case .diverged(let sequence):
      "the replay of the journal differs from what was written at its checkpoint, command "
        + "\(sequence.rawValue). This version applies commands differently than the one that wrote "
        + "them, or the files were changed, or the list of refused commands (journal/refused) was lost. "
        + "Nothing was changed; bring that back from a copy, or start the version that wrote them"
    }
  }
}
