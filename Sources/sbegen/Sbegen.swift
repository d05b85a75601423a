// sbegen generates commands, their codecs for protocol and journal, reference pages and golden
// vectors from the schemas and the list of reject codes.
//
//     swift run sbegen            writes the files that differ
//     swift run sbegen --check    prints the files that differ; exit code 1 if there are any
//     swift run sbegen --clients  writes the codecs of clients/, which are not committed
//     swift run sbegen --freeze   writes what the schema's version contains, when it is released

import ArgumentParser
import Foundation

/// The `sbegen` command.
@main
struct Sbegen: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sbegen",
    abstract: "Generates codecs, reference pages and golden vectors from the schemas in proto/.",
    discussion: """
      Writes the files that differ and removes obsolete ones.

        swift run sbegen
        swift run sbegen --check
        swift run sbegen --clients
        swift run sbegen --freeze
      """)

  @Flag(help: "Only print the files that differ; exit code 1 if there are any.")
  var check = false

  @Flag(help: "Write the codecs of the clients in C++, Go, Java and Rust, which are not committed.")
  var clients = false

  @Flag(help: "Write proto/versions/N.txt of the schema's version N, when it is released.")
  var freeze = false

  @Option(help: "Folder of the repository; the current folder unless given.")
  var root = "."

  func run() throws {
    let output = OutputFolder(root: URL(fileURLWithPath: root))
    if freeze {
      let schema = try Self.schema(root: output.root)
      let path = SchemaHistory.path(schema.version)
      guard !FileManager.default.fileExists(atPath: output.root.appendingPathComponent(path).path)
      else { throw ValidationError("\(path) exists: what was released never changes") }
      try output.write(
        OutputFile(path: path, text: SchemaHistory(schema: schema).page(schema.version)))
      print("wrote \(path)")
      return
    }
    if clients {
      let schema = try Self.schema(root: output.root)
      let vectors = schema.messages.flatMap(GoldenVector.all)
      for file in try ClientFiles.all(schema, vectors).filter({ try output.differs($0) }) {
        try output.write(file)
        print("wrote \(file.path)")
      }
      return
    }
    let outdated = try Self.outputs(root: output.root).filter { try output.differs($0) }
    let stale = try output.obsoleteFiles(among: Self.outputs(root: output.root).map(\.path))
    if check {
      for path in outdated.map(\.path) + stale { print("differs: \(path)") }
      if !outdated.isEmpty || !stale.isEmpty { throw ExitCode(1) }
      print("generated files are up to date")
      return
    }
    for file in outdated {
      try output.write(file)
      print("wrote \(file.path)")
    }
    for path in stale {
      try output.remove(path)
      print("removed \(path)")
    }
  }

  /// The protocol's schema.
  private static func schema(root: URL) throws -> Schema {
    try SchemaReader.read(Data(contentsOf: root.appendingPathComponent("proto/joulebook.xml")))
  }

  /// All generated files that are committed.
  private static func outputs(root: URL) throws -> [OutputFile] {
    let xml = try String(
      contentsOf: root.appendingPathComponent("proto/joulebook.xml"), encoding: .utf8)
    let schema = try SchemaReader.read(Data(xml.utf8))
    let journal = try SchemaReader.readJournal(
      Data(contentsOf: root.appendingPathComponent("proto/journal.xml")), schema)
    let commands = try CommandReader.read(schema, journal)
    let csv = try String(
      contentsOf: root.appendingPathComponent("proto/reject-codes.csv"), encoding: .utf8)
    let codes = try RejectCodeList(csv: csv)
    let vectors = schema.messages.flatMap(GoldenVector.all)
    var files = VocabularyWriter.files(schema).map {
      OutputFile(path: "\(OutputFolder.codecs)/\($0.name).generated.swift", text: $0.text)
    }
    let older = try OlderValuesWriter.file(schema)
    files.append(
      OutputFile(path: "\(OutputFolder.codecs)/\(older.name).generated.swift", text: older.text))
    files += schema.messages.map {
      OutputFile(
        path: "\(OutputFolder.codecs)/\($0.name).generated.swift", text: CodecWriter.file($0))
    }
    files += VectorTestWriter.files(schema, vectors).map {
      OutputFile(path: "\(OutputFolder.tests)/\($0.name).generated.swift", text: $0.text)
    }
    files += CommandFiles.all(commands)
    files += PythonWriter.files(schema)
    files.append(
      OutputFile(
        path: "\(OutputFolder.model)/RejectField.generated.swift",
        text: VocabularyWriter.rejectField(schema)))
    files += [
      OutputFile(
        path: "proto/vectors/joulebook.json", text: GoldenVector.json(vectors, schema: schema)),
      // The Python package contains copies of the schema and of the reject codes.
      OutputFile(path: "clients/python/joulebook/joulebook.xml", text: xml),
      OutputFile(path: "clients/python/joulebook/reject-codes.csv", text: csv),
      OutputFile(path: "proto/joulebook.lua", text: DissectorWriter.file(schema, codes)),
      OutputFile(path: "docs/protocol-reference.md", text: ReferencePageWriter.page(schema)),
      OutputFile(path: "docs/reject-codes.md", text: codes.page),
      OutputFile(
        path: "Sources/MarketModel/RejectCode.generated.swift", text: codes.swiftFile),
    ]
    return files
  }
}
