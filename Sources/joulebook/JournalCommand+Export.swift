import ArgumentParser
import JoulebookServer
import Journaling
import MarketModel
import Presentation
import Wire

extension JournalCommand {
  /// `joulebook journal export`.
  struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Prints all commands as CSV.",
      discussion: """
        The time is in nanoseconds since 1970. A refused command is marked with REFUSED.

          joulebook journal export my-exchange > commands.csv
        """)
    @Argument(
      help: "Data folder; joulebook-data unless given.", completion: .directory,
      transform: folderName) var data =
      "joulebook-data"

    func run() throws {
      let folder = try dataFolder(data)
      try JournalCommand.reading { () throws(JournalError) in
        var commands = try CommandSource(folder)
        var bar = ProgressBar(total: commands.end.rawValue, unit: "commands")
        print("sequence,time,session,clientSequence,kind,command\r")
        while let command = try commands.next() {
          let isRefused = commands.refused[command.sequence] != nil
          let text = CommandText.text(command.body) + (isRefused ? " REFUSED" : "")
          let kind = Self.kind(of: command.body)
          print(
            "\(command.sequence.rawValue),\(command.time.nanoseconds),"
              + "\(command.session.rawValue),\(command.clientSequence),\(kind),"
              + "\"\(text.replacing("\"", with: "\"\""))\"\r")
          bar.show(command.sequence.rawValue)
        }
        bar.clear()
      }
    }

    /// The kind of the record. For a new order the optional fields decide, because every order can
    /// be written as the longest record.
    private static func kind(of body: Command.Body) -> CommandCodec.Kind {
      guard case .enter(let order) = body, order.onBehalfOf == .exchange else {
        return CommandCodec.kind(of: body)
      }
      return order.displayQuantity == .zero ? .enter : .enterIceberg
    }
  }

  /// `joulebook journal diff`.
  struct Difference: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "diff",
      abstract: "Compares two journals command by command.",
      discussion: """
        Exit code 0 when the journals are equal or one is the beginning of the other; 70 when a \
        command differs. Refused commands are compared like all others. A line is printed when the \
        two lists of refused commands differ: one exchange then skips commands that the other \
        applies.

          joulebook journal diff my-exchange its-backup
        """)
    @Argument(help: "First data folder.", completion: .directory, transform: folderName)
    var one: String
    @Argument(help: "Second data folder.", completion: .directory, transform: folderName)
    var other: String
    @Option(name: .long, help: "Most differences to print.") var count = 10

    func run() throws {
      var differences = 0
      let folders = try (dataFolder(one), dataFolder(other))
      try JournalCommand.reading { () throws(JournalError) in
        var left = try CommandSource(folders.0)
        var right = try CommandSource(folders.1)
        var bar = ProgressBar(total: min(left.end.rawValue, right.end.rawValue), unit: "commands")
        while let a = try left.next(), let b = try right.next() {
          if Self.bytes(a) != Self.bytes(b) {
            differences += 1
            if differences <= count { print("< \(left.line(a))\n> \(right.line(b))") }
          }
          bar.show(a.sequence.rawValue)
        }
        bar.clear()
        print("commands     \(left.end.rawValue) and \(right.end.rawValue)")
        print("differences  \(differences)")
        let lists = (left.refused.entries, right.refused.entries)
        if lists.0.map(\.hash) != lists.1.map(\.hash) {
          print(
            "refused      \(JournalCommand.list(lists.0)) and \(JournalCommand.list(lists.1)): not the same"
          )
        }
      }
      if differences > 0 { throw ExitCode(Failure.checkFailed.rawValue) }
    }

    /// The record of a command in the journal.
    private static func bytes(_ command: Command) -> [UInt8] {
      var bytes = [UInt8](repeating: 0, count: CommandCodec.longestRecord)
      bytes.withUnsafeMutableBytes { buffer in
        if let base = buffer.baseAddress { _ = CommandCodec.encode(command, into: base) }
      }
      return bytes
    }
  }
}

/// Reads the commands of a journal, refused ones included, up to its last complete block.
private struct CommandSource: ~Copyable {
  /// The last command of the last complete block.
  let end: SequenceNumber
  /// The commands that the exchange skips.
  let refused: RefusedCommands
  private var reader: JournalReader

  /// Surveys the journal of `folder` and opens a reader on its first command.
  /// - Throws: `JournalError` when the journal is damaged or cannot be read.
  init(_ folder: DataFolder) throws(JournalError) {
    let journal = folder.journal
    let found = try Recovery.survey(journal)
    let reader = try JournalReader(directory: journal, asWritten: true)
    (end, refused) = (found.lastSequence, found.refused)
    self.reader = reader
  }

  /// The printed form of a command.
  func line(_ command: Command) -> String {
    CommandText.line(command) + (refused[command.sequence] != nil ? " REFUSED" : "")
  }

  mutating func next() throws(JournalError) -> Command? { try reader.next(through: end) }
}
