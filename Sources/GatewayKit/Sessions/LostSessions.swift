import MarketModel

/// Cancel on disconnect: sessions of all gateways that are disconnected, and when their orders are
/// cancelled unless they return. Owned by the I/O thread; all gateways share one.
public final class LostSessions {
  private unowned let exchange: any ExchangePort
  private let clock: ServingClock
  /// By session: its version, when it was disconnected, and after how many ns its orders are
  /// cancelled.
  private var waiting: [SessionId: (version: UInt64, since: SteadyTime, window: UInt64)] = [:]
  private var isOver = false

  /// Creates an empty list.
  /// - Parameter exchange: Must outlive this object.
  public init(_ exchange: any ExchangePort, _ clock: ServingClock) {
    (self.exchange, self.clock) = (exchange, clock)
  }

  /// An established session is no longer connected. Its orders are cancelled unless it returns in
  /// the time that it asked for.
  /// - Parameters:
  ///   - cancelAfter: That time, in ms; 0 cancels now, `BeginSession.never` never.
  ///   - isOrderly: The client ended the session with Terminate; used only for the log.
  public func lose(
    _ session: SessionId, version: UInt64, cancelAfter: UInt32, isOrderly: Bool = false
  ) {
    if isOver || cancelAfter == BeginSession.never { return }
    exchange.note(
      isOrderly
        ? .ended(session, cancelAfter: cancelAfter)
        : .disconnected(session, cancelAfter: cancelAfter))
    waiting[session] = (version, clock.now, UInt64(cancelAfter) * 1_000_000)
    if cancelAfter == 0 { cancelOrders(dueAt: clock.now) }
  }

  /// A session is established again; its orders stay.
  public func found(_ session: SessionId) { waiting[session] = nil }

  /// After recovery, starts the time of every session that has orders to lose, since a restart
  /// disconnects all of them. Called when the exchange accepts commands; sessions with a time of 0
  /// are ended here.
  public func recovered(_ view: DurableView) {
    for session in view.flows.exposed {
      let flow = view.flows.flow(of: session)
      lose(session, version: flow.version, cancelAfter: flow.cancelAfter)
    }
  }

  /// Ends the sessions whose time has passed at `moment`. The commands are journaled, so that a
  /// replay cancels the same orders.
  public func cancelOrders(dueAt moment: SteadyTime) {
    if waiting.isEmpty || isOver { return }
    let due = waiting.filter { moment.since($0.value.since) >= $0.value.window }.keys.sorted()
    for session in due {
      guard let version = waiting.removeValue(forKey: session)?.version else { continue }
      exchange.submitOwn(.session(.endSession(EndSession(session: session, version: version))))
    }
  }

  /// The server is shutting down: no more orders are cancelled, because its next start counts as
  /// the loss of every connection.
  public func end() { isOver = true }
}
