// Serialisation of states into snapshots. Each component writes its part and reads it in the order
// of writing. The owner of the sink or source handles the file.
//
//     component ── put(count), put(row), put(row) ──▶ StateSink ──▶ a snapshot, written in pieces
//     component ◀─ get(count), get(row), get(row) ─── StateSource ◀─ a snapshot, each piece verified
//
// The calls do not throw. After an error a sink ignores further bytes and a source returns zeros;
// the owner checks for errors at the end.

/// Receives the bytes of a state, in order. Owned by one thread.
public protocol StateSink: AnyObject {
  /// Writes the next bytes. The sink keeps the first error for its owner.
  func write(_ bytes: UnsafeRawBufferPointer)
}

/// Returns the bytes of a state in the order in which they were written. Owned by one thread.
public protocol StateSource: AnyObject {
  /// Reads the next bytes; zeros after the end, after an error and after `reject`.
  func read(into bytes: UnsafeMutableRawBufferPointer)
  /// Reports that the bytes read are invalid, with the reason. The source returns only zeros from
  /// now on.
  func reject(_ what: String)
  /// Whether no read failed and nothing was rejected so far.
  var isWhole: Bool { get }
}

extension StateSink {
  /// Writes the bytes of a plain value as they are in memory.
  @inlinable public func put<Value: BitwiseCopyable>(_ value: Value) {
    withUnsafeBytes(of: value) { write($0) }
  }

  /// Writes the number of values, then their bytes.
  @inlinable public func put<Value: BitwiseCopyable>(_ values: [Value]) {
    put(UInt64(values.count))
    values.withUnsafeBytes { write($0) }
  }
}

extension StateSource {
  /// Reads a plain value. All-zero bytes must be a valid value.
  @inlinable public func get<Value: BitwiseCopyable>(_: Value.Type = Value.self) -> Value {
    withUnsafeTemporaryAllocation(of: Value.self, capacity: 1) { place in
      let bytes = UnsafeMutableRawBufferPointer(place)
      read(into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<MemoryLayout<Value>.size]))
      return place[0]
    }
  }

  /// Reads an array that `put` wrote.
  /// - Parameters:
  ///   - _: The type of the values.
  ///   - most: The highest number of values; more are rejected.
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

  /// Reads the count of the entries that follow.
  /// - Returns: The count; 0 when it is above `most`, which is rejected.
  @inlinable public func count(most: Int) -> Int {
    let count = get(UInt64.self)
    guard count <= UInt64(max(0, most)) else {
      reject("\(count) entries, more than the maximum of \(most)")
      return 0
    }
    return Int(count)
  }

  /// Reads a fingerprint and rejects one that differs from the layout's.
  public func expect(_ layout: StateLayout) {
    let found = get(UInt64.self)
    if isWhole, found != layout.fingerprint { reject("written by a program with another layout") }
  }

  /// Reads a fingerprint and rejects one that is neither the layout's nor in `former`.
  /// - Returns: The index in `former`; `nil` for the layout itself and after a rejection.
  public func expect(_ layout: StateLayout, or former: [UInt64]) -> Int? {
    let found = get(UInt64.self)
    if !isWhole || found == layout.fingerprint { return nil }
    if let known = former.firstIndex(of: found) { return known }
    reject("written by a program with another layout")
    return nil
  }
}

/// A fingerprint of the row types in an image, over the names, types and sizes of all fields.
///
/// Rows are written as they are in memory, so only a program with equal row types can read an
/// image.
public struct StateLayout: Sendable {
  /// Equal layouts have equal fingerprints.
  public private(set) var fingerprint: UInt64 = 0xCBF2_9CE4_8422_2325

  /// A layout without row types.
  /// - Parameter version: Rises when the meaning of rows changes without a change of their fields.
  public init(version: UInt64) { fold(version) }

  /// Adds a row type. All-zero bytes must be a valid row.
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

  /// FNV-1a; its product wraps by definition.
  private mutating func fold(byte: UInt8) {
    fingerprint = (fingerprint ^ UInt64(byte)) &* 0x100_0000_01B3
  }
}
