// The schedule as a component of the state.

import MarketModel

extension Schedule: StateComponent {
  static func write(_ exchange: borrowing Exchange, to sink: any StateSink) {
    exchange.schedule.write(to: sink)
  }

  static func read(_ exchange: inout Exchange, from source: any StateSource) {
    exchange.schedule.read(from: source)
  }

  static func check(_ exchange: borrowing Exchange, _ violations: inout [String]) {
    exchange.schedule.check(&violations)
  }
}
