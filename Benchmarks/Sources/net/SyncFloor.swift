// The lower bound of durability: repeatedly writes and syncs a block of 4 KiB in a preallocated file.

import Foundation
import Histogram

enum SyncFloor {
  private static let block = 4_096
  private static let blocks = 4_096

  static func run(folder: String, milliseconds: UInt64) -> Histogram<UInt32> {
    let path = folder + "/sync-\(getpid())"
    let file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0o600)
    precondition(file >= 0, "no file in \(folder)")
    defer {
      close(file)
      unlink(path)
    }
    let bytes = [UInt8](repeating: 7, count: block)
    for index in 0..<blocks { pwrite(file, bytes, block, off_t(index * block)) }
    fsync(file)
    var latency = Histogram<UInt32>(highestTrackableValue: 60_000_000_000)
    let end = now() + milliseconds * 1_000_000
    var index = 0
    while now() < end {
      let start = now()
      pwrite(file, bytes, block, off_t(index % blocks * block))
      fdatasync(file)
      latency.record(now() - start)
      index += 1
    }
    return latency
  }
}
