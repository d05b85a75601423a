// Routes a command to the rule with the command's name. Dispatch.generated.swift has one switch for
// each family of commands.

import MarketModel

extension Exchange {
  /// Applies a command that `execute` does not read in place.
  mutating func dispatch(_ request: Request, _ body: Command.Body) {
    switch body {
    case .enter, .replace, .cancel: assertionFailure("read in place")
    case .meterReading(let reading): meterReading(reading, request)
    case .order(let command): apply(command, request)
    case .cash(let command): apply(command, request)
    case .reference(let command): apply(command, request)
    case .metering(let command): apply(command, request)
    case .session(let command): apply(command, request)
    case .control(let command): apply(command, request)
    }
  }
}
