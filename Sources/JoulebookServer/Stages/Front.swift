import GatewayBinary
import GatewayKit
import Journaling
import Logging
import MarketModel
import Transport

/// What stands in front of a server's matching stage: connections, gateways and delivery (stages 1, 2 and 8), put
/// together. Kept by the server as long as the loop runs; made and used on the I/O thread.
struct Front {
  /// What all of it is made with.
  struct Setting {
    /// Limits of the binary gateway.
    var binary: BinaryGateway.Configuration
    /// Gateways beside it.
    var others: [GatewayPlan] = []
    /// Session versions must be above it; see `SessionIdentities`.
    var versionFloor: UInt64
    /// What time it is.
    var time: any TimeSource
    /// Counts alarms of the log.
    var alarms = AlarmCount()
  }

  /// What gateways see of the server.
  let port: ServerPort
  /// Hands them what is durable.
  let delivery: Delivery
  /// What is done in a turn of the loop.
  let turn: IOTurn
  /// How the server ends.
  let shutdown: Shutdown
  /// Samples what it is doing.
  let sampler: MetricsSampler

  /// Nothing is served before `turn.begin`.
  init(_ setting: Setting, _ network: any Network, _ flag: StopFlag, log: Logger) {
    let time = setting.time
    let view = DurableView(versionFloor: setting.versionFloor)
    port = ServerPort(log: log)
    // Ticks come four times a second, so that more between two looks is time that we were held up.
    let clock = ServingClock(longest: 2 * IOTurn.tickInterval * 1_000_000) {
      SteadyTime(nanoseconds: time.steady)
    }
    let lost = LostSessions(port, clock)
    let seat = { [port] (number: UInt8) in
      GatewaySeat(GatewayNumber(number), port, view, lost, clock)
    }
    let binary = BinaryGateway(seat(0), transport: network, configuration: setting.binary)
    let others = setting.others.enumerated().map { $1.make(seat(UInt8($0 + 1)), network) }
    delivery = Delivery(view, binary, others)
    shutdown = Shutdown(time: time, log: log)
    sampler = MetricsSampler(alarms: setting.alarms, time: time)
    turn = IOTurn(
      network, port, delivery, lost, clock, flag, shutdown, sampler, BatchTimer(time: time))
  }

  /// What has the connections of the listeners, in the order of the gateways' numbers.
  var handlers: [any ConnectionHandler] { [delivery.binary] + delivery.others }
}
