import Foundation
import Presentation

// A chart is drawn twice: once for a wide screen and once for a phone, each at its own scale, so that
// its text has the size of text in both. Style sheets show one of the two.
//
//        left          plot            right
//      +------+---------------------+-------+
//      |      |                     |       |  top
//      | axis |       series        | notes |
//      |      |                     |       |
//      +------+---------------------+-------+
//             |  days, prices ...   |          bottom

/// The size a chart is drawn for.
enum Screen: CaseIterable {
  case wide
  case phone

  /// Width of the drawing in units of which one is about a pixel.
  var width: Double { self == .wide ? 960 : 390 }
  /// Class of the element, which the style sheet shows or hides.
  var name: String { self == .wide ? "wide" : "phone" }
  /// Either of two values.
  func pick<Value>(_ wide: Value, _ phone: Value) -> Value { self == .wide ? wide : phone }
}

/// A straight map from values to places.
struct Scale {
  let domain: ClosedRange<Double>
  let from: Double
  let to: Double

  /// Maps `domain` to `from...to`; `from` may be larger, as on a vertical axis.
  init(_ domain: ClosedRange<Double>, from: Double, to: Double) {
    let empty = domain.lowerBound == domain.upperBound
    self.domain = empty ? domain.lowerBound...(domain.lowerBound + 1) : domain
    (self.from, self.to) = (from, to)
  }

  /// The place of `value`.
  func callAsFunction(_ value: Double) -> Double {
    let share = (value - domain.lowerBound) / (domain.upperBound - domain.lowerBound)
    return from + share * (to - from)
  }

  /// About `count` round values over the domain.
  func ticks(_ count: Int) -> [Double] {
    let rough = (domain.upperBound - domain.lowerBound) / Double(max(1, count))
    let magnitude = pow(10, floor(log10(rough)))
    let step = [1, 2, 5, 10].map { $0 * magnitude }.first { $0 >= rough } ?? rough
    var ticks: [Double] = []
    var value = (domain.lowerBound / step).rounded(.up) * step
    while value <= domain.upperBound + step / 1_000 {
      ticks.append(value)
      value += step
    }
    return ticks
  }
}

/// An SVG picture while it is drawn. Colours come from the style sheet, by class.
struct Drawing {
  /// Width and height in drawing units.
  let width: Double
  let height: Double
  private var elements = ""

  /// An empty picture.
  init(width: Double, height: Double) { (self.width, self.height) = (width, height) }

  /// Adds ready-made elements.
  mutating func add(_ element: String) { elements += element }

  /// A straight line.
  mutating func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ style: String) {
    elements +=
      "<line class=\"\(style)\" x1=\"\(n(x1))\" y1=\"\(n(y1))\" x2=\"\(n(x2))\" y2=\"\(n(y2))\"/>"
  }

  /// A rectangle; `title` appears when it is pointed at.
  mutating func rectangle(
    _ x: Double, _ y: Double, _ width: Double, _ height: Double, _ style: String,
    radius: Double = 0, title: String? = nil
  ) {
    guard width > 0, height > 0 else { return }
    let corner = radius > 0 ? " rx=\"\(n(radius))\"" : ""
    let head =
      "<rect class=\"\(style)\" x=\"\(n(x))\" y=\"\(n(y))\" width=\"\(n(width))\" height=\"\(n(height))\"\(corner)"
    elements += close(head, "rect", title)
  }

  /// A filled circle.
  mutating func circle(
    _ x: Double, _ y: Double, _ radius: Double, _ style: String, title: String? = nil
  ) {
    let head = "<circle class=\"\(style)\" cx=\"\(n(x))\" cy=\"\(n(y))\" r=\"\(n(radius))\""
    elements += close(head, "circle", title)
  }

  /// A path with data `data`.
  mutating func path(_ data: String, _ style: String, title: String? = nil) {
    guard !data.isEmpty else { return }
    elements += close("<path class=\"\(style)\" d=\"\(data)\"", "path", title)
  }

  /// A word; `anchor` is start, middle or end.
  mutating func text(
    _ text: String, _ x: Double, _ y: Double, _ style: String = "label", anchor: String = "start"
  ) {
    elements +=
      "<text class=\"\(style)\" x=\"\(n(x))\" y=\"\(n(y))\" text-anchor=\"\(anchor)\">\(text.markupEscaped)</text>"
  }

  /// The picture as an element; `label` is what a screen reader says.
  func svg(_ screen: Screen, label: String) -> String {
    """
    <svg class="\(screen.name)" viewBox="0 0 \(n(width)) \(n(height))" role="img" \
    aria-label="\(label.markupEscaped)" xmlns="http://www.w3.org/2000/svg">\(elements)</svg>
    """
  }

  private func close(_ head: String, _ name: String, _ title: String?) -> String {
    guard let title else { return head + "/>" }
    return head + "><title>\(title.markupEscaped)</title></\(name)>"
  }

  /// Data of a line through `points`, broken where a value is missing.
  static func polyline(_ points: [(x: Double, y: Double?)]) -> String {
    var data = ""
    var pen = "M"
    for point in points {
      guard let y = point.y else {
        pen = "M"
        continue
      }
      data += "\(pen)\(n(point.x)) \(n(y))"
      pen = "L"
    }
    return data
  }

  /// Data of the area between two lines over the same places.
  static func area(_ upper: [(x: Double, y: Double)], _ lower: [(x: Double, y: Double)]) -> String {
    guard let first = upper.first else { return "" }
    var data = "M\(n(first.x)) \(n(first.y))"
    for point in upper.dropFirst() { data += "L\(n(point.x)) \(n(point.y))" }
    for point in lower.reversed() { data += "L\(n(point.x)) \(n(point.y))" }
    return data + "Z"
  }

  /// A coordinate with one digit after the point.
  static func n(_ value: Double) -> String {
    let tenths = (value * 10).rounded() / 10
    return tenths == tenths.rounded() ? String(Int(tenths)) : String(format: "%.1f", tenths)
  }

  private func n(_ value: Double) -> String { Self.n(value) }
}
