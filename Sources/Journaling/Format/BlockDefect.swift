import MarketModel

/// What is wrong with a block.
public enum BlockDefect: Error, Sendable, Equatable, CustomStringConvertible {
  /// The file ends inside the block.
  case cutOff
  /// The magic is not there.
  case notABlock
  /// The header does not fit its checksum.
  case headerChecksum
  /// A header with a right checksum, of a format this program does not know.
  case unsupportedVersion(UInt16)
  /// A header with a right checksum that no writer makes.
  case impossibleHeader
  /// The payload does not fit its checksum.
  case payloadChecksum
  /// Bytes behind the payload are not zero.
  case paddingNotZero
  /// It does not follow the block before: another hash.
  case brokenChain
  /// It begins with another sequence number than the one that is due.
  case wrongSequence(found: SequenceNumber)
  /// It belongs to another shard.
  case foreignShard(UInt32)
  /// Its epoch or time is lower than that of the block before.
  case goesBack
  /// A record is not a command, or the records do not fill the payload.
  case undecodable(SequenceNumber, CommandCodec.Failure)
  /// Commands in it do not end where its header says.
  case wrongContents
  /// Whole blocks, or a segment, follow where none may.
  case followedBy(SequenceNumber)
  /// The segment with this sequence number is not there.
  case missing
  /// The journal ends here, though a snapshot holds what came up to this command.
  case endsBefore(SequenceNumber)

  /// Whether a write that was cut short by a crash looks like this.
  var canBeTorn: Bool {
    switch self {
    case .cutOff, .notABlock, .headerChecksum, .payloadChecksum, .paddingNotZero: true
    case .unsupportedVersion, .impossibleHeader, .brokenChain, .wrongSequence, .foreignShard,
      .goesBack, .undecodable, .wrongContents, .followedBy, .missing,
      .endsBefore:
      false
    }
  }

  /// What is wrong, as part of a sentence.
  public var description: String {
    switch self {
    case .cutOff: "the file ends inside the block"
    case .notABlock: "no block begins here"
    case .headerChecksum: "the header's checksum is wrong"
    case .unsupportedVersion(let version): "format version \(version) is unknown to this program"
    case .impossibleHeader: "the header says what no writer writes"
    case .payloadChecksum: "the payload's checksum is wrong"
    case .paddingNotZero: "the bytes behind the payload are not zero"
    case .brokenChain: "it names another block before it"
    case .wrongSequence(let found): "it begins with command \(found.rawValue)"
    case .foreignShard(let shard): "it belongs to shard \(shard)"
    case .goesBack: "its time or epoch goes back"
    case .undecodable(let sequence, let failure): "command \(sequence.rawValue): \(failure)"
    case .wrongContents: "its commands are not as many, or not as late, as its header says"
    case .followedBy(let sequence): "it is followed by command \(sequence.rawValue)"
    case .missing: "no segment holds it"
    case .endsBefore(let sequence):
      "the journal ends before it, but a snapshot holds command \(sequence.rawValue)"
    }
  }
}
