import ArgumentParser
import JoulebookClient
import MarketModel
import Wire

extension AdminCommand {
  /// `joulebook admin send`.
  struct Send: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Sends any operator's command, given as text.",
      discussion: """
        The text is the command's name, then each field by name and value, in any order, as journal
        inspect prints it:

          joulebook admin send 'setTariff area 1 feedInPrice 0.08 retailPrice 0.32'

        --list prints the commands with their fields.
        """)
    @OptionGroup var server: OperatorConnection
    @Flag(name: .long, help: "Print the commands with their fields, and send nothing.")
    var list = false
    @Argument(help: "The command.") var text: String?

    func validate() throws {
      guard list != (text != nil) else {
        throw ValidationError("give either a command or --list")
      }
    }

    func run() throws {
      guard let text else {
        print(Self.listing)
        return
      }
      let body = try Self.command(text)
      try server.tell { client throws(ClientError) in try client.submit(body) }
    }

    /// The operator's command of a text.
    /// - Throws: an exit code, after saying what is wrong with the text and what is right.
    private static func command(_ text: String) throws -> Command.Body {
      let name = text.split(whereSeparator: \.isWhitespace).first.map(String.init) ?? ""
      if let kind = CommandKind(rawValue: name), !commands.contains(kind) {
        let names = commands.map(\.rawValue).joined(separator: " ")
        throw ValidationError(
          "\(name) is not an operator's, or is sent otherwise; send: \(names)")
      }
      do throws(CommandTextError) {
        return try CommandText.parse(text, among: commands)
      } catch {
        throw ValidationError(error.description)
      }
    }

    /// What an operator may ask for. A tick is more than its fields: `admin tick` sends it.
    private static var commands: [CommandKind] {
      CommandKind.allCases.filter { $0.roles.contains(.administration) && $0 != .tick }
    }

    /// The commands, each with a line a field: name, form of the value, meaning.
    static var listing: String {
      commands.map { kind in
        let width = kind.fields.map(\.name.count).max() ?? 0
        let fields = kind.fields.map { field in
          let name = field.name + String(repeating: " ", count: width - field.name.count)
          let unit = field.unit.isEmpty ? "" : ", \(field.unit)"
          let optional = field.isOptional ? "; may be left out" : ""
          return "  \(name)  \(field.meaning) (\(field.form)\(unit)\(optional))"
        }
        return (["\(kind.rawValue)  \(kind.meaning)"] + fields).joined(separator: "\n")
      }.joined(separator: "\n\n")
    }
  }
}
