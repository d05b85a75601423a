import Foundation
import Presentation

// A chart is drawn twice, for a wide screen and for a phone, each at its own scale, so that its
// text has the size of the page's text on both. The style sheet shows one of the two.
//
//        left          plot            right
//      +------+---------------------+-------+
//      |      |                     |       |  top
//      | axis |       series        | notes |
//      |      |                     |       |
//      +------+---------------------+-------+
//             |  days, prices ...   |          bottom

/// The screen size that a chart is drawn for.
enum Screen: CaseIterable {
  case wide
  case phone

  /// Width of the drawing in drawing units; one is about a pixel.
  var width: Double { self == .wide ? 960 : 390 }
  /// CSS class by which the style sheet shows or hides the drawing.
  var name: String { self == .wide ? "wide" : "phone" }
  /// Selects a value by the screen size.
  func pick<Value>(_ wide: Value, _ phone: Value) -> Value { self == .wide ? wide : phone }
}

/// A linear map from values to coordinates.
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

  /// The coordinate of `value`.
  func callAsFunction(_ value: Double) -> Double {
    let share = (value - domain.lowerBound) / (domain.upperBound - domain.lowerBound)
    return from + share * (to - from)
  }

  /// About `count` round values in the domain, for axis labels.
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

/// Builds an SVG image. The style sheet sets the colours by CSS class.
struct Drawing {
  /// Width and height in drawing units.
  let width: Double
  let height: Double
  private var elements = ""

  /// An empty image.
  init(width: Double, height: Double) { (self.width, self.height) = (width, height) }

  /// Adds SVG elements.
  mutating func add(_ element: String) { elements += element }

  /// Adds a straight line.
  mutating func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ style: String) {
    elements +=
      "<line class=\"\(style)\" x1=\"\(n(x1))\" y1=\"\(n(y1))\" x2=\"\(n(x2))\" y2=\"\(n(y2))\"/>"
  }

  /// Adds a rectangle; `title` is its tooltip.
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

  /// Adds a filled circle.
  mutating func circle(
    _ x: Double, _ y: Double, _ radius: Double, _ style: String, title: String? = nil
  ) {
    let head = "<circle class=\"\(style)\" cx=\"\(n(x))\" cy=\"\(n(y))\" r=\"\(n(radius))\""
    elements += close(head, "circle", title)
  }

  /// Adds a path with the path data `data`.
  mutating func path(_ data: String, _ style: String, title: String? = nil) {
    guard !data.isEmpty else { return }
    elements += close("<path class=\"\(style)\" d=\"\(data)\"", "path", title)
  }

  /// Adds a text; `anchor` is "start", "middle" or "end".
  mutating func text(
    _ text: String, _ x: Double, _ y: Double, _ style: String = "label", anchor: String = "start"
  ) {
    elements +=
      "<text class=\"\(style)\" x=\"\(n(x))\" y=\"\(n(y))\" text-anchor=\"\(anchor)\">\(text.markupEscaped)</text>"
  }

  /// The SVG element.
  /// - Parameter label: Text for screen readers.
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

  /// Path data of a line through `points`, interrupted where a value is missing.
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

  /// Path data of the area between two lines with equal x coordinates.
  static func area(_ upper: [(x: Double, y: Double)], _ lower: [(x: Double, y: Double)]) -> String {
    guard let first = upper.first else { return "" }
    var data = "M\(n(first.x)) \(n(first.y))"
    for point in upper.dropFirst() { data += "L\(n(point.x)) \(n(point.y))" }
    for point in lower.reversed() { data += "L\(n(point.x)) \(n(point.y))" }
    return data + "Z"
  }

  /// A coordinate with one decimal place.
  static func n(_ value: Double) -> String {
    let tenths = (value * 10).rounded() / 10
    return tenths == tenths.rounded() ? String(Int(tenths)) : String(format: "%.1f", tenths)
  }

  private func n(_ value: Double) -> String { Self.n(value) }
}
