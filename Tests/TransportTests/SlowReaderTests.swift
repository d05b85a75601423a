import Glibc
import Testing

@testable import Transport

@Suite("Clients that read slowly")
struct SlowReaderTests {
  func start(_ change: (inout Transport.Configuration) -> Void) throws -> (Echo, UInt16) {
    var configuration = Transport.Configuration()
    change(&configuration)
    let transport = try Transport(configuration)
    return (Echo(transport), try transport.listen(host: "127.0.0.1", port: 0))
  }

  /// Queues `bytes` bytes for a connection within one turn, in messages of 128 bytes.
  /// - Returns: the number of bytes that were accepted.
  func burst(_ echo: Echo, _ connection: ConnectionId, _ bytes: Int) -> Int {
    var accepted = 0
    let word = message(128, 1)
    echo.atTurnEnd = {
      while accepted < bytes, word.withUnsafeBytes({ echo.transport.send(connection, $0) }) {
        accepted += word.count
      }
    }
    #expect(echo.pump { echo.atTurnEnd == nil })
    return accepted
  }

  @Test("A burst of ten times the bound in one turn reaches a client that reads.")
  func burstIsRead() throws {
    let (echo, port) = try start {
      ($0.sendBound, $0.patienceMilliseconds) = (1 << 20, 20_000)
    }
    let client = try LoopbackClient(port: port)
    #expect(echo.pump { !echo.connections.isEmpty })
    #expect(burst(echo, echo.connections[0], 10 << 20) == 10 << 20)
    #expect(
      echo.pump {
        client.poll()
        return client.received.count == 10 << 20
      })
    #expect(echo.closes.isEmpty && echo.transport.queued(echo.connections[0]) == 0)
    #expect(echo.transport.memory.used == 0)
  }

  @Test("What waits is offered to the socket within the turn.")
  func earlyWrites() throws {
    let (echo, port) = try start { $0.patienceMilliseconds = 20_000 }
    let client = try LoopbackClient(port: port)
    #expect(echo.pump { !echo.connections.isEmpty })
    var written = 0
    echo.atTurnEnd = { [word = message(128, 1)] in
      for _ in 0..<8192 {
        word.withUnsafeBytes { _ = echo.transport.send(echo.connections[0], $0) }
      }
      written = echo.transport.counts.bytesOut
    }
    #expect(echo.pump { echo.atTurnEnd == nil })
    #expect(written >= 256 << 10)
    #expect(
      echo.pump {
        client.poll()
        return client.received.count == 1 << 20
      })
  }

  @Test("Above the bound a client is cut when its patience is over, not before.")
  func patience() throws {
    let (echo, port) = try start {
      ($0.sendBound, $0.patienceMilliseconds) = (1 << 20, 200)
    }
    // The kernel takes about 4 MiB.
    let client = try LoopbackClient(port: port, receiveBuffer: 4096)
    #expect(echo.pump { !echo.connections.isEmpty })
    #expect(burst(echo, echo.connections[0], 12 << 20) == 12 << 20)
    #expect(echo.transport.isOpen(echo.connections[0]))
    #expect(echo.pump { !echo.closes.isEmpty })
    #expect(echo.closes.map(\.1) == [.slowReader] && echo.transport.counts.cut == 1)
    #expect(echo.transport.memory.used == 0)
    withExtendedLifetime(client) {}
  }

  @Test("At sixteen times the bound a client is cut at once, and without a session at 64 KiB.")
  func hardBounds() throws {
    for (isEstablished, bound) in [(true, 16 << 16), (false, 64 << 10)] {
      let (echo, port) = try start {
        ($0.sendBound, $0.patienceMilliseconds) = (1 << 16, 60_000)
      }
      echo.promotes = isEstablished
      let client = try LoopbackClient(port: port, receiveBuffer: 4096)
      #expect(echo.pump { !echo.connections.isEmpty })
      let accepted = burst(echo, echo.connections[0], 100 << 20)
      #expect(accepted >= bound && accepted < 100 << 20)
      #expect(!echo.transport.isOpen(echo.connections[0]))
      #expect(echo.transport.queued(echo.connections[0]) <= bound + Transport.lastWord)
      withExtendedLifetime(client) {}
    }
  }

  @Test("The memory of all queues is bounded: the slowest readers are closed at once.")
  func sum() throws {
    let bound = 16 << 20
    let (echo, port) = try start {
      ($0.sendBound, $0.patienceMilliseconds) = (1 << 20, 60_000)
      $0.totalSendBound = bound
    }
    let clients = try (0..<6).map { _ in try LoopbackClient(port: port, receiveBuffer: 4096) }
    let reader = try LoopbackClient(port: port)
    #expect(echo.pump { echo.connections.count == 7 })
    for connection in echo.connections[..<6] {
      #expect(burst(echo, connection, 12 << 20) > 0)
      #expect(echo.transport.queueMemory <= bound)
    }
    let last = echo.connections[6]
    #expect(burst(echo, last, 8 << 20) == 8 << 20)
    #expect(
      echo.pump {
        reader.poll()
        return reader.received.count == 8 << 20
      })
    #expect(!echo.closes.isEmpty && echo.closes.allSatisfy { $0.1 == .slowReader && $0.0 != last })
    #expect(echo.transport.queueMemory <= bound)
    withExtendedLifetime(clients) {}
  }

  @Test("Memory follows use: what nobody needed goes back to the system.")
  func memory() throws {
    let (echo, port) = try start { $0.patienceMilliseconds = 20_000 }
    let client = try LoopbackClient(port: port)
    #expect(echo.pump { !echo.connections.isEmpty })
    _ = burst(echo, echo.connections[0], 16 << 20)
    #expect(echo.transport.memory.used > 0)
    #expect(
      echo.pump {
        client.poll()
        return client.received.count == 16 << 20
      })
    #expect(echo.transport.memory.used == 0 && echo.transport.memory.free > 1 << 20)
    echo.transport.memory.trim()
    echo.transport.memory.trim()
    #expect(echo.transport.memory.free <= 16 * (MemoryPool.smallSize + MemoryPool.largeSize))
  }

  @Test("A client that takes the bound in each period is not cut before sixteen periods.")
  func pace() {
    var pace = ReadingPace()
    pace.fallBehind()
    for tick in 1...160 {
      pace.took(10)
      let isTooSlow = pace.tick(period: 10, bound: 100)
      #expect(isTooSlow == (tick == 160))
    }
    pace.fallBehind()
    for tick in 1...10 {
      pace.took(tick == 10 ? 9 : 10)
      let isTooSlow = pace.tick(period: 10, bound: 100)
      #expect(isTooSlow == (tick == 10))
    }
    // What it took before it kept the bound counts no more.
    pace.catchUp()
    pace.fallBehind()
    for tick in 1...10 {
      let isTooSlow = pace.tick(period: 10, bound: 100)
      #expect(isTooSlow == (tick == 10))
    }
  }

  @Test("Of two clients the one that reads less per time is slower, or reads nothing for longer.")
  func slower() {
    func pace(_ ticks: Int, _ bytes: Int) -> ReadingPace {
      var pace = ReadingPace()
      pace.fallBehind()
      for _ in 0..<ticks { _ = pace.tick(period: 1_000, bound: 1) }
      pace.took(bytes)
      return pace
    }
    #expect(pace(10, 100).isSlower(than: pace(5, 100)))
    #expect(!pace(5, 100).isSlower(than: pace(10, 100)))
    #expect(pace(9, 0).isSlower(than: pace(8, 0)) && !pace(8, 0).isSlower(than: pace(9, 0)))
  }
}
