// What lies in a journal's directory:
//
//   lock                                  held by the server that writes; contains its process id
//   00000000000000000001.journal          segment that begins with command 1
//   00000000000000812345.journal          segment that begins with command 812345
//   next.segment                          the zeros of the segment to come, renamed when it is due

import Glibc
import MarketModel

/// Names and lists of a journal's files. No state; any thread.
enum JournalDirectory {
  /// A segment and the sequence number it begins with.
  struct Segment: Equatable {
    let first: SequenceNumber
    let path: String
  }

  private static let suffix = ".journal"
  private static let digits = 20

  /// Where the segment that begins with `first` lies.
  static func segmentPath(_ directory: String, first: SequenceNumber) -> String {
    let number = String(first.rawValue)
    let zeros = String(repeating: "0", count: digits - number.utf8.count)
    return directory + "/" + zeros + number + suffix
  }

  /// Where the segment to come is prepared.
  static func preparedPath(_ directory: String) -> String { directory + "/next.segment" }

  /// The segments, in order. Other files are passed over.
  static func segments(_ directory: String) throws(JournalError) -> [Segment] {
    guard let stream = opendir(directory) else { throw .system(.list, directory) }
    defer { closedir(stream) }
    var segments: [Segment] = []
    errno = 0
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if let first = sequence(ofSegment: name) {
        segments.append(Segment(first: first, path: directory + "/" + name))
      }
      errno = 0
    }
    guard errno == 0 else { throw .system(.list, directory) }
    return segments.sorted { $0.first < $1.first }
  }

  private static func sequence(ofSegment name: String) -> SequenceNumber? {
    guard name.utf8.count == digits + suffix.utf8.count, name.hasSuffix(suffix) else { return nil }
    return UInt64(name.prefix(digits)).map { SequenceNumber($0) }
  }

  /// Creates `directory` if it is not there; its parent must be.
  static func create(_ directory: String) throws(JournalError) {
    guard mkdir(directory, 0o750) == 0 || errno == EEXIST else {
      throw .system(.create, directory)
    }
  }

  /// Makes the names in `directory` durable.
  static func sync(_ directory: String) throws(JournalError) {
    let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system(.open, directory) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw .system(.sync, directory) }
  }

  /// Gives the prepared segment its name, durably.
  static func name(
    prepared path: String, first: SequenceNumber, in directory: String
  ) throws(JournalError) -> String {
    let name = segmentPath(directory, first: first)
    guard rename(path, name) == 0 else { throw .system(.rename, path) }
    try sync(directory)
    return name
  }
}
