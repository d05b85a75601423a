// The calls from libuv to the transport, and from the transport to the handlers.

/// The handlers as unretained references, so that a call counts no references. They do not change
/// while the loop runs.
final class HandlerTable {
  let loop: any LoopHandler
  private let boxes: [HandlerBox]
  /// The handlers again, as unretained references for the calls.
  let connections: UnsafeMutableBufferPointer<Unmanaged<HandlerBox>>

  init(_ loop: any LoopHandler, _ handlers: [any ConnectionHandler]) {
    self.loop = loop
    boxes = handlers.map(HandlerBox.init)
    connections = .allocate(capacity: boxes.count)
    _ = connections.initialize(fromContentsOf: boxes.map(Unmanaged.passUnretained))
  }

  deinit { connections.deallocate() }
}

/// The handler of some listeners' connections.
final class HandlerBox {
  let handler: any ConnectionHandler
  init(_ handler: any ConnectionHandler) { self.handler = handler }
}

extension Transport {
  /// The transport that libuv's `data` points to, unretained: a handle never outlives it.
  @inline(__always)
  static func with(_ data: UnsafeMutableRawPointer?, _ body: (Transport) -> Void) {
    guard let data else { preconditionFailure("a handle without an owner") }
    Unmanaged<Transport>.fromOpaque(data)._withUnsafeGuaranteedRef(body)
  }

  /// Makes the handlers available while `body` runs.
  func withHandlers<Answer>(
    _ loop: any LoopHandler, _ handlers: [any ConnectionHandler], _ body: () -> Answer
  ) -> Answer {
    precondition(listeners.allSatisfy { handlers.indices.contains($0.handler) })
    let made = HandlerTable(loop, handlers)
    return withExtendedLifetime(made) {
      table = .passUnretained(made)
      defer { table = nil }
      return body()
    }
  }

  /// Calls the loop's handler; does nothing while the loop does not run.
  @inline(__always) func tellLoop(_ body: (any LoopHandler) -> Void) {
    table?._withUnsafeGuaranteedRef { body($0.loop) }
  }

  /// Calls the handler of a connection; does nothing while the loop does not run.
  @discardableResult @inline(__always)
  func tell<Answer>(
    _ slot: UnsafeMutablePointer<ConnectionSlot>, _ body: (any ConnectionHandler) -> Answer
  ) -> Answer? {
    table?._withUnsafeGuaranteedRef { table in
      table.connections[slot.pointee.handler]._withUnsafeGuaranteedRef { body($0.handler) }
    }
  }
}
