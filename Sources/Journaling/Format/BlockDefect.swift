import MarketModel

/// The defect of a block.
public enum BlockDefect: Error, Sendable, Equatable, CustomStringConvertible {
  /// The file ends inside the block.
  case cutOff
  /// The magic number is missing.
  case notABlock
  /// The header's checksum is wrong.
  case headerChecksum
  /// The header's checksum is right, but this program does not know the format version.
  case unsupportedVersion(UInt16)
  /// The header's checksum is right, but no writer writes these values.
  case impossibleHeader
  /// The payload's checksum is wrong.
  case payloadChecksum
  /// Bytes after the payload are not zero.
  case paddingNotZero
  /// It does not contain the hash of the previous block.
  case brokenChain
  /// It starts with another sequence number than the next one.
  case wrongSequence(found: SequenceNumber)
  /// It belongs to another shard.
  case foreignShard(UInt32)
  /// Its epoch or time is lower than that of the previous block.
  case goesBack
  /// A record is not a valid command, or the records do not fill the payload.
  case undecodable(SequenceNumber, CommandCodec.Failure)
  /// The number or the last time of its commands differs from its header.
  case wrongContents
  /// Valid blocks, or a segment, follow where none may.
  case followedBy(SequenceNumber)
  /// The segment that contains this sequence number is missing.
  case missing
  /// The journal ends here, but a snapshot contains commands up to this one.
  case endsBefore(SequenceNumber)

  /// Whether an incomplete write during a crash can look like this.
  var canBeTorn: Bool {
    switch self {
    case .cutOff, .notABlock, .headerChecksum, .payloadChecksum, .paddingNotZero: true
    case .unsupportedVersion, .impossibleHeader, .brokenChain, .wrongSequence, .foreignShard,
      .goesBack, .undecodable, .wrongContents, .followedBy, .missing,
      .endsBefore:
      false
    }
  }

  /// The defect, as part of a sentence.
  public var description: String {
    switch self {
    case .cutOff: "the file ends inside the block"
    case .notABlock: "no block begins here"
    case .headerChecksum: "the header's checksum is wrong"
    case .unsupportedVersion(let version): "format version \(version) is unknown to this program"
    case .impossibleHeader: "the header has values that no writer writes"
    case .payloadChecksum: "the payload's checksum is wrong"
    case .paddingNotZero: "the bytes after the payload are not zero"
    case .brokenChain: "it does not contain the hash of the block before it"
    case .wrongSequence(let found): "it begins with command \(found.rawValue)"
    case .foreignShard(let shard): "it belongs to shard \(shard)"
    case .goesBack: "its time or epoch goes back"
    case .undecodable(let sequence, let failure): "command \(sequence.rawValue): \(failure)"
    case .wrongContents: "the number of its commands, or the last time, differs from its header"
    case .followedBy(let sequence): "it is followed by command \(sequence.rawValue)"
    case .missing: "its segment is missing"
    case .endsBefore(let sequence):
      "the journal ends before it, but a snapshot contains command \(sequence.rawValue)"
    }
  }
}
