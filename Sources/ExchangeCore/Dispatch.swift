// From a command to its rule, which has its name: of the families in Dispatch.generated.swift.

import MarketModel

extension Exchange {
  /// The rarer commands: one line for each family, whose folder has the rest.
  mutating func dispatch(_ request: Request, _ body: Command.Body) {
    switch body {
    case .enter, .replace, .cancel: assertionFailure("read in place")
    case .meterReading(let reading): meterReading(reading, request)
    case .order(let command): apply(command, request)
    case .cash(let command): apply(command, request)
    case .reference(let command): apply(command, request)
    case .session(let command): apply(command, request)
    case .control(let command): apply(command, request)
    }
  }
}
