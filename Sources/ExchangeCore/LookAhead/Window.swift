// The window of the next commands, sorted by the kind of rows that they name (LookAhead.swift).
//
//     block    0: next   1: +16   2: +32   3: +48      a ring: block n is stored at index n modulo 4
//     lists    | enter | change | reading | other |    four lists of sixteen entries in each block

import MarketModel

/// The next commands: a ring of four blocks of sixteen commands, each with one list for each kind.
struct Window: ~Copyable {
  /// Number of commands in a block.
  static var size: Int { Exchange.lookAheadGroup }
  private static let blocks = 4

  /// The four lists of one block. Each has up to sixteen pointers to payloads.
  struct Block {
    fileprivate let counts: UnsafeMutablePointer<Int>
    fileprivate let payloads: UnsafeMutablePointer<UnsafeRawPointer>

    @inline(__always) func count(_ kind: NamedRows) -> Int { counts[kind.rawValue] }

    @inline(__always) func enter(_ index: Int) -> NewOrderRow {
      NewOrderRow(payload(.enter, index).assumingMemoryBound(to: NewOrder.self))
    }

    @inline(__always) func change(_ index: Int) -> CancelOrderRow {
      CancelOrderRow(payload(.change, index).assumingMemoryBound(to: CancelOrder.self))
    }

    @inline(__always) func reading(_ index: Int) -> ReadOnlyRow<MeterReading> {
      ReadOnlyRow(payload(.reading, index).assumingMemoryBound(to: MeterReading.self))
    }

    @inline(__always) private func payload(_ kind: NamedRows, _ index: Int) -> UnsafeRawPointer {
      payloads[kind.rawValue &* Window.size &+ index]
    }

    @inline(__always) func clear() {
      for kind in 0..<4 { counts[kind] = 0 }
    }

    /// Adds a command to the list of its kind. A block takes at most sixteen.
    @inline(__always) func add(_ payload: UnsafeRawPointer, _ kind: UInt8) {
      let count = counts[Int(kind)]
      payloads[Int(kind) &* Window.size &+ count] = payload
      counts[Int(kind)] = count &+ 1
    }

    /// Removes the payloads of one kind for which `isKept` returns false.
    @inline(__always) func filter(_ kind: NamedRows, _ isKept: (UnsafeRawPointer) -> Bool) {
      let list = payloads + kind.rawValue &* Window.size
      var kept = 0
      for index in 0..<counts[kind.rawValue] {
        let payload = list[index]
        list[kept] = payload
        kept &+= isKept(payload) ? 1 : 0
      }
      counts[kind.rawValue] = kept
    }
  }

  private let counts = UnsafeMutablePointer<Int>.allocate(capacity: blocks * 4)
  private let payloads = UnsafeMutablePointer<UnsafeRawPointer>.allocate(
    capacity: blocks * 4 * size)

  /// Whether a block may have entries.
  var isInUse = false

  init() {
    counts.initialize(repeating: 0, count: Window.blocks * 4)
    payloads.initialize(
      repeating: UnsafeRawPointer(counts), count: Window.blocks * 4 * Window.size)
  }

  deinit {
    counts.deallocate()
    payloads.deallocate()
  }

  /// Empties all blocks. When the exchange becomes large again in the middle of a group, they would
  /// hold payloads of an earlier one, whose memory has other commands now.
  mutating func forget() {
    if !isInUse { return }
    counts.update(repeating: 0, count: Window.blocks * 4)
    isInUse = false
  }

  @inline(__always) subscript(block: Int) -> Block {
    let place = block & (Window.blocks - 1)
    return Block(counts: counts + place &* 4, payloads: payloads + place &* 4 &* Window.size)
  }
}
