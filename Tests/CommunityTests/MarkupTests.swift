import Presentation
import Testing

@Suite("Text in HTML and SVG")
struct MarkupTests {
  @Test("Exactly the characters with a meaning in HTML are escaped.")
  func escapes() {
    #expect(
      #"<a href="x">O'Neill & Söhne</a>"#.markupEscaped
        == "&lt;a href=&quot;x&quot;&gt;O&#39;Neill &amp; Söhne&lt;/a&gt;")
    #expect("10 kWh, 12 %; ×".markupEscaped == "10 kWh, 12 %; ×")
  }
}
