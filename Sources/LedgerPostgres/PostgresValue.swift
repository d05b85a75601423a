// Values in PostgreSQL's binary form; integers are big-endian.
//
//   bigint   8 bytes
//   array    dimensions 1 | has nulls 0 | type of an element | count | first index 1, 4 bytes each;
//            then of each element its length (4 bytes) and its bytes
//   COPY     "PGCOPY\n\377\r\n\0" | flags 0 | length of the extension 0;
//            of each row the number of its fields (2 bytes), of each field its length (4) and its bytes;
//            -1 (2 bytes) at the end

/// A parameter of a statement.
struct PostgresValue {
  /// The number of its type in PostgreSQL's catalog.
  var type: UInt32
  /// Its bytes.
  var bytes: [UInt8]

  private static let (bytea, bigint, text) = (UInt32(17), UInt32(20), UInt32(25))
  private static let (byteaArray, bigintArray) = (UInt32(1001), UInt32(1016))

  /// A `bigint`.
  static func integer(_ value: Int64) -> PostgresValue {
    var writer = PostgresWriter(capacity: 8)
    writer.append(value)
    return PostgresValue(type: bigint, bytes: writer.bytes)
  }

  /// A `bytea`.
  static func bytes(_ value: [UInt8]) -> PostgresValue { PostgresValue(type: bytea, bytes: value) }

  /// A `text`.
  static func text(_ value: String) -> PostgresValue {
    PostgresValue(type: text, bytes: Array(value.utf8))
  }

  /// A `bigint[]` of one value per element of `elements`.
  static func integers<Element>(
    _ elements: [Element], _ value: (Element) -> Int64
  ) -> PostgresValue {
    var writer = PostgresWriter(capacity: 20 + 12 * elements.count)
    writer.beginArray(of: bigint, count: elements.count)
    for element in elements { writer.append(field: value(element)) }
    return PostgresValue(type: bigintArray, bytes: writer.bytes)
  }

  /// A `bytea[]` of one value per element of `elements`.
  static func bytes<Element>(
    _ elements: [Element], _ value: (Element) -> [UInt8]
  ) -> PostgresValue {
    var writer = PostgresWriter(capacity: 20 + 64 * elements.count)
    writer.beginArray(of: bytea, count: elements.count)
    for element in elements { writer.append(field: value(element)) }
    return PostgresValue(type: byteaArray, bytes: writer.bytes)
  }
}

/// Writes PostgreSQL's binary form.
struct PostgresWriter {
  /// What was written.
  private(set) var bytes: [UInt8] = []

  init(capacity: Int) { bytes.reserveCapacity(capacity) }

  mutating func append<Value: FixedWidthInteger>(_ value: Value) {
    withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
  }

  /// A field of 8 bytes with its length.
  mutating func append(field value: Int64) {
    append(Int32(8))
    append(value)
  }

  /// A field of any length with its length.
  mutating func append(field value: [UInt8]) {
    append(Int32(value.count))
    bytes += value
  }

  /// The head of an array with one dimension and no nulls.
  mutating func beginArray(of type: UInt32, count: Int) {
    for value in [1, 0, Int32(bitPattern: type), Int32(count), 1] { append(value) }
  }

  /// The head of a COPY.
  mutating func beginCopy() {
    bytes += [0x50, 0x47, 0x43, 0x4F, 0x50, 0x59, 0x0A, 0xFF, 0x0D, 0x0A, 0]
    append(Int64(0))
  }

  /// The end of a COPY.
  mutating func endCopy() { append(Int16(-1)) }
}
