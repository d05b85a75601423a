import MarketModel

/// An image of a state in memory.
final class MemoryImage: StateSink, StateSource {
  private(set) var bytes: [UInt8]
  private var next = 0
  private(set) var isWhole = true

  /// An empty image to write to.
  init() { bytes = [] }

  init(reading bytes: [UInt8]) { self.bytes = bytes }

  func write(_ bytes: UnsafeRawBufferPointer) { self.bytes += bytes }

  func read(into place: UnsafeMutableRawBufferPointer) {
    guard isWhole, next + place.count <= bytes.count else { return reject("it ends early") }
    bytes.withUnsafeBytes {
      place.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[next..<next + place.count]))
    }
    next += place.count
  }

  func reject(_ what: String) { isWhole = false }
}
