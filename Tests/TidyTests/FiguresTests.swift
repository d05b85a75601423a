import Foundation
import Testing

@Suite("Figures in pages are those that were measured")
struct FiguresTests {
  @Test("Every figure that a page quotes equals docs/figures.tsv.")
  func pages() throws {
    let figures = Rules.figures(try Repository.text("docs/figures.tsv"))
    #expect(figures.count > 50)
    var count = 0
    for (path, text) in try Repository.files("", ".md") {
      let marks = FigureMark.all(text)
      #expect(
        marks.count == text.matches(of: /<!-- (figure|value):/).count, "\(path): an open mark")
      for mark in marks where mark.name != "NAME" {
        count += 1
        let fault = mark.fault(figures)
        #expect(fault == nil, "\(path): \(fault ?? "") (make figures)")
      }
    }
    #expect(count > 10)
  }

  @Test("docs/figures.tsv agrees with docs/BENCHMARKS.md.")
  func table() throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [
      "python3", Repository.root.appendingPathComponent("Benchmarks/figures.py").path, "--check",
    ]
    let pipe = Pipe()
    process.standardError = pipe
    try process.run()
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(output)")
  }

  @Test("A stale figure, an unknown one and a malformed table are found.")
  func figuresCanFail() {
    let head = Rules.figureColumns.joined(separator: "\t") + "\n"
    let row = "a.b\t1.5\tns\tCPU\t2\t1 MiB\t2026-11-22\tmake bench\n"
    let figures = Rules.figures(head + row)
    #expect(figures == ["a.b": Figure(value: "1.5", unit: "ns")])
    func fault(_ mark: String) -> String? {
      FigureMark.all("text " + mark + "<!-- /figure --> text").first?.fault(figures)
    }
    #expect(fault("<!-- figure:a.b -->1.5 ns") == nil)
    #expect(fault("<!-- value:a.b -->1.5") == nil)
    #expect(fault("<!-- figure:a.b -->1.6 ns") == "a.b is 1.5 ns, not 1.6 ns")
    #expect(fault("<!-- value:a.c -->1.5") == "docs/figures.tsv has no a.c")
    #expect(Rules.figures(row).isEmpty)
    #expect(Rules.figures(head + row + row).isEmpty)
    #expect(Rules.figures(head + "a.b\t1.5\n").isEmpty)
  }
}
