import Transport

/// In-memory connections. Each message that the gateway writes has a heap block of its exact size.
final class FuzzNetwork: Network {
  let maximumConnections = 4
  let sendBound = 1 << 16
  /// Receives the frames that the gateway sends.
  var sent: (ConnectionId, UnsafeRawBufferPointer) -> Void = { _, _ in }
  /// The gateway; `world` owns it.
  unowned(unsafe) var handler: (any ConnectionHandler)?
  /// Handler of the gateway's turns.
  unowned(unsafe) var turn: (any LoopHandler)?

  private struct Link {
    let id: ConnectionId
    var unread: [UInt8] = []
    var isPaused = false
    var isFinishing = false

    /// Whether arriving bytes are queued because the connection is paused or finishing.
    var isWaiting: Bool { !unread.isEmpty || isPaused || isFinishing }
  }

  private var links: [Link?] = [nil, nil, nil, nil]
  private var generation: UInt64 = 0
  private var reserved: (connection: ConnectionId, memory: UnsafeMutableRawBufferPointer)?

  deinit { reserved?.memory.deallocate() }

  /// Opens the connection of `slot` if it is closed.
  func connect(_ slot: Int) {
    guard links[slot] == nil else { return }
    generation += 1
    let id = ConnectionId(rawValue: generation << 32 | UInt64(slot))
    links[slot] = Link(id: id)
    handler?.connected(id)
  }

  /// Closes the client's end.
  func close(_ slot: Int, _ reason: CloseReason) {
    guard let link = links[slot] else { return }
    flush()
    links[slot] = nil
    handler?.closed(link.id, reason)
  }

  /// Appends arriving bytes to the unread ones.
  func deliver(_ block: consuming ExactBlock, on slot: Int) {
    if links[slot]?.isWaiting == false { return show(block, on: slot) }
    links[slot]?.unread += block.bytes
    show(slot)
  }

  /// Ends a turn of the loop.
  func endTurn() {
    turn?.turnEnds()
    flush()
    for slot in links.indices where links[slot]?.isFinishing == true { close(slot, .local) }
  }

  private func show(_ slot: Int) {
    guard let link = links[slot], !link.isPaused, !link.isFinishing else { return }
    links[slot]?.unread.removeAll(keepingCapacity: true)
    let block = ExactBlock(link.unread.count)
    block.memory.copyBytes(from: link.unread)
    show(block, on: slot)
  }

  /// Passes the unread bytes to the gateway and keeps the rest.
  private func show(_ block: consuming ExactBlock, on slot: Int) {
    guard let id = links[slot]?.id, let handler else { return }
    let count = block.bytes.count
    let used = handler.received(id, block.bytes)
    require(used >= 0 && used <= count, "read \(used) of \(count) bytes")
    guard used < count, links[slot]?.id == id else { return }
    links[slot]?.unread.append(contentsOf: block.bytes[used...])
    // The rest must be the begin of one message, unless the connection is paused.
    require(
      count - used < 512 || links[slot]?.isPaused == true, "more than a message is left unread")
  }

  private func flush() {
    guard let (connection, memory) = reserved else { return }
    reserved = nil
    sent(connection, UnsafeRawBufferPointer(memory))
    memory.deallocate()
  }

  private func slot(of connection: ConnectionId) -> Int? {
    links[connection.slot]?.id == connection ? connection.slot : nil
  }

  // MARK: Network

  func reserve(_ connection: ConnectionId, _ bytes: Int) -> UnsafeMutableRawPointer? {
    flush()
    guard let slot = slot(of: connection), links[slot]?.isFinishing == false else { return nil }
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes, alignment: 1)
    memory.initializeMemory(as: UInt8.self, repeating: 0xA5)
    reserved = (connection, memory)
    return memory.baseAddress
  }

  func pause(_ connection: ConnectionId) {
    if let slot = slot(of: connection) { links[slot]?.isPaused = true }
  }

  func resume(_ connection: ConnectionId) {
    guard let slot = slot(of: connection), links[slot]?.isPaused == true else { return }
    links[slot]?.isPaused = false
    show(slot)
  }

  func finish(_ connection: ConnectionId) {
    if let slot = slot(of: connection) { links[slot]?.isFinishing = true }
  }

  func startTimer(_ token: TimerToken, after milliseconds: UInt64, every interval: UInt64) {}
  func stopTimer(_ token: TimerToken) {}
  func stopListening() {}
  func shutDown() {}
}
