import GatewayBinary
import GatewayKit
import Journaling
import Logging
import MarketModel
import Transport

/// The client side of a server: connections, gateways and delivery (stages 1, 2 and 8). Owned by
/// the server while the loop runs; made and used on the I/O thread.
struct ClientStages {
  /// Parameters of the client side.
  struct Setting {
    /// Configuration of the binary gateway.
    var binary: BinaryGateway.Configuration
    /// Additional gateways.
    var others: [GatewayPlan] = []
    /// Lower bound of new session versions; see `SessionIdentities`.
    var versionFloor: UInt64
    /// Source of wall and steady time.
    var time: any TimeSource
    /// Limits log-ons that prove nothing.
    var logOns = LogOnLimits()
    /// Limits the sessions that are established at a time.
    var places = SessionPlaces()
    /// Counts the alarms in the log.
    var alarms = AlarmCount()
  }

  /// The exchange as the gateways see it.
  let port: ServerPort
  /// Distributes durable events to the gateways.
  let delivery: Delivery
  /// The work of a turn of the loop.
  let turn: IOTurn
  /// State machine of the orderly shutdown.
  let shutdown: Shutdown
  /// Samples metrics.
  let sampler: MetricsSampler

  /// Creates the client side; it serves nothing before `turn.begin`.
  init(_ setting: Setting, _ network: any Network, _ flag: StopFlag, log: Logger) {
    let time = setting.time
    let view = DurableView(versionFloor: setting.versionFloor)
    port = ServerPort(log: log)
    // The timer fires every 250 ms, so a longer gap between two readings means that the server was
    // delayed.
    let clock = ServingClock(longest: 2 * IOTurn.tickInterval * 1_000_000) {
      SteadyTime(nanoseconds: time.steady)
    }
    let lost = LostSessions(port, clock)
    let seat = { [port] (number: UInt8) in
      GatewaySeat(
        GatewayNumber(number), port, view, lost, clock, setting.logOns, setting.places)
    }
    let binary = BinaryGateway(seat(0), transport: network, configuration: setting.binary)
    let others = setting.others.enumerated().map { $1.make(seat(UInt8($0 + 1)), network) }
    delivery = Delivery(view, binary, others)
    shutdown = Shutdown(time: time, log: log)
    sampler = MetricsSampler(alarms: setting.alarms, time: time)
    turn = IOTurn(
      network, port, delivery, lost, clock, flag, shutdown, sampler, DueTimer(time: time))
  }

  /// The handlers of the listeners' connections, by gateway number.
  var handlers: [any ConnectionHandler] { [delivery.binary] + delivery.others }
}
