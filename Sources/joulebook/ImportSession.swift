// Sending imported readings: pipelined, within what the server allows a session.
//
//     file ─▶ sign ─▶ [ at most 512 unanswered ] ─▶ booked | corrected | unchanged | rejected | throttled
//                 ▲                                                                   │
//                 └──────────── again, when the others are answered ◀─────────────────┘

import Foundation
import JoulebookClient
import MarketModel
import MeterImport

/// What ended an import early.
enum ImportFailure: Error {
  /// The session.
  case client(ClientError)
  /// The file of readings, or the file of rejected lines.
  case file(ImportError)
}

/// The keys with which readings are signed.
final class MeterKeys {
  private let folder: String?
  private let common: Credentials?
  private var known: [MeterId: Credentials] = [:]

  /// Keys in `folder`, and one for all other meters.
  init(folder: String?, common: Credentials?) { (self.folder, self.common) = (folder, common) }

  /// The key of a meter; `nil` when there is none.
  /// - Throws: `.badCredentials` when its file cannot be used.
  func key(of meter: MeterId) throws(ClientError) -> Credentials? {
    if let key = known[meter] { return key }
    var found = common
    if let folder {
      let path = folder + "/\(meter.rawValue).key"
      if access(path, F_OK) == 0 {
        found = try Credentials(session: SessionId(0), keyFile: path)
      }
    }
    if let found { known[meter] = found }
    return found
  }

  /// What to do about a meter without a key.
  func advice(_ meter: MeterId) -> String {
    let file =
      folder.map { "\($0)/\(meter.rawValue).key is missing" } ?? "no folder of keys is named"
    return "\(file): put the meter's private key there, or name the key that signs for it with "
      + "--signing-key"
  }
}

/// What became of the readings.
struct ImportResult {
  /// Readings of new intervals that the exchange has booked.
  var booked = 0
  /// Readings that it has booked as later versions of their intervals.
  var corrected = 0
  /// Readings that it had already, or later versions of them.
  var unchanged = 0
  /// Rejected readings that are kept in quarantine, by number.
  var quarantined: [UInt64] = []
  /// Readings that it rejected.
  var rejected = 0
  /// Readings of meters without a key.
  var unsigned = 0
  /// Rejected readings by code.
  var codes: [RejectCode: Int] = [:]

  /// The result in lines.
  var text: String {
    var lines = ["booked       \(booked)"]
    if corrected > 0 {
      lines.append("corrected    \(corrected): later versions of intervals that were booked before")
    }
    if unchanged > 0 {
      lines.append(
        "unchanged    \(unchanged): the exchange has them, or later versions of them (7003)")
    }
    if unsigned > 0 { lines.append("no key       \(unsigned)") }
    if rejected > 0 {
      let parts = codes.sorted { $0.key.rawValue < $1.key.rawValue }.map { code, count in
        "\(count) with \(code.rawValue) \(code.entry?.name ?? "")"
      }
      lines.append("rejected     \(rejected): " + parts.joined(separator: ", "))
    }
    if let first = quarantined.min(), let last = quarantined.max() {
      let numbers = quarantined.count == 1 ? "number \(first)" : "numbers \(first) to \(last)"
      lines.append(
        "quarantine   \(quarantined.count) of them, \(numbers): the operator releases or refuses them"
      )
    }
    if booked + corrected == 0 { lines.append("Nothing has changed.") }
    return lines.joined(separator: "\n") + "\n"
  }

  /// What is printed when the session or the file ended early; `nil` when nothing was sent yet.
  var interrupted: String? {
    if booked + corrected + unchanged + rejected == 0 { return nil }
    return
      "joulebook: the import ended early, with \(booked + corrected) readings booked: import the same file again; "
      + "what is booked changes nothing"
  }
}

/// A session that sends readings. Owned by one thread.
struct ImportSession {
  /// Most unanswered readings.
  private static let window = 512
  /// Units of work that the server allows a participant in a second (`client.work`), less a tenth.
  private static let work: Int64 = 90_000
  /// Units that a rejected reading costs, and one that was applied before.
  private static let (costOfReject, costOfReplay): (Int64, Int64) = (100, 10)
  /// Longest wait for an answer.
  private static let patienceMilliseconds: Int32 = 10_000
  /// Times that a reading may be throttled with nothing booked between.
  private static let mostPauses = 60

