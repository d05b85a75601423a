import MarketModel

/// Cancel on disconnect: sessions whose connection is gone, whichever gateway it came by, and when their orders are
/// cancelled if they do not come back. Owned by the I/O thread; all gateways share one.
public final class LostSessions {
  private unowned let exchange: any ExchangePort
  private let clock: ServingClock
  /// Since when, and how many ns later the orders are cancelled.
  private var waiting: [SessionId: (version: UInt64, since: SteadyTime, window: UInt64)] = [:]
  private var isOver = false

  /// No session is lost.
  /// - Parameter exchange: Outlives it.
  public init(_ exchange: any ExchangePort, _ clock: ServingClock) {
    (self.exchange, self.clock) = (exchange, clock)
  }

  /// The connection of an established session is gone: it has the time that it asked for.
  /// - Parameter cancelAfter: In ms; 0: its orders go now; `BeginSession.never`: they stay.
  public func lose(_ session: SessionId, version: UInt64, cancelAfter: UInt32) {
    if isOver || cancelAfter == BeginSession.never { return }
    exchange.note(.disconnected(session, cancelAfter: cancelAfter))
    waiting[session] = (version, clock.now, UInt64(cancelAfter) * 1_000_000)
    if cancelAfter == 0 { cancelOrders(dueAt: clock.now) }
  }

  /// A session is established again.
  public func found(_ session: SessionId) { waiting[session] = nil }

  /// A recovery is over: to every session the restart is the loss of its connection. When the exchange takes
  /// commands: what is to be cancelled at once is submitted here.
  public func recovered(_ view: DurableView) {
    for session in view.flows.exposed {
      let flow = view.flows.flow(of: session)
      lose(session, version: flow.version, cancelAfter: flow.cancelAfter)
    }
  }

  /// Ends the sessions whose time is up at `moment`: journaled commands, so that a replay cancels the same.
  public func cancelOrders(dueAt moment: SteadyTime) {
    if waiting.isEmpty || isOver { return }
    let due = waiting.filter { moment.since($0.value.since) >= $0.value.window }.keys.sorted()
    for session in due {
      guard let version = waiting.removeValue(forKey: session)?.version else { continue }
      exchange.submitOwn(.session(.endSession(EndSession(session: session, version: version))))
    }
  }

  /// The server ends: it cancels nothing more, and its next start counts as the loss of every connection.
  public func end() { isOver = true }
}
