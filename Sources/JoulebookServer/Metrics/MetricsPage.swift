import CoreMetrics
import Synchronization

/// A backend of swift-metrics that keeps numbers and shows them as text, one a line, in the format that
/// Prometheus reads. Any thread.
public final class MetricsPage: MetricsFactory {
  /// One number.
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

  /// A page without a number.
  public init() {}

  /// All numbers, in the order of their names.
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

  /// A number that only grows; dimensions are not told apart.
  public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    value(label, "counter")
  }

  /// A number that is what it was last.
  public func makeRecorder(
    label: String, dimensions: [(String, String)], aggregate: Bool
  ) -> any RecorderHandler {
    value(label, "gauge")
  }

  /// The last duration, ns.
  public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    value(label, "gauge")
  }

  /// Numbers stay.
  public func destroyCounter(_ handler: any CounterHandler) {}
  /// Numbers stay.
  public func destroyRecorder(_ handler: any RecorderHandler) {}
  /// Numbers stay.
  public func destroyTimer(_ handler: any TimerHandler) {}
}