  private let client: Client
  private let keys: MeterKeys
  /// Whether readings of meters without a key are sent unsigned.
  private let sendsUnsigned: Bool
  private let revision: UInt64
  private let list: RejectedList?
  private var unanswered: [UInt64: ImportedReading] = [:]
  /// Readings that the server was too busy for, in order.
  private var throttled: [ImportedReading] = []
  private var pauses = 0
  /// A rejected reading whose row is written when it is known whether it is in quarantine: the message behind
  /// the reject says so.
  private var undecided: (reading: ImportedReading, rejection: Rejection)?
  private var work = Allowance(
    perSecond: ImportSession.work, most: ImportSession.work, least: 10 * ImportSession.costOfReject)
  private var messages: Allowance
  /// What became of the readings so far.
  private(set) var result = ImportResult()

  /// A session on `client`.
  /// - Parameter rate: Most readings a second.
  init(
    _ client: Client, keys: MeterKeys, sendsUnsigned: Bool, revision: UInt64, rate: UInt64,
    rejected: RejectedList?
  ) {
    (self.client, self.keys, self.revision, list) = (client, keys, revision, rejected)
    self.sendsUnsigned = sendsUnsigned
    messages = Allowance(perSecond: Int64(rate), most: max(1, Int64(rate) / 10), least: 1)
  }

  /// The next item of the file.
  func fetch(_ file: MeterFile) throws(ImportFailure) -> ImportItem? {
    do throws(ImportError) {
      return try file.next()
    } catch {
      throw .file(error)
    }
  }

  /// Sends a reading, or notes a fault.
  mutating func take(_ item: ImportItem) throws(ImportFailure) {
    switch item {
    case .fault(let fault): try note(fault)
    case .reading(let reading):
      // Nothing overtakes a throttled reading: those of a meter must come in order.
      repeat {
        if !throttled.isEmpty { try sendAgain() }
        try awaitRoom()
      } while !throttled.isEmpty
      try send(reading)
    }
  }

  /// Waits until every reading is answered.
  mutating func finish() throws(ImportFailure) {
    repeat {
      try drain()
      if !throttled.isEmpty { try sendAgain() }
    } while !unanswered.isEmpty || !throttled.isEmpty
    do throws(ClientError) {
      // The message about the quarantine is right behind the last reject.
      if undecided != nil { try receive(1_000) }
      try decide(nil)
    } catch {
      throw .client(error)
    }
  }

  // MARK: Sending

  private mutating func send(_ reading: ImportedReading) throws(ImportFailure) {
    let key = try key(of: reading.meter)
    guard key != nil || sendsUnsigned else {
      result.unsigned += 1
      return try note(
        LineFault(
          .unreadable, line: reading.line, meter: "\(reading.meter.rawValue)", reading: reading,
          keys.advice(reading.meter)))
    }
    do throws(ClientError) {
      let message = reading.message(revision: revision)
      let signature =
        try key.map {
          (key) throws(ClientError) in try message.signature(key.privateKey, for: client.market)
        } ?? .zero
      let sequence = try client.send(message, signature: signature)
      unanswered[sequence] = reading
      messages.take(1)
      if unanswered.count % 16 == 0 { try receive(0) }
    } catch {
      throw .client(error)
    }
  }

  private func key(of meter: MeterId) throws(ImportFailure) -> Credentials? {
    do throws(ClientError) {
      return try keys.key(of: meter)
    } catch {
      throw .client(error)
    }
  }

  /// Receives answers until another reading may be sent.
  private mutating func awaitRoom() throws(ImportFailure) {
    while true {
      let now = Client.monotonicNow()
      work.earn(now)
      messages.earn(now)
      // Each unanswered reading may turn out to be rejected.
      let reserved = Int64(unanswered.count + 1) * Self.costOfReject
      if unanswered.count < Self.window, work.left >= reserved, messages.left > 0 { return }
      do throws(ClientError) {
        try receive(unanswered.count < Self.window ? 1 : Self.patienceMilliseconds)
      } catch {
        throw .client(error)
      }
    }
  }

