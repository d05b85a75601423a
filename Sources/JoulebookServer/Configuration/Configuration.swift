import ExchangeCore
import GatewayBinary
import GatewayKit
import MarketModel
import Settlement
import Transport

/// Everything that can be chosen about a server. Each field has a key of the configuration file and a
/// default; `Configuration.settings` is the one list of them.
public struct Configuration: Sendable, Equatable {
  /// Where the exchange's time comes from.
  public enum Clock: String, Sendable, CaseIterable {
    /// The machine's clock.
    case system
    /// An operator's Tick messages: for simulations.
    case driven
  }

  /// How the I/O thread waits for sockets.
  public enum Wait: String, Sendable, CaseIterable {
    /// Sleeps in the kernel.
    case park
    /// Polls, and gives the core away between two looks: answers sooner when nobody else wants the core.
    case yield
    /// Polls: answers soonest, keeps one core busy.
    case spin
  }

  /// Which thread has the market.
  public enum Threading: String, Sendable, CaseIterable {
    /// The one that has the sockets: on two cores that answers sooner and carries more.
    case inline
    /// One of its own, beside the one that has the sockets: where cores are to spare.
    case pipelined
  }

  /// What becomes of commands.
  public enum Durability: String, Sendable, CaseIterable {
    /// They are journaled before their consequences are reported.
    case disk
    /// Nothing is written: no journal, no ledger, and the market is gone with the process.
    case none
  }

  /// IPv4 or IPv6 address to listen on.
  public var host = "127.0.0.1"
  /// TCP port; 0: a free one, printed at the start.
  public var port: UInt16 = 9100
  /// File with the certificate that clients are shown, PEM; empty: plain TCP.
  public var tlsCertificate = ""
  /// File with the certificate's private key, PEM.
  public var tlsKey = ""
  /// IPv4 or IPv6 address and port of the page for operators' tools; empty: there is none.
  public var health = ""
  /// Connections at a time.
  public var connections: UInt32 = 1024
  /// Folder of the journal, the ledger and the operator's key.
  public var dataFolder = "joulebook-data"
  /// Which ledger is settled into, relative to the data folder. Fixed by the first start of a data folder.
  public var ledger = LedgerLocation.standard
  /// Where the exchange's time comes from.
  public var clock = Clock.system
  /// How the I/O thread waits.
  public var wait = Wait.park
  /// Which thread has the market.
  public var assembly = Threading.inline
  /// Least severe messages that are logged.
  public var logLevel = LogLevel.info
  /// A checkpoint is journaled after so many commands.
  public var checkpointInterval: UInt64 = 100_000
  /// What becomes of commands.
  public var journalKept = Durability.disk
  /// Commands of a turn up to which the I/O thread syncs them itself; 0: always the journal's thread.
  public var journalDirect: UInt32 = 128
  /// A snapshot is made after so many commands; 0: never.
  public var snapshotCommands: UInt64 = 10_000_000
  /// Or after so many minutes, when there is anything new; 0: never.
  public var snapshotMinutes: UInt32 = 60
  /// Snapshots that stay.
  public var snapshotKeep: UInt32 = 2
  /// Commands whose segments stay, when snapshots hold what came before; 0: every segment stays.
  public var journalRetain: UInt64 = 0
  /// Bytes of a journal segment.
  public var segmentBytes: UInt32 = 64 << 20
  /// Commands that may wait for the sequencer; a power of two.
  public var ingressCommands: UInt32 = 1 << 14
  /// Bytes that may wait to be sent to one client; past them it is cut.
  public var sendBytes: UInt32 = 4 << 20
  /// Messages a second of a session, cancels excepted: above the first rejected, above the second cut.
  public var messageLimit: UInt32 = 250_000
  /// Messages a second at which a session is cut.
  public var messageCutoff: UInt32 = 1_000_000
  /// Cancels a second of a session that are taken.
  public var cancelLimit: UInt32 = 1_000_000
  /// Cancels a second at which a session is cut.
  public var cancelCutoff: UInt32 = 4_000_000
  /// Events that may wait for the disk before the reader stops reading.
  public var outboxEvents: UInt32 = 1 << 17
  /// Files with public keys of operators, one key of 64 hexadecimal digits a line. None: a key pair is
  /// made at the first start.
  public var operatorKeys: [String] = []
  /// What the exchange can hold. Fixed by the first start of a data folder.
  public var capacity = Capacity.standard
  /// When a settlement batch closes. Fixed by the first start of a data folder.
  public var settlement = BatchRules()

  /// The defaults.
  public init() {}
}

extension Configuration {
  /// Which ledger is settled into, as this process opens it.
  public var ledgerLocation: LedgerLocation { ledger.resolved(in: DataFolder(dataFolder)) }

  /// How the loop waits.
  var waiting: Transport.Waiting {
    switch wait {
    case .park: .blocking
    case .yield: .yielding
    case .spin: .spinning
    }
  }

  /// When snapshots of the journal in `directory` are made.
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

  /// What of it the gateway keeps to.
  var gateway: BinaryGateway.Configuration {
    var gateway = BinaryGateway.Configuration()
    gateway.session.messages = ThrottleLimits(limit: messageLimit, cutoff: messageCutoff)
    gateway.session.cancels = ThrottleLimits(limit: cancelLimit, cutoff: cancelCutoff)
    return gateway
  }
}

/// Something in a configuration that cannot be used: what, where, and what would be right.
public struct ConfigurationError: Error, Equatable, CustomStringConvertible {
  /// A sentence for the operator.
  public let description: String

  /// An error that says `description`.
  public init(_ description: String) { self.description = description }
}
