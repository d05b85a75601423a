// What the log says about clients. A client can cause each of these as often as it likes, also by
// connecting again, so all lines are counted: one at once, and then one every ten seconds with the
// number of what happened since.

import GatewayKit
import Logging
import MarketModel
import Transport

/// Logs what clients do wrong, and how their connections end. Owned by the I/O thread.
struct ClientLog {
  /// What is told of a session, each in a line of its own.
  private enum Happening: Hashable {
    /// Its connection was lost; the limit is the time until its orders are cancelled, ms.
    case lost
    /// Its client ended it in order; the limit as of `lost`.
    case ended
    /// It does not read; the limit is the number of unread bytes.
    case slowReader
    /// It exceeds its limit of messages or cancels.
    case throttled
    /// Its participant exceeds its limit of work; the limit is what is left of it.
    case overworked
    /// A command ended its connection.
    case cutOff(RejectCode)
  }

  private var refusedLogOns = RefusedLogOns()
  private var brokenProtocols = CountedLines<LogOnAddress, RejectCode>()
  private var sessions = CountedLines<SessionId, Happening>()
  private var refusedConnections = CountedLines<PeerAddress, Transport.Refusal>()
  private let log: Logger

  init(_ log: Logger) { self.log = log }

  /// Logs or counts what a gateway has noticed.
  mutating func note(_ notice: GatewayNotice) {
    switch notice {
    case .logOnRefused(let session, let failure, let address):
      if let line = refusedLogOns.note(session, failure, from: address) { write(line) }
    case .brokeProtocol(let session, let refusal, let address):
      if let line = brokenProtocols.note(
        session, refusal.code, from: address, limit: refusal.limit)
      {
        write(line)
      }
    case .slowReader(let session, let bytes): note(session, .slowReader, Int64(bytes))
    case .throttled(let session, let refusal):
      note(session, refusal.code == .workLimit ? .overworked : .throttled, refusal.limit)
    case .disconnected(let session, let cancelAfter): note(session, .lost, Int64(cancelAfter))
    case .ended(let session, let cancelAfter): note(session, .ended, Int64(cancelAfter))
    case .cutOff(let session, let refusal): note(session, .cutOff(refusal.code), refusal.limit)
    }
  }

  private mutating func note(_ session: SessionId, _ happening: Happening, _ limit: Int64) {
    if let line = sessions.note(session, happening, from: session, limit: limit) { write(line) }
  }

  /// Logs or counts that a connection was refused.
  mutating func noteRefused(_ address: PeerAddress, _ reason: Transport.Refusal) {
    if let line = refusedConnections.note(.exchange, reason, from: address) { write(line) }
  }

  /// Logs what no line has told yet, every ten seconds.
  /// - Parameter isLast: Whether the server ends, so that all is logged now.
  mutating func tick(at now: SteadyTime, isLast: Bool) {
    for line in refusedLogOns.take(at: now, isLast: isLast) { write(line) }
    for line in brokenProtocols.take(at: now, isLast: isLast) { write(line) }
    for line in sessions.take(at: now, isLast: isLast) { write(line) }
    for line in refusedConnections.take(at: now, isLast: isLast) { write(line) }
  }

  // MARK: Lines

  private func write(_ line: RefusedLogOns.Line) {
    log.warning(
      "log-ons are refused",
      metadata: [
        "session": line.session.field, "reason": "\(line.reason)", "count": "\(line.count)",
        "address": line.address,
      ])
  }

  private func write(_ line: CountedLines<LogOnAddress, RejectCode>.Line) {
    let meaning = line.reason.entry?.meaning ?? "code \(line.reason.rawValue)"
    log.warning(
      "a session's connection ends: \(meaning)",
      metadata: [
        "session": line.session.field, "code": "\(line.reason.rawValue)",
        "limit": "\(line.limit)", "count": "\(line.count)", "address": line.address,
      ])
  }

  private func write(_ line: CountedLines<SessionId, Happening>.Line) {
    let (level, message, field): (Logger.Level, Logger.Message, String)
    switch line.reason {
    case .lost:
      (level, field) = (.info, "afterMilliseconds")
      message =
        "a connection was lost; the session's orders are cancelled unless it returns in time"
    case .ended:
      (level, field) = (.debug, "afterMilliseconds")
      message = "a session ended in order; its orders are cancelled unless it returns in time"
    case .slowReader:
      (level, field) = (.warning, "unread")
      message = "a client does not read, so its session was terminated"
    case .throttled:
      (level, field) = (.warning, "limit")
      message = "a session exceeds its message limit"
    case .overworked:
      (level, field) = (.warning, "left")
      message = "a participant exceeds its limit of work (client.work)"
    case .cutOff(let code): return write(line, code)
    }
    log.log(
      level: level, message,
      metadata: [
        "session": line.concerned, field: "\(line.limit)", "count": "\(line.count)",
      ])
  }

  private func write(_ line: CountedLines<SessionId, Happening>.Line, _ code: RejectCode) {
    let reason =
      switch code {
      case .keyChanged: "its key was replaced"
      case .unknownSession: "it was revoked"
      case .versionReset: "its version was reset"
      default: "it was cut by an operator or its participant's administrator"
      }
    log.notice(
      "a session's connection ends: \(reason)",
      metadata: [
        "session": line.concerned, "code": "\(code.rawValue)", "count": "\(line.count)",
      ])
  }

  private func write(_ line: CountedLines<PeerAddress, Transport.Refusal>.Line) {
    let reason =
      switch line.reason {
      case .full: "all are taken, by sessions or a moment ago (connections)"
      case .addressIsFull: "its address has as many as it may, see client.perAddress"
      }
    log.warning(
      "a connection was refused: \(reason)",
      metadata: ["address": line.address, "count": "\(line.count)"])
  }
}

extension CountedLines.Line {
  /// The address, or whose others it is about, in the log.
  fileprivate var address: Logger.MetadataValue {
    isOfOthers ? "others" : "\(source.map { "\($0)" } ?? "unknown")"
  }

  /// The session, or whose others it is about, in the log.
  fileprivate var concerned: Logger.MetadataValue { isOfOthers ? "others" : session.field }
}
