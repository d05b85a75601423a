// A run: exchange, clients, disk and network on one thread and in simulated time.
//
//   step:  start the server if it is down
//          one of: I/O turn, journal, settlement, snapshot, new requests, time
//          faults: kill, power loss, bit flip, cut connection, clock jump, full disk, ledger down
//   after each I/O turn: the exchange's invariants, conservation, a mark (command, event hash)
//   after each start:    an audit of journal and ledger against marks and acknowledgements
//   at the end:          no more faults; all requests are answered; orderly stop; last audit

import JoulebookClient
import JoulebookServer
import Journaling
import MarketModel
import Settlement

/// The run of one seed. Owned by one thread.
final class Run {
  let seed: UInt64
  let setting: RunSetting
  let clock = SimulatedClock()
  let disk: SimulatedDisk
  var random: SeededRandom
  var report = RunReport()

  let files: DatabaseFiles
  let village: Village
  var network: SimulatedNetwork
  var server: SteppedServer?
  /// Whether the next start accepts the clock, as `serve --accept-time` does.
  var acceptsTime = false
  let clients: [SimulatedClient]
  let eavesdropper = Eavesdropper()
  let abuser: Abuser
  /// All clients with a session: `clients` and the abuser's.
  var sessions: [SimulatedClient] { clients + [abuser.client] }
  let signed: SignedMessages
  let nonces: NonceSource
  var behaviour = Behaviour()
  var marks: [Audit.Mark] = []
  var durable = SequenceNumber.none
  var failure: Violation?
  private var ioIsBusy = false
  private var journalIsBusy = false
  private var settlementIsBusy = false
  private var snapshotIsBusy = false
  /// Whether a durable command was lost by damage that looks like a torn write. The ledger may
  /// contain the command and clients have its acknowledgement, so the run ends without further
  /// comparisons.
  var ledgerMayBeAhead = false
  var setUpCount = 0

  init(seed: UInt64, steps: Int, village: Village) {
    self.seed = seed
    self.village = village
    random = SeededRandom(seed: seed)
    setting = RunSetting(&random, steps: steps, market: NonceSource.market(seed: seed))
    nonces = NonceSource(seed: seed)
    disk = SimulatedDisk(seed: random.next())
    network = SimulatedNetwork(clock: clock)
    files = DatabaseFiles(on: disk, clock: clock)
    let (village, clock) = (village, clock)
    let signed = SignedMessages()
    self.signed = signed
    clients = ([SessionId(1)] + Village.traders).map {
      SimulatedClient($0, village, clock, signed)
    }
    abuser = Abuser(SimulatedClient(Abuser.session, village, clock, signed))
    disk.whileWaiting = { [unowned self] in runOtherThreads() }
  }

  deinit { files.unregister() }

  /// Runs all steps, ends the faults, and performs the last audit.
  /// - Throws: The first violation.
  func play() throws(Violation) {
    defer { end() }
    for body in village.setUp() { clients[0].ask(Request(body)) }
    setUpCount = clients[0].outstanding.count
    disk.faults = setting.faults
    for _ in 0..<setting.steps where !ledgerMayBeAhead { try step() }
    try recoverFromEverything()
    if ledgerMayBeAhead { return }
    try answerEverything()
    try stopInOrder()
  }

  private func end() {
    disk.endProcess()
    server = nil
    report.note(disk.counts, clock.elapsed)
    report.ledgerBreaks = files.breaks
    report.logOnsRefused = eavesdropper.refusals
    report.abuses = abuser.bursts
  }

  // MARK: Steps

  private func step() throws(Violation) {
    report.steps += 1
    guard server != nil else { return try boot() }
    switch random.pick(0..<100) {
    case ..<40: ioTurn()
    case ..<65: journalStep()
    case ..<77: settlementStep()
    case ..<81: snapshotStep()
    case ..<93: nextRequest()
    default: clock.advance(nanoseconds: UInt64(random.pick(0...300_000_000)))
    }
    clock.advance(nanoseconds: UInt64(random.pick(10_000...4_000_000)))
    injectFaults()
    try checkFailures()
  }

  /// Injects the faults of a step.
  private func injectFaults() {
    guard server != nil else { return }
    if random.happens(setting.flips) { disk.flipBit() }
    if random.happens(setting.flips / 2) { disk.flipBitOfSnapshot() }
    if random.happens(setting.cuts), let link = network.all.randomElement(using: &random) {
      report.cuts += 1
      network.cut(link, &random)
    }
    if random.happens(setting.jumps) {
      report.jumps += 1
      clock.wallError =
        clock.wallError == 0
        ? [
          Int64(SimulatedClock.year), -Int64(SimulatedClock.year), -3_600_000_000_000,
          20_000_000_000, -20_000_000_000, 2_000_000_000,
        ][random.pick(0..<6)] : 0
    }
    if random.happens(setting.fillings) {
      disk.faults.capacity =
        disk.faults.capacity == nil ? disk.used + random.pick(0..<40_000) : nil
    }
    if random.happens(files.isFailing ? 300 : 15) { files.isFailing.toggle() }
    if !files.isFailing, files.callsUntilFailure == nil, random.happens(15) {
      files.callsUntilFailure = random.pick(0..<120)
    }
    if random.happens(files.isRead ? 100 : 30) { files.isRead.toggle() }
    if random.happens(setting.kills) {
      report.kills += 1
      disk.endProcess()
    }
    if random.happens(setting.powerLosses) { disk.losePower() }
  }

