// A run: the whole exchange, its clients, its disk and its network in one thread and simulated time.
//
//   step:  start the server if it is down
//          one of: I/O turn, journal, settlement, snapshot, wishes of clients, time
//          perhaps: kill, power loss, bit flip, cut connection, clock jump, full disk, ledger down
//   after each I/O turn: the exchange's invariants, conservation, a mark (command, event hash)
//   after each start:    an audit of journal and ledger against marks and acknowledgements
//   at the end:          all faults over; everything asked for is answered; orderly stop; last audit

import JoulebookServer
import Journaling
import MarketModel
import Settlement

/// One seed's run. Owned by one thread.
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
  /// The next start is told to accept the clock.
  var acceptsTime = false
  let people: [SimulatedClient]
  let signed: SignedMessages
  var behaviour = Behaviour()
  var marks: [Audit.Mark] = []
  var durable = SequenceNumber.none
  var failure: Violation?
  private var ioIsBusy = false
  private var journalIsBusy = false
  private var settlementIsBusy = false
  private var snapshotIsBusy = false
  /// A command whose loss cannot be told from a torn write is lost: the ledger may know it, and what
  /// the clients were told is not so. The run is over.
  var ledgerMayBeAhead = false
  var founded = 0

  init(seed: UInt64, steps: Int, village: Village) {
    self.seed = seed
    self.village = village
    random = SeededRandom(seed: seed)
    setting = RunSetting(&random, steps: steps)
    disk = SimulatedDisk(seed: random.next())
    network = SimulatedNetwork(clock: clock)
    files = DatabaseFiles(on: disk, clock: clock)
    let (village, clock) = (village, clock)
    let signed = SignedMessages()
    self.signed = signed
    people = ([SessionId(1)] + Village.traders).map {
      SimulatedClient($0, village, clock, signed)
    }
    disk.meanwhile = { [unowned self] in others() }
  }

  deinit { files.unregister() }

  /// Plays the run to its end.
  /// - Throws: the first thing that must never happen.
  func play() throws(Violation) {
    defer { end() }
    for body in village.foundation() { people[0].ask(Request(body)) }
    founded = people[0].outstanding.count
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
    case ..<93: wish()
    default: clock.advance(nanoseconds: UInt64(random.pick(0...300_000_000)))
    }
    clock.advance(nanoseconds: UInt64(random.pick(10_000...4_000_000)))
    misfortune()
    try judge()
  }

  /// What happens to the world, whoever works.
  private func misfortune() {
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
    if random.happens(files.isRead ? 100 : 30) { files.isRead.toggle() }
    if random.happens(setting.kills) {
      report.kills += 1
      disk.endProcess()
    }
    if random.happens(setting.powerLosses) { disk.losePower() }
  }

  /// Ends the process when its journal failed or its machine is down.
  func judge() throws(Violation) {
    if let failure { throw failure }
    for person in people {
      if let complaint = person.complaint {
        throw Violation("session \(person.session.rawValue): \(complaint)")
      }
    }
    if server?.hasFailed == true, !disk.isDown { disk.endProcess() }
    guard server != nil, disk.isDown else { return }
    report.restarts += 1
    for link in network.all { network.cut(link, &random) }
    network = SimulatedNetwork(clock: clock)
    letGo()
    disk.start()
    clock.advance(nanoseconds: UInt64(random.pick(1_000_000...2_000_000_000)))
  }

  /// The process is gone, with its memory. Whoever calls must not hold the server.
  func letGo() {
    weak let last = server
    server = nil
    precondition(last == nil, "somebody holds the server: its ledger would be closed later")
    files.forgetMemory()
  }

  /// While a call to the disk takes its time, other threads get on.
  private func others() {
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
    // The process ends there and then: nobody works on while the machine waits.
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

  /// One turn of the loop: bytes arrive, commands are applied, what is durable leaves.
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
    for person in people where random.happens(7_000) {
      person.live(network, limit: random.pick(1..<4_000), &random)
    }
    guard server.lastSequence > before else { return }
    marks.append(Audit.Mark(sequence: server.lastSequence, eventHash: server.eventHash))
    if let broken = server.invariantViolations().first { failure = Violation(broken) }
  }

  private func wish() {
    let readable = people[1].claims.union(people[2].claims)
    for (index, person) in people.enumerated() where person.hasRoom && random.happens(5_000) {
      if index == 0 {
        // Their own wishes come when the village stands.
        if person.answers >= founded { person.ask(behaviour.wish(ofOperator: &random)) }
        continue
      }
      guard person.isEstablished,
        var request = behaviour.wish(
          of: index, person, readable: readable, now: clock.now, &random)
      else { continue }
      if case .meterReading(let reading) = request.body {
        let (signed, signature) = village.reading(
          Int(reading.meter.rawValue), reading.registerSequence)
        request.body = .meterReading(signed)
        request.signature = signature
      }
      person.ask(request)
    }
  }
}
