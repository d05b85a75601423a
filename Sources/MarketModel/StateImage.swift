// Between a state in memory and its bytes. Each component writes and reads its own part, in the same order;
// whoever owns the file knows about files, the components do not.
//
//     component ── put(count), put(row), put(row) ──▶ StateSink ──▶ a snapshot, piece by piece
//     component ◀─ get(count), get(row), get(row) ─── StateSource ◀─ a snapshot, each piece checked
//
// Neither throws: one that failed takes nothing more, or gives only zeros, and its owner asks at the end.

/// Takes the bytes of a state, in order. Owned by one thread.
public protocol StateSink: AnyObject {
  /// Takes the next bytes. What fails is remembered; the owner asks.
  func write(_ bytes: UnsafeRawBufferPointer)
}

/// Gives the bytes of a state, in the order in which they were written. Owned by one thread.
public protocol StateSource: AnyObject {
  /// Gives the next bytes; zeros behind the end, after an error and after `reject`.
  func read(into bytes: UnsafeMutableRawBufferPointer)
  /// What was read cannot be what was written: says what, and gives only zeros from now on.
  func reject(_ what: String)
  /// Whether everything was given as it was written so far.
  var isWhole: Bool { get }
}

extension StateSink {
  /// Writes a plain value as it lies in memory.
  @inlinable public func put<Value: BitwiseCopyable>(_ value: Value) {
    withUnsafeBytes(of: value) { write($0) }
  }

  /// Writes how many there are, then each.
  @inlinable public func put<Value: BitwiseCopyable>(_ values: [Value]) {
    put(UInt64(values.count))
    values.withUnsafeBytes { write($0) }
  }
}

extension StateSource {
  /// Reads a plain value, of which all-zero bytes must be one.
  @inlinable public func get<Value: BitwiseCopyable>(_: Value.Type = Value.self) -> Value {
    withUnsafeTemporaryAllocation(of: Value.self, capacity: 1) { place in
      let bytes = UnsafeMutableRawBufferPointer(place)
      read(into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<MemoryLayout<Value>.size]))
      return place[0]
    }
  }

  /// Reads what `put` of an array wrote.
  /// - Parameter most: More than so many are rejected.
  @inlinable public func get<Value: BitwiseCopyable>(_: Value.Type = Value.self, most: Int)
    -> [Value]
  {
    let count = self.count(most: most)
    return [Value](unsafeUninitializedCapacity: count) { place, used in
      read(
        into: UnsafeMutableRawBufferPointer(
          rebasing: UnsafeMutableRawBufferPointer(place)[
            ..<(count * MemoryLayout<Value>.stride)]))
      used = count
    }
  }

  /// Reads a number of things that follow.
  /// - Returns: 0 when there are more than `most`, which is rejected.
  @inlinable public func count(most: Int) -> Int {
    let count = get(UInt64.self)
    guard count <= UInt64(max(0, most)) else {
      reject("\(count) entries where at most \(most) can be")
      return 0
    }
    return Int(count)
  }

  /// Reads a fingerprint and rejects what another layout wrote.
  public func expect(_ layout: StateLayout) {
    let found = get(UInt64.self)
    if isWhole, found != layout.fingerprint { reject("written by a program with another layout") }
  }

  /// Reads a fingerprint and rejects what another layout wrote, unless it is one of `former`.
  /// - Returns: Which of `former` wrote it; `nil`: the layout itself, or none, which is rejected.
  public func expect(_ layout: StateLayout, or former: [UInt64]) -> Int? {
    let found = get(UInt64.self)
    if !isWhole || found == layout.fingerprint { return nil }
    if let known = former.firstIndex(of: found) { return known }
    reject("written by a program with another layout")
    return nil
  }
}

/// What tells apart the layouts of the rows that an image holds: names, types and sizes of all fields.
///
/// Rows are written as they lie in memory, so an image fits only a program whose rows are the same.
public struct StateLayout: Sendable {
  /// Two layouts with the same number are the same.
  public private(set) var fingerprint: UInt64 = 0xCBF2_9CE4_8422_2325

  /// No rows yet.
  /// - Parameter version: Counts changes of meaning that no field shows.
  public init(version: UInt64) { fold(version) }

  /// Adds a kind of row, of which all-zero bytes must be one.
  public mutating func add<Row: BitwiseCopyable>(_: Row.Type) {
    fold(String(describing: Row.self))
    fold(UInt64(MemoryLayout<Row>.size) << 32 | UInt64(MemoryLayout<Row>.stride))
    withUnsafeTemporaryAllocation(of: Row.self, capacity: 1) { place in
      UnsafeMutableRawBufferPointer(place).initializeMemory(as: UInt8.self, repeating: 0)
      fold(fieldsOf: place[0])
    }
  }

  private mutating func fold(fieldsOf value: Any) {
    for child in Mirror(reflecting: value).children {
      fold(child.label ?? "")
      fold(String(describing: type(of: child.value)))
      fold(fieldsOf: child.value)
    }
  }

  private mutating func fold(_ text: String) {
    for byte in text.utf8 { fold(byte: byte) }
    fold(byte: 0)
  }

  private mutating func fold(_ number: UInt64) {
    for shift in stride(from: UInt64(0), to: 64, by: 8) {
      fold(byte: UInt8(truncatingIfNeeded: number >> shift))
    }
  }

  /// FNV-1a, whose product wraps by definition.
  private mutating func fold(byte: UInt8) {
    fingerprint = (fingerprint ^ UInt64(byte)) &* 0x100_0000_01B3
  }
}
