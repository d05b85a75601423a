import Foundation
import Glibc
import MarketModel
import Synchronization
import Testing

@testable import Transport

@Suite("The transport")
struct TransportTests {
  func start(
    _ change: (inout Transport.Configuration) -> Void = { _ in }
  ) throws -> (Echo, UInt16) {
    var configuration = Transport.Configuration()
    change(&configuration)
    let transport = try Transport(configuration)
    let port = try transport.listen(host: "127.0.0.1", port: 0)
    return (Echo(transport), port)
  }

  @Test("Messages that arrive byte by byte are put together.")
  func partialMessages() throws {
    let (echo, port) = try start()
    let client = try LoopbackClient(port: port)
    let sent = message(40, 1) + message(2, 2) + message(200, 3)
    for byte in sent {
      client.send([byte])
      echo.transport.turn(echo, serving: [echo])
    }
    #expect(
      echo.pump {
        client.poll()
        return client.received.count >= sent.count
      })
    #expect(client.received.elementsEqual(sent) as Bool)
    #expect(echo.messages == 3)
  }

  @Test("Thousands of coalesced messages of random sizes come back in order.", arguments: 1...4)
  func coalescedMessages(seed: Int) throws {
    let (echo, port) = try start { $0.readBuffer = 4096 }
    let client = try LoopbackClient(port: port)
    var random = SeededRandom(seed: UInt64(seed))
    var sent: [UInt8] = []
    for index in 0..<20_000 { sent += message(UInt8.random(in: 1...255, using: &random), index) }
    var offset = 0
    #expect(
      echo.pump {
        if offset < sent.count {
          let chunk = Int.random(in: 1...60_000, using: &random)
          offset += client.send(Array(sent[offset..<min(sent.count, offset + chunk)]))
        }
        client.poll()
        return client.received.count >= sent.count
      }, "seed \(seed)")
    #expect(client.received.elementsEqual(sent) as Bool, "seed \(seed)")
    #expect(echo.transport.counts.bytesIn == sent.count)
    #expect(echo.transport.counts.bytesOut == sent.count)
  }

  @Test(
    "An early flush sends on connections that were read; the rest is sent at the end of the turn.")
  func sentEarly() throws {
    let (echo, port) = try start()
    let speaker = try LoopbackClient(port: port)
    let listener = try LoopbackClient(port: port)
    #expect(echo.pump { echo.connections.count == 2 })
    let (heard, other) = (echo.connections[0], echo.connections[1])
    var queued: [[Int]] = []
    let word = message(30, 5)
    echo.afterMessages = {
      word.withUnsafeBytes { _ = echo.transport.send(other, $0) }
      echo.transport.sendNow()
      queued.append([echo.transport.queued(heard), echo.transport.queued(other)])
    }
    speaker.send(message(40, 1))
    #expect(
      echo.pump {
        speaker.poll()
        listener.poll()
        return speaker.received.count == 40 && listener.received.count == 30
      })
    #expect(queued == [[0, 30]])
    #expect(listener.received == word)
  }

  @Test("A client that does not read is cut; another continues.")
  func slowReaderIsCut() throws {
    let (echo, port) = try start {
      ($0.sendBound, $0.patienceMilliseconds) = (64 << 10, 100)
    }
    let slow = try LoopbackClient(port: port, receiveBuffer: 4096)
    let good = try LoopbackClient(port: port)
    let burst = (0..<100).flatMap { message(250, $0) }
    var asked = 0
    #expect(
      echo.pump {
        slow.send(burst)
        asked += good.send(message(100, 7))
        good.poll()
        return !echo.closes.isEmpty
      })
    #expect(echo.closes.map(\.1) == [.slowReader])
    #expect(echo.closes.map(\.0) == [echo.connections[0]])
    #expect(echo.transport.counts.cut == 1)
    #expect(
      echo.pump {
        good.poll()
        return good.received.count == asked
      })
    #expect(echo.transport.reserve(echo.connections[0], 8) == nil)
  }

  @Test("A client that does not read is cut for that reason, also when its handler finishes it.")
  func slowReaderIsFinished() throws {
    let (echo, port) = try start {
      ($0.sendBound, $0.patienceMilliseconds) = (64 << 10, 100)
    }
    echo.lastWord = message(60, 9)
    let slow = try LoopbackClient(port: port, receiveBuffer: 4096)
    let burst = (0..<100).flatMap { message(250, $0) }
    #expect(
      echo.pump {
        slow.send(burst)
        return !echo.closes.isEmpty
      })
    #expect(echo.closes.map(\.1) == [.slowReader])
    #expect(echo.transport.counts.cut == 1)
  }

  @Test("A slow client within the bound gets every byte.")
  func deferredWritesLoseNothing() throws {
    let (echo, port) = try start { $0.sendBound = 64 << 20 }
    let client = try LoopbackClient(port: port, receiveBuffer: 4096)
    let burst = (0..<400).flatMap { message(250, $0) }
    var sent: [UInt8] = []
    #expect(
      echo.pump {
        sent += burst[..<client.send(burst)]
        return echo.transport.counts.writesDeferred > 0 && sent.count > 8 << 20
          && sent.count % 250 == 0
      })
    #expect(
      echo.pump {
        client.poll()
        return client.received.count >= sent.count
      })
    #expect(client.received.elementsEqual(sent) as Bool)
    #expect(echo.closes.isEmpty)
  }

  @Test("Backpressure: a paused connection keeps unread bytes and continues where it stopped.")
  func pauseAndResume() throws {
    let (echo, port) = try start()
    echo.pauseBefore = 3
    let client = try LoopbackClient(port: port)
    let sent = (0..<500).flatMap { message(100, $0) }
    client.send(sent)
    #expect(echo.pump { echo.messages == 3 })
    for _ in 0..<20 { echo.transport.turn(echo, serving: [echo]) }
    #expect(echo.messages == 3)
    echo.pauseBefore = 250
    echo.resumeInTurn = echo.connections[0]
    #expect(echo.pump { echo.messages == 250 })
    echo.resumeInTurn = echo.connections[0]
    #expect(
      echo.pump {
        client.poll()
        return client.received.count >= sent.count
      })
    #expect(client.received.elementsEqual(sent) as Bool)
  }

  @Test("A finishing connection's last words arrive although its client had sent more.")
  func finishDeliversTheLastWords() throws {
    let (echo, port) = try start()
    echo.finishAt = 2
    let client = try LoopbackClient(port: port)
    client.send(message(10, 1) + message(20, 2) + message(30, 3) + message(40, 4))
    #expect(
      echo.pump {
        client.poll()
        return client.ended
      })
    #expect(client.received == message(10, 1) + message(20, 2))
    #expect(!echo.transport.isOpen(echo.connections[0]))
    client.sendEnd()
    #expect(echo.pump { echo.closes.map(\.1) == [.local] })
  }

  @Test("A finished connection is closed even if the client keeps it open.")
  func finishDoesNotWaitForever() throws {
    let (echo, port) = try start { $0.lingerMilliseconds = 50 }
    echo.finishAt = 1
    let client = try LoopbackClient(port: port)
    client.send(message(10, 1))
    #expect(echo.pump { echo.closes.map(\.1) == [.local] })
    client.poll()
    #expect(client.received == message(10, 1))
  }

  @Test("Ends, resets and closes in any order leave no connection open.", arguments: 1...3)
  func closeRaces(seed: Int) throws {
    let (echo, port) = try start()
    var random = SeededRandom(seed: UInt64(seed))
    for round in 0..<150 {
      var client: LoopbackClient? = try LoopbackClient(port: port)
      client?.send(message(50, round) + (Bool.random(using: &random) ? [40, 1] : []))
      if Bool.random(using: &random) { echo.transport.turn(echo, serving: [echo]) }
      switch Int.random(in: 0..<4, using: &random) {
      case 0: client?.sendEnd()
      case 1: client?.reset()
      case 2:
        if let last = echo.connections.last {
          echo.transport.close(last)
          echo.transport.close(last)
        }
      default:
        if let last = echo.connections.last { echo.transport.finish(last) }
      }
      client = nil
    }
    #expect(
      echo.pump { echo.connections.count == 150 && echo.closes.count == 150 }, "seed \(seed)")
    #expect(Set(echo.closes.map(\.0)).count == 150, "seed \(seed)")
    for connection in echo.connections {
      #expect(!echo.transport.send(connection, UnsafeRawBufferPointer(start: nil, count: 0)))
    }
  }

  @Test("Above the accept limit a client is refused; when one leaves the next is let in.")
  func acceptLimit() throws {
    let (echo, port) = try start { $0.maximumConnections = 2 }
    var clients = try (0..<3).map { _ in try LoopbackClient(port: port) }
    #expect(
      echo.pump {
        clients.forEach { $0.poll() }
        return clients[2].ended
      })
    #expect(echo.connections.count == 2)
    #expect(echo.transport.counts.refused == 1)
    clients.removeFirst()
    #expect(echo.pump { echo.closes.count == 1 })
    let next = try LoopbackClient(port: port)
    next.send(message(9, 9))
    #expect(
      echo.pump {
        next.poll()
        return next.received == message(9, 9)
      })
  }

  @Test("More left over than a message can have closes the connection.")
  func unreadOverflow() throws {
    let (echo, port) = try start { $0.longestMessage = 64 }
    let client = try LoopbackClient(port: port)
    client.send([200] + [UInt8](repeating: 1, count: 100))
    #expect(echo.pump { echo.closes.map(\.1) == [.unreadOverflow] })
  }

  @Test("Timers fire once or again and again, and stop.")
  func timers() throws {
    let (echo, _) = try start()
    echo.transport.startTimer(TimerToken(1), after: 5)
    echo.transport.startTimer(TimerToken(2), after: 1, every: 1)
    echo.transport.startTimer(TimerToken(3), after: 5)
    echo.transport.stopTimer(TimerToken(3))
    #expect(echo.pump { echo.timers.filter { $0 == TimerToken(2) }.count > 10 })
    #expect(echo.timers.filter { $0 == TimerToken(1) }.count == 1)
    #expect(!echo.timers.contains(TimerToken(3)))
  }

  @Test("An address that is in use gives an error that names the reason.")
  func addressInUse() throws {
    let (echo, port) = try start()
    #expect(throws: TransportError.self) {
      try echo.transport.listen(host: "127.0.0.1", port: port)
    }
    #expect(throws: TransportError.self) {
      try echo.transport.listen(host: "not an address", port: 0)
    }
  }

  @Test("Another thread wakes the loop; shutting down ends it.", arguments: [true, false])
  func wakeFromAnotherThread(spins: Bool) throws {
    let shared = Shared()
    let (ready, done) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    let thread = Thread {
      defer { done.signal() }
      do {
        let transport = try Transport()
        shared.handle.withLock { $0 = transport.wakeHandle }
        ready.signal()
        let waker = Waker(transport, shared)
        transport.run(waker, serving: [waker], waiting: spins ? .spinning : .blocking)
      } catch {
        Issue.record(error)
        ready.signal()
      }
    }
    thread.start()
    ready.wait()
    let handle = try #require(shared.handle.withLock { $0 })
    for _ in 0..<100 {
      let before = shared.wakes.withLock { $0 }
      handle.wake()
      while shared.wakes.withLock({ $0 }) == before { usleep(50) }
    }
    done.wait()
    // The loop has ended: waking it has no effect.
    handle.wake()
    #expect(shared.wakes.withLock { $0 } == 100)
  }
}

/// State shared by the loop's thread and the test.
private final class Shared: Sendable {
  let wakes = Mutex(0)
  let handle = Mutex<WakeHandle?>(nil)
}

/// Counts wakes and ends the loop after a hundred.
private final class Waker: ConnectionHandler, LoopHandler {
  let transport: Transport
  let shared: Shared

  init(_ transport: Transport, _ shared: Shared) {
    (self.transport, self.shared) = (transport, shared)
  }

  func connected(_ connection: ConnectionId) {}
  func received(_ connection: ConnectionId, _ bytes: UnsafeRawBufferPointer) -> Int { 0 }
  func closed(_ connection: ConnectionId, _ reason: CloseReason) {}
  func timerFired(_ timer: TimerToken) {}
  func turnEnds() {}

  func woken() {
    let count = shared.wakes.withLock { count in
      count += 1
      return count
    }
    if count == 100 { transport.shutDown() }
  }
}