  /// Ends the process if its journal failed or the machine is down.
  /// - Throws: The first violation that the server or a client found.
  func checkFailures() throws(Violation) {
    if let failure { throw failure }
    if let fault = eavesdropper.fault { throw Violation(fault) }
    for client in sessions {
      if let fault = client.fault {
        throw Violation("session \(client.session.rawValue): \(fault)")
      }
    }
    if server?.hasFailed == true, !disk.isDown { disk.endProcess() }
    guard server != nil, disk.isDown else { return }
    report.restarts += 1
    for link in network.all { network.cut(link, &random) }
    network = SimulatedNetwork(clock: clock)
    releaseServer()
    disk.start()
    clock.advance(nanoseconds: UInt64(random.pick(1_000_000...2_000_000_000)))
  }

  /// Releases the ended server with its memory.
  /// - Precondition: No caller has a reference to the server.
  func releaseServer() {
    weak let last = server
    server = nil
    precondition(last == nil, "a reference to the server remains: its ledger would be closed later")
    files.forgetMemory()
  }

  /// Runs steps of other threads during a slow call of the disk.
  private func runOtherThreads() {
    guard server != nil, failure == nil else { return }
    if !journalIsBusy, settlementIsBusy || snapshotIsBusy, random.happens(4_000) {
      return journalStep()
    }
    if snapshotIsBusy, !settlementIsBusy, random.happens(2_000) { return settlementStep() }
    if !ioIsBusy { ioTurn() }
  }

  func journalStep() {
    guard let server, !journalIsBusy, !server.hasFailed else { return }
    journalIsBusy = true
    defer { journalIsBusy = false }
    _ = server.stepJournal()
    if server.durable > durable { disk.story?("durable: command \(server.durable.rawValue)") }
    durable = max(durable, server.durable)
    // The process ends at once, so that no other thread runs after a failed write.
    if server.hasFailed, !disk.isDown {
      report.failStops += 1
      disk.endProcess()
    }
  }

  func settlementStep() {
    guard let server, !settlementIsBusy, !ioIsBusy else { return }
    settlementIsBusy = true
    defer { settlementIsBusy = false }
    do throws(JournalError) {
      _ = try server.stepSettlement()
    } catch {
      disk.story?("settlement stops: \(error)")
      report.readsThatStoppedSettlement += 1
    }
  }

  func snapshotStep() {
    guard let server, !snapshotIsBusy, !disk.isDown else { return }
    snapshotIsBusy = true
    defer { snapshotIsBusy = false }
    if server.stepSnapshots() { report.snapshots += 1 }
  }

  /// One turn of the I/O loop: reads bytes, applies commands and sends the reports that are
  /// durable.
  func ioTurn() {
    guard let server, !ioIsBusy, !server.hasFailed, !disk.isDown else { return }
    ioIsBusy = true
    defer { ioIsBusy = false }
    let before = server.lastSequence
    for link in network.all {
      if !link.clientIsOpen || link.isCut {
        if random.happens(1_000) { network.closeServerEnd(of: link, .peerClosed) }
      } else if random.happens(7_000) {
        network.deliver(on: link, limit: random.pick(1..<2_000))
      }
    }
    network.endTurn()
    for client in clients where random.happens(7_000) {
      client.takeTurn(network, limit: random.pick(1..<4_000), &random)
    }
    if random.happens(setting.abuse) { abuser.takeTurn(network, &random) }
    if random.happens(500) { eavesdropper.takeTurn(network, &random) }
    guard server.lastSequence > before else { return }
    marks.append(Audit.Mark(sequence: server.lastSequence, eventHash: server.eventHash))
    if let broken = server.invariantViolations().first { failure = Violation(broken) }
  }

  private func nextRequest() {
    let readable = clients[1].claims.union(clients[2].claims)
    for (index, client) in clients.enumerated() where client.canAsk && random.happens(5_000) {
      if index == 0 {
        // The operator sends other requests only after the set-up.
        if client.answers >= setUpCount { client.ask(behaviour.nextRequest(ofOperator: &random)) }
        continue
      }
      guard client.isEstablished,
        var request = behaviour.nextRequest(
          of: index, client, readable: readable, now: clock.now, &random)
      else { continue }
      if case .meterReading(let reading) = request.body { sign(reading, &request) }
      client.ask(request)
    }
  }

  private func sign(_ reading: MeterReading, _ request: inout Request) {
    do throws(ClientError) {
      let (signed, signature) = try village.reading(
        Int(reading.meter.rawValue), reading.registerSequence, for: setting.market)
      request.body = .meterReading(signed)
      request.signature = signature
    } catch {
      failure = Violation("signing failed: \(error)")
    }
  }
}
