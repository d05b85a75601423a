import MarketModel

extension Configuration {
  /// All keys, in the order of the default file.
  public static var settings: [Setting] { service + stages + market }

  private static var service: [Setting] {
    [
      .listen,
      .text(
        "tls.certificate", \.tlsCertificate,
        "file with the certificate for TLS 1.3 (PEM); empty: plain TCP"),
      .text("tls.key", \.tlsKey, "file with its private key (PEM)"),
      .number(
        "tls.handshakes", \.tlsHandshakes, 1...1 << 20,
        "TLS handshakes begun in a second, an eighth of them by one address; others wait"),
      .choice(
        "insecure", \.insecure, "true: plain TCP is allowed on addresses that others can reach"),
      .health,
      .number(
        "connections", \.connections, 1...65_535, "client connections; client.kept come on top"),
      .data,
      .ledger,
      .choice(
        "settler", \.settler,
        "thread (the server settles), or process (`joulebook settle` does, with the ledger's password)"
      ),
      .choice(
        "history", \.history,
        "off, or on (the server fills the history of accounts, with which statements are fast)"),
      .choice("clock", \.clock, "system, or driven by an operator's ticks (simulations)"),
      .choice(
        "wait", \.wait, "park (sleeps), yield, or spin (lowest latency, uses one core fully)"),
      .choice(
        "assembly", \.assembly,
        "inline (sockets and exchange on one thread), or pipelined (two threads, for spare cores)"),
      .choice("log", \.logLevel, "trace, debug, info, notice, warning, error or critical"),
      .operatorKeys,
    ]
  }

  private static var stages: [Setting] {
    [
      .number(
        "checkpoint.commands", \.checkpointInterval, 1_000...1_000_000_000,
        "commands after which a checkpoint with the event hash is journaled"),
      .number(
        "snapshot.commands", \.snapshotCommands, 0...1 << 40,
        "commands after which a snapshot is made; 0: never"),
      .number(
        "snapshot.minutes", \.snapshotMinutes, 0...1 << 20,
        "minutes after which a snapshot is made if there are new commands; 0: never"),
      .number("snapshot.keep", \.snapshotKeep, 1...1_000, "number of snapshots that are kept"),
      .choice(
        "journal.kept", \.journalKept,
        "disk, or none: nothing is written, all state is lost at the end (measurements, games)"),
      .number(
        "journal.direct", \.journalDirect, 0...128,
        "largest turn, in commands, that the I/O thread syncs; 0: always the journal thread"),
      .number(
        "journal.retain", \.journalRetain, 0...1 << 60,
        "latest commands whose segments are kept once snapshots cover the rest; 0: keeps all"),
      .number(
        "journal.segment", \.segmentBytes, 1 << 16...1 << 30, "size of a segment file, bytes"),
      .number(
        "ingress.commands", \.ingressCommands, 256...1 << 20,
        "commands that can wait for the sequencer; rounded up to a power of two"),
      .number(
        "outbox.events", \.outboxEvents, 1 << 12...1 << 24,
        "events that can wait for the disk before sockets are no longer read"),
      .number(
        "client.perAddress", \.connectionsPerAddress, 0...65_535,
        "connections of one address, loopback excepted; 0: a 16th of connections, at least 64"),
      .number(
        "client.kept", \.connectionsKept, 0...1_024,
        "further connections, for sessions with the role administration only"),
      .number(
        "client.sessions", \.sessionsPerParticipant, 0...65_535,
        "established sessions of one participant; 0: three quarters of connections"),
      .number(
        "client.bytes", \.sendBytes, 1 << 16...1 << 30,
        "bytes that a client may leave unread for a time; 16 times as many end its session"),
      .number(
        "client.patience", \.sendPatience, 0...60_000,
        "ms in which a client with more than client.bytes unread must read as many; 0: none"),
      .number(
        "client.bytesInAll", \.sendBytesInAll, 1 << 20...1 << 44,
        "memory of all clients' send queues; above it the slowest readers are disconnected"),
      .number(
        "client.messages", \.messageLimit, 1...1 << 30,
        "messages per second of a session, cancels excepted; further ones are rejected"),
      .number(
        "client.messagesCutoff", \.messageCutoff, 1...1 << 30,
        "messages per second at which a session is terminated"),
      .number(
        "client.cancels", \.cancelLimit, 1...1 << 30,
        "cancels per second of a session; further ones are rejected"),
      .number(
        "client.cancelsCutoff", \.cancelCutoff, 1...1 << 30,
        "cancels per second at which a session is terminated"),
      .number(
        "client.work", \.workLimit, 1_000...1 << 30,
        "work per second that a participant may ask for, units of about 1 us; more is rejected"),
      .number(
        "logon.failures", \.logOnFailures, 1...1 << 30,
        "log-ons a minute and address that prove nothing; further ones are refused unseen"),
      .flag(
        "readings.unbound", \.unboundReadings,
        "true: also takes readings signed for no market, which are valid on others too"),
      .number(
        "settlement.transfers", \.settlement.transfers, 1...1_000_000,
        "transfers with which a batch closes; fixed by the first start"),
      .number(
        "settlement.nanoseconds", \.settlement.nanoseconds, 1...1 << 62,
        "exchange time after which a batch closes, ns; fixed by the first start"),
    ]
  }

