import ExchangeCore
import GatewayBinary
import GatewayKit
import MarketFile
import MarketModel
import Settlement
import Transport

/// The configuration of a server. Each field has a key in the configuration file and a default;
/// `Configuration.settings` lists all keys.
public struct Configuration: Sendable, Equatable {
  /// Source of the exchange's time.
  public enum Clock: String, Sendable, CaseIterable {
    /// The system clock.
    case system
    /// An operator's Tick messages, for simulations.
    case driven
  }

  /// How the I/O thread waits for sockets.
  public enum Wait: String, Sendable, CaseIterable {
    /// Sleeps in the kernel.
    case park
    /// Polls, and yields the core between two polls: lower latency while no other thread needs the
    /// core.
    case yield
    /// Polls continuously: lowest latency, uses one core fully.
    case spin
  }

  /// The thread that runs sequencer and exchange.
  public enum Threading: String, Sendable, CaseIterable {
    /// The I/O thread. With two cores this gives the lowest latency and the highest throughput.
    case inline
    /// A second thread beside the I/O thread; for machines with spare cores.
    case pipelined
  }

  /// Who brings batches to the ledger.
  public enum Settler: String, Sendable, CaseIterable {
    /// A thread of the server.
    case thread
    /// Another process, `joulebook settle`: the server needs no credentials of the ledger.
    case process
  }

  /// Whether the server fills the history of accounts.
  public enum History: String, Sendable, CaseIterable {
    /// Nobody does, or a process does: `joulebook ledger index`, `joulebook settle --history`.
    case off
    /// A thread of the server.
    case on
  }

  /// Whether something dangerous is allowed.
  public enum Permission: String, Sendable, CaseIterable {
    /// It is refused.
    case no = "false"
    /// It is allowed.
    case yes = "true"
  }

  /// Whether commands are written to disk.
  public enum Durability: String, Sendable, CaseIterable {
    /// Commands are journaled before their results are reported.
    case disk
    /// Nothing is written: no journal, no ledger; all state is lost when the process ends.
    case none
  }

  /// IPv4 or IPv6 address to listen on.
  public var host = "127.0.0.1"
  /// TCP port; 0 lets the system choose one, which is printed at the start.
  public var port: UInt16 = 9100
  /// Certificate file shown to clients, PEM; empty for plain TCP.
  public var tlsCertificate = ""
  /// Private key file of the certificate, PEM.
  public var tlsKey = ""
  /// Maximum number of TLS handshakes begun in a second; an eighth of them by one address.
  public var tlsHandshakes: UInt32 = 200
  /// Whether plain TCP is allowed on an address that other machines can reach.
  public var insecure = Permission.no
  /// IPv4 or IPv6 address and port of the monitoring server; empty disables it.
  public var health = ""
  /// Log-ons a minute from one address that prove nothing and are looked at; further ones are
  /// refused unseen.
  public var logOnFailures: UInt32 = 10
  /// Whether meter readings are accepted that were signed without naming a market.
  public var unboundReadings = false
  /// Maximum number of simultaneous client connections.
  public var connections: UInt32 = 1024
  /// Folder of the journal, the ledger and the operator's key.
  public var dataFolder = "joulebook-data"
  /// Location of the ledger, relative to the data folder. Fixed by the first start of a data
  /// folder.
  public var ledger = LedgerLocation.standard
  /// Who brings batches to the ledger.
  public var settler = Settler.thread
  /// Whether the server fills the history of accounts.
  public var history = History.off
  /// Source of the exchange's time.
  public var clock = Clock.system
  /// How the I/O thread waits for sockets.
  public var wait = Wait.park
  /// The thread that runs sequencer and exchange.
  public var assembly = Threading.inline
  /// Least severe level that is logged.
  public var logLevel = LogLevel.info
  /// Number of commands after which a checkpoint is journaled.
  public var checkpointInterval: UInt64 = 100_000
  /// Whether commands are written to disk.
  public var journalKept = Durability.disk
  /// Largest turn, in commands, that the I/O thread syncs itself; 0 leaves all syncs to the journal
  /// thread.
  public var journalDirect: UInt32 = 128
  /// Number of commands after which a snapshot is made; 0 disables this trigger.
  public var snapshotCommands: UInt64 = 10_000_000
  /// Minutes after which a snapshot is made if there are new commands; 0 disables this trigger.
  public var snapshotMinutes: UInt32 = 60
  /// Number of snapshots that are kept.
  public var snapshotKeep: UInt32 = 2
  /// Number of latest commands whose segments are kept when snapshots cover the earlier ones; 0
  /// keeps all segments.
  public var journalRetain: UInt64 = 0
  /// Size of a journal segment, in bytes.
  public var segmentBytes: UInt32 = 64 << 20
  /// Capacity of the intake's ring, in commands; the ring has the next power of two.
  public var ingressCommands: UInt32 = 1 << 14
  /// Maximum number of connections of one address, loopback excepted; 0: a sixteenth of
  /// `connections`, at least 64.
  public var connectionsPerAddress: UInt32 = 0
  /// Connections beyond `connections` that only sessions with the role administration may hold.
  public var connectionsKept: UInt32 = 8
  /// Maximum number of established sessions of one participant, those with the role administration
  /// excepted; 0: three quarters of `connections`.
  public var sessionsPerParticipant: UInt32 = 0
  /// Number of bytes that a client may leave unread for a time; see `sendPatience`.
  public var sendBytes: UInt32 = 4 << 20
  /// How long a client may leave more than `sendBytes` unread without reading, ms.
  public var sendPatience: UInt32 = 2_000
  /// Maximum size of all clients' send queues, in bytes.
  public var sendBytesInAll: UInt64 = 1 << 30
  /// Messages per second of a session, cancels excepted, above which they are rejected.
  public var messageLimit = ThrottleLimits.ofMessages.limit
  /// Messages per second, cancels excepted, at which the session is terminated.
  public var messageCutoff = ThrottleLimits.ofMessages.cutoff
  /// Cancels per second of a session above which they are rejected.
  public var cancelLimit = ThrottleLimits.ofCancels.limit
  /// Cancels per second at which the session is terminated.
  public var cancelCutoff = ThrottleLimits.ofCancels.cutoff
  /// Units of work per second that a participant may ask for; see `WorkBudget`.
  public var workLimit: UInt32 = 100_000
  /// Number of events in the outbox from which on no further command is applied.
  public var outboxEvents: UInt32 = 1 << 17
  /// Files with the operators' public keys, one key of 64 hexadecimal digits per line. If empty,
  /// the first start generates a key pair.
  public var operatorKeys: [String] = []
  /// The key that replaces that of the operator's session 1 at this start; `nil`: it stays. No key
  /// of the configuration file: for one start, by who owns the data folder.
  public var recoveredOperator: PublicKey?
  /// What the market must have when the server listens; `nil`: whatever it has. No key of the
  /// configuration file: `serve --market` reads it.
  public var marketFile: MarketDescription?
  /// The market's id. `nil`: a random one is made by the first start, which fixes it.
  public var market: MarketId?
  /// Capacity of the exchange. Fixed by the first start of a data folder.
  public var capacity = Capacity.standard
  /// Rules by which a settlement batch closes. Fixed by the first start of a data folder.
  public var settlement = BatchRules()

