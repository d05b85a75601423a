import Journaling
import MarketModel
import Transport

/// The reason why a server cannot start. Each description says what the operator should do.
public enum StartError: Error, CustomStringConvertible {
  /// The configuration, the data folder or the keys cannot be used.
  case configuration(ConfigurationError)
  /// The journal cannot be read or written, or is damaged.
  case journal(JournalError)
  /// A snapshot cannot be made.
  case snapshot(SnapshotError)
  /// The server cannot listen on an address; the text names what is to be changed.
  case listener(String, TransportError)
  /// The system gives no event loop.
  case transport(TransportError)
  /// The system clock shows an implausible time.
  case clock(ClockCheck.Doubt)
  /// The replay of the journal differs from the hash journaled in this checkpoint.
  case diverged(SequenceNumber)

  /// What happened and what to do about it, for the operator.
  public var description: String {
    switch self {
    case .configuration(let error): "\(error)"
    case .journal(let error): "\(error)"
    case .snapshot(let error): "\(error)"
    case .listener(let key, let error): "\(error). Change \(key)"
    case .transport(let error): "\(error)"
    case .clock(let doubt): "\(doubt)"
    case .diverged(let sequence):
      "the replay of the journal differs from the hash in its checkpoint, command "
        + "\(sequence.rawValue). Either this version applies commands differently from the one "
        + "that wrote them, or files were changed, or the list of refused commands "
        + "(journal/refused) was lost. Nothing was changed. Restore the files from a backup, or "
        + "start the version that wrote them"
    }
  }
}
