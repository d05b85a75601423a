// sbegen: from the schema and the list of reject codes to the model's commands, their codecs on the wire and in the
// journal, reference pages and vectors.
//
//     swift run sbegen            writes what differs
//     swift run sbegen --check    writes nothing, names what differs, exits 1 if anything does

import ArgumentParser
import Foundation

/// The command.
@main
struct Sbegen: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sbegen",
    abstract: "Generates codecs, reference pages and vectors from the protocol's schema.")

  @Flag(help: "Write nothing; exit 1 and name the files that differ.")
  var check = false

  @Option(help: "The repository's folder.")
  var root = "."

  func run() throws {
    let output = OutputFolder(root: URL(fileURLWithPath: root))
    let outdated = try Self.outputs(root: output.root).filter { try output.differs($0) }
    let stale = try output.strangers(among: Self.outputs(root: output.root).map(\.path))
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

  /// Every generated file with its text.
  private static func outputs(root: URL) throws -> [OutputFile] {
    let xml = try String(
      contentsOf: root.appendingPathComponent("proto/joulebook.xml"), encoding: .utf8)
    let schema = try SchemaReader.read(Data(xml.utf8))
    let journal = try SchemaReader.readJournal(
      Data(contentsOf: root.appendingPathComponent("proto/journal.xml")), schema)
    let commands = try CommandReader.read(schema, journal)
    let codes = try RejectCodeList(
      csv: String(
        contentsOf: root.appendingPathComponent("proto/reject-codes.csv"), encoding: .utf8))
    let vectors = schema.messages.flatMap(GoldenVector.all)
    var files = VocabularyWriter.files(schema).map {
      OutputFile(path: "\(OutputFolder.codecs)/\($0.name).generated.swift", text: $0.text)
    }
    files += schema.messages.map {
      OutputFile(
        path: "\(OutputFolder.codecs)/\($0.name).generated.swift", text: CodecWriter.file($0))
    }
    files += VectorTestWriter.files(schema, vectors).map {
      OutputFile(path: "\(OutputFolder.tests)/\($0.name).generated.swift", text: $0.text)
    }
    files += CommandFiles.all(commands)
    files += [
      OutputFile(
        path: "proto/vectors/joulebook.json", text: GoldenVector.json(vectors, schema: schema)),
      // The Python package carries the schema as it is.
      OutputFile(path: "clients/python/joulebook/joulebook.xml", text: xml),
      OutputFile(path: "proto/joulebook.lua", text: DissectorWriter.file(schema)),
      OutputFile(path: "docs/protocol-reference.md", text: ReferencePageWriter.page(schema)),
      OutputFile(path: "docs/reject-codes.md", text: codes.page),
      OutputFile(
        path: "Sources/MarketModel/RejectCode.generated.swift", text: codes.swiftFile),
    ]
    return files
  }
}