  /// Creates the default configuration.
  public init() {}
}

extension Configuration {
  /// The ledger's location as seen from this process.
  public var ledgerLocation: LedgerLocation { ledger.resolved(in: DataFolder(dataFolder)) }

  /// Capacity of the intake's ring: `ingressCommands` rounded up to a power of two, which rings need.
  var ingressCapacity: Int { Int(ingressCommands).roundedUpToPowerOfTwo }

  /// How the event loop waits.
  var waiting: Transport.Waiting {
    switch wait {
    case .park: .blocking
    case .yield: .yielding
    case .spin: .spinning
    }
  }

  /// The part of the configuration that concerns the transport.
  var transport: Transport.Configuration {
    var transport = Transport.Configuration()
    transport.maximumConnections = Int(connections + connectionsKept)
    transport.connectionsPerAddress = Int(
      connectionsPerAddress == 0 ? max(64, connections / 16) : connectionsPerAddress)
    transport.sendBound = Int(sendBytes)
    transport.patienceMilliseconds = UInt64(sendPatience)
    transport.totalSendBound = Int(clamping: sendBytesInAll)
    transport.handshakesPerSecond = Int(tlsHandshakes)
    return transport
  }

  /// The bounds of established sessions.
  var places: SessionPlaces {
    SessionPlaces(
      most: Int(connections),
      ofOneParticipant: Int(
        sessionsPerParticipant == 0 ? max(1, connections * 3 / 4) : sessionsPerParticipant))
  }

  /// The schedule of snapshots of the journal in `directory`.
  func snapshots(
    _ directory: String, found: SequenceNumber, retention: JournalRetention,
    log: any CommitProgress
  ) -> SnapshotService.Setting {
    SnapshotService.Setting(
      journal: directory, market: MarketState.Setting(self), log: log,
      commands: snapshotCommands, nanoseconds: UInt64(snapshotMinutes) * 60_000_000_000,
      keep: Int(snapshotKeep), journalCommands: journalRetain == 0 ? nil : journalRetain,
      retention: retention, found: found)
  }

  /// The work that a participant may ask for.
  var work: WorkBudget.Limits {
    WorkBudget.Limits(perSecond: Int64(workLimit), perTurn: max(1, Int64(workLimit) / 200))
  }

  /// The part of the configuration that concerns the binary gateway.
  var gateway: BinaryGateway.Configuration {
    var gateway = BinaryGateway.Configuration()
    gateway.session.messages = ThrottleLimits(limit: messageLimit, cutoff: messageCutoff)
    gateway.session.cancels = ThrottleLimits(limit: cancelLimit, cutoff: cancelCutoff)
    gateway.session.work = work
    if let market { gateway.market = market }
    gateway.acceptsUnboundReadings = unboundReadings
    return gateway
  }
}

/// Something in a configuration that cannot be used: what, where, and what is allowed.
public struct ConfigurationError: Error, Equatable, CustomStringConvertible {
  /// A sentence for the operator.
  public let description: String

  /// Creates an error with the given description.
  public init(_ description: String) { self.description = description }
}