  private static var market: [Setting] {
    [
      .market,
      .number("capacity.participants", \.capacity.participants, 1...1 << 24, "participants"),
      .number("capacity.sessions", \.capacity.sessions, 1...1 << 24, "session identities"),
      .number("capacity.accounts", \.capacity.accounts, 1...1 << 24, "accounts"),
      .number("capacity.areas", \.capacity.areas, 1...65_535, "market areas"),
      .number("capacity.instruments", \.capacity.instruments, 1...1 << 20, "instruments"),
      .number("capacity.meters", \.capacity.meters, 1...1 << 24, "meters"),
      .number(
        "capacity.positions", \.capacity.positions, 1...1 << 26,
        "positions: pairs of account and area"),
      .number("capacity.orders", \.capacity.orders, 16...1 << 24, "open orders"),
      .number(
        "capacity.priceLevels", \.capacity.priceLevels, 16...1 << 23, "price levels with orders"),
      .number(
        "capacity.accountOrders", \.capacity.accountOrders, 1...1 << 24,
        "open orders of one account"),
      .number(
        "capacity.accountLevels", \.capacity.accountLevels, 1...1 << 23,
        "price levels that one account's orders opened"),
      .number(
        "capacity.cashReferences", \.capacity.cashReferences, 1...1 << 28,
        "references of deposits and withdrawals, all that ever took effect"),
      .number(
        "capacity.readings", \.capacity.readings, 1...1 << 28,
        "readings that are kept for corrections, of 50 to 80 bytes each"),
      .number(
        "capacity.tariffHistory", \.capacity.tariffHistory, 2...1 << 14,
        "changes of an area's grid prices and losses that are kept"),
      .number(
        "capacity.quarantine", \.capacity.quarantine, 1...1 << 20, "readings in quarantine"),
    ]
  }
}

/// Least severe level that is logged, from most to least output.
public enum LogLevel: String, Sendable, CaseIterable {
  case trace, debug, info, notice, warning, error, critical
}

extension Setting {
  fileprivate static var listen: Setting {
    Setting(
      key: "listen", text: "address:port; port 0: a free port, printed at the start",
      value: { Configuration.address(host: $0.host, port: $0.port) },
      assign: { (configuration, value) throws(ConfigurationError) in
        (configuration.host, configuration.port) = try Configuration.parseAddress(value)
      })
  }

  fileprivate static var data: Setting {
    Setting(
      key: "data", text: "folder of the journal, the ledger and the operator's key",
      value: { $0.dataFolder },
      assign: { (configuration, value) throws(ConfigurationError) in
        // An empty name would place the journal in "/journal", in the root of the file system.
        if value.isEmpty {
          throw ConfigurationError("data: names no folder; give one, such as ./joulebook-data")
        }
        configuration.dataFolder = value
      })
  }

  fileprivate static var ledger: Setting {
    Setting(
      key: "ledger",
      text: "\(LedgerLocation.forms), relative to the data folder; fixed by the first start",
      value: { "\($0.ledger)" },
      assign: { (configuration, value) throws(ConfigurationError) in
        configuration.ledger = try LedgerLocation(value)
      })
  }

  fileprivate static var market: Setting {
    Setting(
      key: "market",
      text: "its id, 32 hexadecimal digits; empty: a random one; fixed by the first start",
      value: { $0.market.map { "\($0)" } ?? "" },
      assign: { (configuration, value) throws(ConfigurationError) in
        configuration.market = MarketId(value)
        if configuration.market == nil, !value.isEmpty {
          throw ConfigurationError("market: \(value) is not 32 hexadecimal digits")
        }
        if configuration.market == MarketId(0, 0) {
          throw ConfigurationError("market: an id of zeros names no market")
        }
      })
  }

  fileprivate static var health: Setting {
    Setting(
      key: "health", text: "address:port for GET /health, /ready, /metrics; empty: none",
      value: { $0.health },
      assign: { (configuration, value) throws(ConfigurationError) in
        if !value.isEmpty { _ = try Configuration.parseAddress(value, of: "health") }
        configuration.health = value
      })
  }

  fileprivate static var operatorKeys: Setting {
    Setting(
      key: "operator.keys",
      text:
        "files with operators' public keys, comma-separated, which the first start registers; none: "
        + "it generates a key pair",
      value: { $0.operatorKeys.joined(separator: ",") },
      assign: { (configuration, value) throws(ConfigurationError) in
        configuration.operatorKeys = value.split(separator: ",").map {
          String($0.drop(while: { $0 == " " }))
        }
      })
  }
}

extension Configuration {
  /// Joins host and port: "127.0.0.1:9100", "[::1]:9100".
  public static func address(host: String, port: UInt16) -> String {
    host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }

  /// Splits "127.0.0.1:9100", "[::1]:9100" or "localhost:9100" into host and port.
  /// - Parameter key: What the text belongs to, for messages.
  /// - Throws: if there is no port from 0 to 65535 after the last colon, or no host before it.
  public static func parseAddress(
    _ text: String, of key: String = "listen"
  ) throws(ConfigurationError) -> (host: String, port: UInt16) {
    let wrong = ConfigurationError(
      "\(key): \(text) is not an address and port such as 127.0.0.1:9100")
    guard let colon = text.lastIndex(of: ":") else { throw wrong }
    let number = text[text.index(after: colon)...]
    guard let port = UInt16(number) else {
      let isNumber = !number.isEmpty && number.utf8.allSatisfy { (0x30...0x39).contains($0) }
      throw isNumber
        ? ConfigurationError("\(key): there is no port \(number); ports are 1 to 65535") : wrong
    }
    var host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
    guard !host.isEmpty else {
      throw ConfigurationError("\(key): \(text) names no address; 0.0.0.0 means every interface")
    }
    return (String(host), port)
  }
}
