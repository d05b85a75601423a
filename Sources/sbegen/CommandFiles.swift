/// The files that are generated from the declarations of commands.
enum CommandFiles {
  /// All files with path and text.
  static func all(_ schema: CommandSchema) -> [OutputFile] {
    var files = PayloadWriter.files(schema).map {
      OutputFile(path: "\(OutputFolder.model)/\($0.name).generated.swift", text: $0.text)
    }
    files.append(
      OutputFile(
        path: "\(OutputFolder.journal)/CommandRecords.generated.swift",
        text: RecordCodecWriter.file(schema)))
    files += [
      OutputFile(
        path: "\(OutputFolder.codecs)/CommandFrame.generated.swift",
        text: CommandFrameWriter.file(schema)),
      OutputFile(
        path: "\(OutputFolder.codecs)/CommandText.generated.swift",
        text: CommandTextWriter.file(schema)),
      OutputFile(
        path: "\(OutputFolder.gateway)/OrderReader.generated.swift",
        text: OrderReaderWriter.file(schema)),
    ]
    files.append(
      OutputFile(path: "docs/journal-records.md", text: RecordCodecWriter.page(schema)))
    files += OutputFolder.commandTests.map {
      OutputFile(path: "\($0)/RandomBody.generated.swift", text: RandomBodyWriter.file(schema))
    }
    files += [
      OutputFile(
        path: "Sources/ExchangeCore/Dispatch.generated.swift", text: RuleWriter.dispatch(schema)),
      OutputFile(
        path: "Sources/ExchangeCore/Messages/EventWords.generated.swift",
        text: RuleWriter.words(schema)),
      OutputFile(
        path: "Tests/ExchangeCoreTests/Generated/ModelDispatch.generated.swift",
        text: RuleWriter.model(schema)),
    ]
    return files
  }
}
