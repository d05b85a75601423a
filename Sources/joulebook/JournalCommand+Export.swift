import ArgumentParser
import JoulebookServer
import Journaling
import MarketModel

extension JournalCommand {
  /// `joulebook journal export`.
  struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Prints every command as CSV.",
      discussion: "  joulebook journal export my-exchange > commands.csv")
    @Argument(help: "Data folder.", completion: .directory, transform: folderName) var data =
      "joulebook-data"

    func run() throws {
      let folder = try dataFolder(data)
      try JournalCommand.reading { () throws(JournalError) in
        var commands = try CommandSource(folder)
        var bar = ProgressBar(total: commands.end.rawValue)
        print("sequence,time,session,clientSequence,kind,command\r")
        while let command = try commands.next() {
          let text = CommandText.text(command.body)
          let kind = CommandCodec.kind(of: command.body)
          print(
            "\(command.sequence.rawValue),\(command.time.nanoseconds),"
              + "\(command.session.rawValue),\(command.clientSequence),\(kind),"
              + "\"\(text.replacing("\"", with: "\"\""))\"\r")
          bar.show(command.sequence.rawValue)
        }
        bar.clear()
      }
    }
  }

  /// `joulebook journal diff`.
  struct Difference: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "diff",
      abstract: "Compares two journals command by command.",
      discussion: """
        Exit code 0 when one is the beginning of the other, or they are equal; 70 when they differ.

          joulebook journal diff my-exchange its-backup
        """)
    @Argument(help: "Data folder.", completion: .directory, transform: folderName) var one: String
    @Argument(help: "Data folder.", completion: .directory, transform: folderName) var other: String
    @Option(name: .long, help: "Differences that are printed.") var count = 10

    func run() throws {
      var differences = 0
      let folders = try (dataFolder(one), dataFolder(other))
      try JournalCommand.reading { () throws(JournalError) in
        var left = try CommandSource(folders.0)
        var right = try CommandSource(folders.1)
        var bar = ProgressBar(total: min(left.end.rawValue, right.end.rawValue))
        while let a = try left.next(), let b = try right.next() {
          if Self.bytes(a) != Self.bytes(b) {
            differences += 1
            if differences <= count { print("< \(CommandText.line(a))\n> \(CommandText.line(b))") }
          }
          bar.show(a.sequence.rawValue)
        }
        bar.clear()
        print("commands     \(left.end.rawValue) and \(right.end.rawValue)")
        print("differences  \(differences)")
      }
      if differences > 0 { throw ExitCode(Failure.checkFailed.rawValue) }
    }

    /// A command as it is stored.
    private static func bytes(_ command: Command) -> [UInt8] {
      var bytes = [UInt8](repeating: 0, count: CommandCodec.longestRecord)
      bytes.withUnsafeMutableBytes { buffer in
        if let base = buffer.baseAddress { _ = CommandCodec.encode(command, into: base) }
      }
      return bytes
    }
  }
}

/// The commands of a stopped server's journal, up to its last whole block.
private struct CommandSource: ~Copyable {
  /// The last one.
  let end: SequenceNumber
  private var reader: JournalReader

  /// - Throws: when the journal is damaged or cannot be read.
  init(_ folder: DataFolder) throws(JournalError) {
    let journal = folder.journal
    let end = try Recovery.examine(journal).lastSequence
    let reader = try JournalReader(directory: journal)
    self.end = end
    self.reader = reader
  }

  mutating func next() throws(JournalError) -> Command? { try reader.next(through: end) }
}
