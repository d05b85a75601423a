import CoreMetrics
import Synchronization

/// A swift-metrics backend that stores values and renders them in the Prometheus text format. Any
/// thread.
public final class MetricsPage: MetricsFactory {
  /// One metric.
  private final class Value: CounterHandler, RecorderHandler, TimerHandler {
    let kind: String
    private let number = Atomic<Int64>(0)

    init(_ kind: String) { self.kind = kind }

    var current: Int64 { number.load(ordering: .relaxed) }

    func increment(by amount: Int64) { number.add(amount, ordering: .relaxed) }
    func reset() { number.store(0, ordering: .relaxed) }
    func record(_ value: Int64) { number.store(value, ordering: .relaxed) }
    func record(_ value: Double) { number.store(Int64(value), ordering: .relaxed) }
    func recordNanoseconds(_ duration: Int64) { number.store(duration, ordering: .relaxed) }
  }

  private let values = Mutex<[String: Value]>([:])

  /// A page without metrics.
  public init() {}

  /// All metrics in the Prometheus text format, sorted by name.
  public var text: String {
    values.withLock { values in
      values.sorted { $0.key < $1.key }.map { name, value in
        "# TYPE \(name) \(value.kind)\n\(name) \(value.current)\n"
      }.joined()
    }
  }

  private func value(_ label: String, _ kind: String) -> Value {
    values.withLock { values in
      if let known = values[label] { return known }
      let value = Value(kind)
      values[label] = value
      return value
    }
  }

  /// A monotonic counter. Dimensions are ignored.
  public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    value(label, "counter")
  }

  /// A gauge that shows the last value recorded. Dimensions are ignored.
  public func makeRecorder(
    label: String, dimensions: [(String, String)], aggregate: Bool
  ) -> any RecorderHandler {
    value(label, "gauge")
  }

  /// A gauge that shows the last duration, in ns. Dimensions are ignored.
  public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    value(label, "gauge")
  }

  /// Does nothing: metrics are never removed.
  public func destroyCounter(_ handler: any CounterHandler) {}
  /// Does nothing: metrics are never removed.
  public func destroyRecorder(_ handler: any RecorderHandler) {}
  /// Does nothing: metrics are never removed.
  public func destroyTimer(_ handler: any TimerHandler) {}
}
