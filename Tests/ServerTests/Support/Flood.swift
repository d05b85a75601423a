// Strangers that connect and say nothing, beside a test that goes on.

import Foundation
import Glibc
import Synchronization

/// Connects 300 times a second from this machine, and keeps the last thousand connections. A thread
/// of its own runs until `end`.
final class Flood: Sendable {
  private let isOver = Atomic<Bool>(false)
  private let hasEnded = Atomic<Bool>(false)
  private let count = Atomic<Int>(0)

  init(port: UInt16) {
    let thread = Thread { self.run(port) }
    thread.start()
  }

  /// Ends it.
  /// - Returns: the number of connections that were made.
  func end() -> Int {
    isOver.store(true, ordering: .relaxed)
    while !hasEnded.load(ordering: .acquiring) { usleep(1_000) }
    return count.load(ordering: .relaxed)
  }

  private func run(_ port: UInt16) {
    var open: [Int32] = []
    while !isOver.load(ordering: .relaxed) {
      open.append(Self.connect(port))
      count.add(1, ordering: .relaxed)
      if open.count > 1_000 { close(open.removeFirst()) }
      usleep(3_300)
    }
    open.forEach { close($0) }
    hasEnded.store(true, ordering: .releasing)
  }

  private static func connect(_ port: UInt16) -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    _ = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    return descriptor
  }
}