  /// Receives one message, waiting for at most `milliseconds`, and all that are there behind it.
  private mutating func receive(_ milliseconds: Int32) throws(ClientError) {
    var wait = milliseconds
    while let message = try client.poll(timeoutMilliseconds: wait) {
      wait = 0
      if case .quarantined(let kept) = message.event {
        try decide(kept)
        continue
      }
      try decide(nil)
      switch message.event {
      case .metered(let report):
        if unanswered.removeValue(forKey: report.reference) != nil {
          result.booked += 1
          pauses = 0
        }
      case .corrected(let report):
        if unanswered.removeValue(forKey: report.reference) != nil {
          result.corrected += 1
          pauses = 0
        }
      case .rejected(let rejection):
        if let reading = unanswered.removeValue(forKey: rejection.reference) {
          try reject(reading, rejection)
        }
      default: break
      }
    }
    if wait >= Self.patienceMilliseconds { throw .timedOut }
  }

  /// Notes the last rejected reading, with its number if it is kept in quarantine.
  private mutating func decide(_ kept: QuarantineReport?) throws(ClientError) {
    guard let (reading, rejection) = undecided else { return }
    undecided = nil
    let number = kept?.reading == reading.message(revision: revision) ? kept?.number : nil
    if let number { result.quarantined.append(number) }
    do throws(ImportError) {
      try list?.add(reading, rejection, quarantine: number)
    } catch {
      throw .unusable("\(error)")
    }
  }

  /// Waits until every reading that was sent is answered.
  private mutating func drain() throws(ImportFailure) {
    do throws(ClientError) {
      while !unanswered.isEmpty { try receive(Self.patienceMilliseconds) }
    } catch {
      throw .client(error)
    }
  }

  /// Sends throttled readings again, after a pause.
  private mutating func sendAgain() throws(ImportFailure) {
    try drain()
    pauses += 1
    guard pauses <= Self.mostPauses else {
      throw .client(
        .unusable(
          "the server has throttled the session for \(Self.mostPauses) s: give a lower --rate, or "
            + "ask its operator about client.work and the limits of the session"))
    }
    let end = Client.monotonicNow() + 1_000_000_000
    do throws(ClientError) {
      while Client.monotonicNow() < end { try receive(100) }
    } catch {
      throw .client(error)
    }
    messages.slowDown()
    work.slowDown()
    let again = throttled.sorted { $0.line < $1.line }
    throttled.removeAll()
    for (index, reading) in again.enumerated() {
      try awaitRoom()
      guard throttled.isEmpty else {
        throttled += again[index...]
        return
      }
      try send(reading)
    }
  }

  // MARK: Answers

  private mutating func reject(
    _ reading: ImportedReading, _ rejection: Rejection
  ) throws(ClientError) {
    switch rejection.code {
    case .readingReplayed:
      work.take(Self.costOfReplay)
      result.unchanged += 1
      pauses = 0
    case .workLimit, .tooManyMessages, .intakeFull:
      throttled.append(reading)
    case .notPermitted, .shuttingDown, .ledgerHalted:
      // It is the same for all.
      throw .rejected(rejection)
    default:
      work.take(Self.costOfReject)
      result.rejected += 1
      result.codes[rejection.code, default: 0] += 1
      undecided = (reading, rejection)
    }
  }

  private func note(_ fault: LineFault) throws(ImportFailure) {
    do throws(ImportError) {
      try list?.add(fault)
    } catch {
      throw .file(error)
    }
  }
}

/// Something that is earned evenly, and saved up to a bound.
private struct Allowance {
  private var perSecond: Int64
  private var most: Int64
  private let least: Int64
  private(set) var left: Int64
  private var earned: UInt64 = 0

  /// An allowance that begins full.
  /// - Parameters:
  ///   - most: What is saved up at most.
  ///   - least: What is earned a second at least, however often it is halved.
  init(perSecond: Int64, most: Int64, least: Int64) {
    (self.perSecond, self.most, self.least, left) = (perSecond, most, least, most)
  }

  /// Earns what is due at `now`, in monotonic ns.
  mutating func earn(_ now: UInt64) {
    if earned == 0 { earned = now }
    let due = Int64(min(now - earned, 1_000_000_000)) * perSecond / 1_000_000_000
    guard due > 0 else { return }
    left = min(most, left + due)
    earned = now
  }

  mutating func take(_ amount: Int64) { left -= amount }

  /// Halves what is earned and saved up.
  mutating func slowDown() {
    perSecond = max(perSecond / 2, least)
    most = min(most, perSecond)
  }
}
