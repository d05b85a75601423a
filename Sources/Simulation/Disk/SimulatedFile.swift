// The three states of a file:
//
//   contents   what a read returns               the page cache
//   durable    what remains after a power loss   the medium
//   pending    changes in `contents` that a sync will apply to `durable`, in order
//
// At a power loss each sector of each pending write has or has not reached the medium.

import MarketModel

/// A file of the simulated disk.
final class SimulatedFile {
  /// A change that is not durable yet.
  enum Change {
    case write(offset: Int, bytes: [UInt8])
    case resize(Int)
  }

  /// Sectors are written whole or not at all.
  static let sector = 512

  private(set) var contents: [UInt8] = []
  private(set) var durable: [UInt8] = []
  private(set) var pending: [Change] = []

  /// Size of the file in bytes.
  var size: Int { contents.count }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
    let copy = Array(bytes)
    Self.apply(.write(offset: offset, bytes: copy), to: &contents)
    pending.append(.write(offset: offset, bytes: copy))
  }

  func resize(_ size: Int) {
    Self.apply(.resize(size), to: &contents)
    pending.append(.resize(size))
  }

  /// Whether a pending change affects these bytes.
  func isPending(_ range: Range<Int>) -> Bool {
    pending.contains { change in
      switch change {
      case .write(let offset, let bytes): range.overlaps(offset..<offset + bytes.count)
      case .resize: true
      }
    }
  }

  /// Makes all changes durable.
  func sync() {
    for change in pending { Self.apply(change, to: &durable) }
    pending.removeAll(keepingCapacity: true)
  }

  /// Fails to sync as Linux does after a writeback error: some of the changes reach the medium,
  /// none is written again, and reads still return them.
  func failToSync(_ random: inout SeededRandom) {
    settle(&random)
  }

  /// Loses power: only what has reached the medium remains.
  func losePower(_ random: inout SeededRandom) {
    settle(&random)
    contents = durable
  }

  /// Changes bytes on the medium and in the page cache without a write.
  func damage(_ offset: Int, _ bytes: [UInt8]) {
    guard offset + bytes.count <= contents.count, offset + bytes.count <= durable.count else {
      return
    }
    contents.replaceSubrange(offset..<offset + bytes.count, with: bytes)
    durable.replaceSubrange(offset..<offset + bytes.count, with: bytes)
  }

  /// Applies each sector of each pending change to the medium or drops it, at random.
  private func settle(_ random: inout SeededRandom) {
    let luck = [0, 2_000, 5_000, 9_000, 10_000][random.pick(0..<5)]
    for change in pending {
      switch change {
      case .resize:
        if random.happens(luck) { Self.apply(change, to: &durable) }
      case .write(let offset, let bytes):
        var start = 0
        while start < bytes.count {
          // The write may begin inside its first sector.
          let end = min(bytes.count, start + Self.sector - (offset + start) % Self.sector)
          if random.happens(luck) {
            Self.apply(
              .write(offset: offset + start, bytes: Array(bytes[start..<end])), to: &durable)
          }
          start = end
        }
      }
    }
    pending.removeAll(keepingCapacity: true)
  }

  private static func apply(_ change: Change, to bytes: inout [UInt8]) {
    switch change {
    case .resize(let size):
      if size < bytes.count {
        bytes.removeLast(bytes.count - size)
      } else {
        bytes.append(contentsOf: repeatElement(0, count: size - bytes.count))
      }
    case .write(let offset, let written):
      let end = offset + written.count
      if bytes.count < end {
        bytes.append(contentsOf: repeatElement(0, count: end - bytes.count))
      }
      bytes.withUnsafeMutableBytes { target in
        written.withUnsafeBytes { source in
          UnsafeMutableRawBufferPointer(rebasing: target[offset..<end]).copyMemory(from: source)
        }
      }
    }
  }
}
