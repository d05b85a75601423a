import ArgumentParser
import JoulebookClient
import MarketModel
import Wire

extension AdminCommand {
  /// `joulebook admin send`.
  struct Send: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Sends an operator's command that is given as text.",
      discussion: """
        The text is the command's name, then the name and value of each field in any order. \
        `joulebook journal inspect` prints commands in the same form:

          joulebook admin send 'setTariff area 1 feedInPrice 0.08 retailPrice 0.32'

        --list prints the commands with their fields.
        """)
    @OptionGroup var server: OperatorConnection
    @Flag(name: .long, help: "Print the commands with their fields and send nothing.")
    var list = false
    @Argument(help: "Text of the command.") var text: String?

    func validate() throws {
      guard list != (text != nil) else {
        throw ValidationError("write either a command or --list")
      }
    }

    func run() throws {
      guard let text else {
        print(Self.listing)
        return
      }
      let body = try Self.command(text)
      try server.execute { client throws(ClientError) in try client.submit(body) }
    }

    /// Parses an operator's command.
    /// - Throws: `ValidationError` that names the fault and the accepted form.
    private static func command(_ text: String) throws -> Command.Body {
      let name = text.split(whereSeparator: \.isWhitespace).first.map(String.init) ?? ""
      if let kind = CommandKind(rawValue: name), !commands.contains(kind) {
        let names = commands.map(\.rawValue).joined(separator: " ")
        throw ValidationError(
          "\(name) is not an operator's command that can be sent as text; send: \(names)")
      }
      do throws(CommandTextError) {
        return try CommandText.parse(text, among: commands)
      } catch {
        throw ValidationError(error.description)
      }
    }

    /// The commands of the administration role, except the tick, which `admin tick` sends.
    private static var commands: [CommandKind] {
      CommandKind.allCases.filter { $0.roles.contains(.administration) && $0 != .tick }
    }

    /// All commands, with one line for each field: its name, its meaning and the form of its value.
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
