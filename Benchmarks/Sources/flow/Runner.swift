// Runs a flow through the whole exchange: every rule, fee, balance and event of a command included.

import CMalloc
import ExchangeCore
import Foundation
import MarketModel

/// Takes the events and folds what the flow's expected values are made of.
struct FlowSink: EventSink, ~Copyable {
  var result = FlowResult()
  var rejects = 0
  /// Engine id of the order with a flow's id, for cancels.
  let orders: UnsafeMutablePointer<OrderId>

  @inline(__always) mutating func emit(_ event: Event) {
    switch event {
    case .accepted(let state):
      orders[Int(state.clientOrderId.rawValue)] = state.order
    case .trade(let trade):
      let takerBuys = trade.aggressor == .buy
      result.trade(
        maker: (takerBuys ? trade.seller : trade.buyer).clientOrderId.rawValue,
        taker: (takerBuys ? trade.buyer : trade.seller).clientOrderId.rawValue,
        price: trade.price.ticks, quantity: trade.quantity.wattHours)
    case .rejected: rejects += 1
    default: break
    }
  }
}

/// One flow, one fresh exchange.
struct FlowRunner: ~Copyable {
  private let flow: FlowFile
  private var exchange: Exchange
  private var sink: FlowSink
  private let owners: UnsafeMutablePointer<UInt32>
  private var sequence: UInt64 = 0

  init(_ flow: FlowFile) {
    self.flow = flow
    let ids = Int(flow.highestOrderId) + 1
    exchange = Exchange(
      capacity: Capacity(
        participants: 16, sessions: 16, accounts: flow.accounts, areas: 16,
        instruments: flow.symbols, meters: flow.accounts, positions: flow.accounts,
        orders: 1 << 22, priceLevels: 1 << 21))
    let orders = UnsafeMutablePointer<OrderId>.allocate(capacity: ids)
    orders.initialize(repeating: .null, count: ids)
    sink = FlowSink(orders: orders)
    owners = .allocate(capacity: ids)
    owners.initialize(repeating: 0, count: ids)
    for record in flow.records where record.operation == 0 {
      owners[Int(record.orderId)] = record.account
    }
    open()
  }

  deinit {
    sink.orders.deallocate()
    owners.deallocate()
  }

  private mutating func send(_ body: Command.Body) {
    sequence += 1
    exchange.apply(
      Command(
        session: .exchange, body: body, sequence: SequenceNumber(sequence),
        time: Timestamp(nanoseconds: sequence)), into: &sink)
  }

  /// Area, instruments, and accounts with ample cash, energy and headroom.
  private mutating func open() {
    send(.createParticipant(CreateParticipant(participant: ParticipantId(1), name: .empty)))
    send(
      .createArea(
        CreateArea(
          area: AreaId(1), currency: .eur, code: .empty, storageCost: Money(units: 300),
          storagePrice: Money(units: 200), feedInPrice: .zero, retailPrice: .zero)))
    for symbol in 1...flow.symbols {
      send(
        .createInstrument(
          CreateInstrument(
            instrument: InstrumentId(symbol), area: AreaId(1), symbol: .empty,
            tick: Price(ticks: 1), lot: Energy(wattHours: 1),
            lowestPrice: Price(ticks: Int64(flow.lowest)),
            highestPrice: Price(ticks: Int64(flow.highest)),
            makerFee: Rate(partsPerMillion: 100), takerFee: Rate(partsPerMillion: 200))))
    }
    for number in 1...flow.accounts {
      let account = AccountId(number)
      send(.createAccount(CreateAccount(account: account, participant: ParticipantId(1))))
      send(.setCap(SetCap(account: account, area: AreaId(1), cap: Energy(wattHours: 1 << 50))))
      send(
        .deposit(
          CashMovement(
            account: account, currency: .eur, amount: Money(units: 1 << 50), reference: 1)))
      send(
        .registerMeter(
          RegisterMeter(
            meter: MeterId(number), account: account, area: AreaId(1),
            publicKey: PublicKey(0, 0, 0, 0))))
      send(
        .meterReading(
          MeterReading(
            meter: MeterId(number), registerSequence: 1,
            intervalStart: Timestamp(nanoseconds: 0), intervalEnd: Timestamp(nanoseconds: 1),
            produced: Energy(wattHours: 1 << 40), consumed: .zero)))
    }
    precondition(sink.rejects == 0, "the world did not open")
  }

  @inline(__always) private mutating func run(_ record: FlowRecord) {
    if record.operation == 0 {
      send(
        .enter(
          NewOrder(
            account: AccountId(record.account), instrument: InstrumentId(record.symbol + 1),
            side: record.side == 0 ? .buy : .sell, clientOrderId: ClientOrderId(record.orderId),
            price: Price(ticks: Int64(record.price)),
            quantity: Energy(wattHours: Int64(record.quantity)))))
    } else {
      let id = Int(record.orderId)
      send(.cancel(CancelOrder(account: AccountId(owners[id]), order: sink.orders[id])))
    }
  }

  /// What one pass came to.
  struct Outcome {
    var result: FlowResult
    var rejects: Int
    var nanosecondsPerOperation: Double
    var latencies: [UInt32]
    var allocatedBytes: Int
    var violations: [String]
  }

  /// Runs prefill and operations; the operations are timed, as a whole or one by one.
  mutating func run(each: Bool, checked: Bool) -> Outcome {
    var latencies: [UInt32] = []
    if each { latencies = Array(repeating: 0, count: flow.operations) }
    var elapsed: UInt64 = 0
    var allocated = 0
    flow.records.withUnsafeBufferPointer { records in
      for index in 0..<flow.prefill { run(records[index]) }
      let before = allocatedBytes()
      let start = now()
      if each {
        var last = start
        for index in flow.prefill..<records.count {
          run(records[index])
          let time = now()
          latencies[index - flow.prefill] = UInt32(clamping: time - last)
          last = time
        }
      } else {
        for index in flow.prefill..<records.count { run(records[index]) }
      }
      elapsed = now() - start
      allocated = allocatedBytes() - before
    }
    sink.result.resting = UInt64(exchange.counts.openOrders)
    return Outcome(
      result: sink.result, rejects: sink.rejects,
      nanosecondsPerOperation: Double(elapsed) / Double(max(flow.operations, 1)),
      latencies: latencies, allocatedBytes: allocated,
      violations: checked ? exchange.invariantViolations() : [])
  }
}

/// Monotonic time in nanoseconds.
@inline(__always) func now() -> UInt64 { monotonicNanoseconds() }

private func monotonicNanoseconds() -> UInt64 {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// Bytes that the C allocator has handed out and not got back.
func allocatedBytes() -> Int {
  let info = mallinfo2()
  return Int(info.uordblks) + Int(info.hblkhd)
}
