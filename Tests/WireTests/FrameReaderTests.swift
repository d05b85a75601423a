import MarketModel
import Testing
import Wire

/// A reader's result, without pointers.
private enum Verdict: Equatable {
  case frame(Template, length: Int)
  case incomplete(Int)
  case malformed(RejectCode, Int64)

  init(_ bytes: [UInt8], from sender: FrameReader.Sender = .client) {
    self = bytes.withUnsafeBytes {
      switch FrameReader(from: sender).next(in: $0) {
      case .frame(let frame, let template): .frame(template, length: frame.length)
      case .incomplete(let needed): .incomplete(needed)
      case .malformed(let code, let limit): .malformed(code, limit)
      }
    }
  }
}

@Suite struct FrameReaderTests {
  private let order = SwiftFrames.newOrder()

  private func order(_ offset: Int, _ value: UInt16) -> [UInt8] {
    var bytes = order
    bytes[offset] = UInt8(truncatingIfNeeded: value)
    bytes[offset + 1] = UInt8(truncatingIfNeeded: value >> 8)
    return bytes
  }

  @Test("A new order is one cache line, and each message has its promised size.")
  func sizes() {
    #expect(NewOrderEncoder.frameLength == 64)
    #expect(CancelEncoder.frameLength == 48)
    #expect(AcceptedEncoder.frameLength == 80)
    #expect(TradeEncoder.frameLength == 96)
    #expect(RejectedEncoder.frameLength <= 80)
    #expect(OrderAddEncoder.frameLength == 64)
    #expect(OrderModifyEncoder.frameLength == 64)
    for template in Template.allCases {
      let group = template.entryLength == 0 ? 0 : 4
      #expect((Frame.headerLength + template.leastBlockLength + group) % 8 == 0, "\(template)")
      #expect(template.entryLength % 8 == 0, "\(template)")
      if template.isFromClient {
        #expect(Frame.headerLength + template.leastBlockLength <= Frame.maximumClientLength)
      }
    }
  }

  @Test("A frame is found once all of it is there.")
  func arrivesInPieces() {
    for count in 0..<4 { #expect(Verdict(Array(order.prefix(count))) == .incomplete(4)) }
    for count in 4..<64 { #expect(Verdict(Array(order.prefix(count))) == .incomplete(64)) }
    #expect(Verdict(order) == .frame(.newOrder, length: 64))
    #expect(Verdict(order + [1, 2, 3]) == .frame(.newOrder, length: 64))
  }

  @Test("Frames that follow each other are found one by one.")
  func twoFrames() {
    let stream = order + SwiftFrames.cancel()
    stream.withUnsafeBytes { buffer in
      guard case .frame(let first, .newOrder) = FrameReader(from: .client).next(in: buffer) else {
        Issue.record("no first frame")
        return
      }
      let rest = UnsafeRawBufferPointer(rebasing: buffer[first.length...])
      guard case .frame(let second, .cancel) = FrameReader(from: .client).next(in: rest) else {
        Issue.record("no second frame")
        return
      }
      #expect(first.length + second.length == stream.count)
      #expect(CancelDecoder(second)?.seqNo == second.sequenceNumber)
    }
  }

  @Test(
    "A wrong frame length is reported before any other defect.",
    arguments: [0, 8, 16, 23, 63, 65, 520, 65528])
  func badLength(_ length: UInt16) {
    #expect(Verdict(order(0, length)) == .malformed(.badFrameLength, 512))
  }

  @Test("The server may send longer frames than a client.")
  func longerFramesFromTheServer() {
    let length = LevelSnapshotEncoder.frameLength(levelCount: 120)
    let bytes = [UInt8](frameLength: length) { frame in
      let encoder = LevelSnapshotEncoder(
        into: frame, seqNo: 0, transactTime: .never, instrument: InstrumentId(1), area: AreaId(1),
        state: .open, levelCount: 120)
      for index in 0..<120 {
        encoder.setLevel(
          at: index, price: Price(ticks: Int64(index)), total: Energy(wattHours: 2), live: .zero,
          orderCount: 1, side: .buy)
      }
    }
    #expect(length <= Frame.maximumServerLength)
    #expect(Verdict(bytes, from: .server) == .frame(.levelSnapshot, length: length))
    #expect(Verdict(bytes, from: .client) == .malformed(.badFrameLength, 512))
  }

  @Test("Another encoding, schema, template or direction has a code of its own.")
  func wrongHeaders() {
    #expect(Verdict(order(2, 0x5BE0)) == .malformed(.badEncodingType, 0xEB50))
    #expect(Verdict(order(8, 1)) == .malformed(.badSchema, Int64(WireSchema.id)))
    #expect(Verdict(order(6, 15)) == .malformed(.unknownTemplate, 15))
    #expect(Verdict(order(6, 999)) == .malformed(.unknownTemplate, 999))
    #expect(Verdict(order, from: .server) == .malformed(.unknownTemplate, 20))
    #expect(Verdict(SwiftFrames.trade()) == .malformed(.unknownTemplate, 43))
    #expect(Verdict(SwiftFrames.sequence()) == .frame(.sequence, length: 24))
    #expect(Verdict(SwiftFrames.sequence(), from: .server) == .frame(.sequence, length: 24))
  }

  @Test("A block that is too short, or longer than its frame, is refused.")
  func wrongBlocks() {
    #expect(Verdict(order(4, 51)) == .malformed(.badBlockLength, 52))
    #expect(Verdict(order(4, 53)) == .malformed(.badBlockLength, 52))
    #expect(Verdict(order(4, 0)) == .malformed(.badBlockLength, 52))
  }

  @Test(
    "A block that ends inside a field that a newer version appended is refused; the ends of fields are not."
  )
  func cutFields() {
    let whole = SwiftFrames.newOrderExtended()
    for length in UInt8(60)...84 {
      var bytes = whole
      bytes[4] = length
      let verdict = Verdict(bytes)
      switch length {
      case ..<68: #expect(verdict == .malformed(.badBlockLength, 68))
      case 68, 76, 80, 84: #expect(verdict == .frame(.newOrderExtended, length: whole.count))
      default: #expect(verdict == .malformed(.badBlockLength, 84), "\(length)")
      }
    }
  }

  @Test("Every length at which an older version ended is accepted, and no other shorter one.")
  func olderLengths() {
    for template in Template.allCases {
      #expect(template.hasWholeFields(template.leastBlockLength), "\(template)")
      #expect(template.hasWholeFields(template.blockLength + 8), "\(template)")
      #expect(!template.hasWholeFields(template.leastBlockLength - 1), "\(template)")
      #expect(!template.hasWholeFields(template.blockLength - 1))
    }
  }

  @Test("A newer client's longer block is read, and its version is not judged.")
  func newerClient() throws {
    var bytes = order(0, 72) + [1, 2, 3, 4, 5, 6, 7, 8]
    (bytes[4], bytes[10]) = (60, 9)
    try bytes.withFrame(.newOrder) { frame in
      let newer = try #require(NewOrderDecoder(frame))
      #expect(frame.version == 9)
      try order.withFrame(.newOrder) {
        #expect(newer.price == NewOrderDecoder($0)?.price)
      }
    }
  }

  @Test("An older client's shorter block is read; what it does not have yet is null or 0.")
  func olderClient() throws {
    let whole = SwiftFrames.newOrderExtended()
    try whole.withFrame(.newOrderExtended) { frame in
      #expect(NewOrderExtendedDecoder(frame)?.displayQuantity != .zero)
      #expect(NewOrderExtendedDecoder(frame)?.onBehalfOf != .exchange)
    }
    var old = Array(whole.prefix(80))
    (old[0], old[4], old[10]) = (80, 68, 1)
    try old.withFrame(.newOrderExtended) { frame in
      let order = try #require(NewOrderExtendedDecoder(frame))
      #expect(order.displayQuantity == .zero && order.onBehalfOf == .exchange)
      #expect(
        order.quantity.wattHours == frame.start.loadUnaligned(fromByteOffset: 44, as: Int64.self))
    }
    // Padded to an equal frame length.
    for block in [UInt8(68), 76, 80] {
      var padded = whole
      padded[4] = block
      try padded.withFrame(.newOrderExtended) { frame in
        #expect((NewOrderExtendedDecoder(frame)?.displayQuantity == .zero) == (block < 76))
        #expect((NewOrderExtendedDecoder(frame)?.onBehalfOf == .exchange) == (block < 80))
      }
    }
    old[4] = 60
    #expect(Verdict(old) == .malformed(.badBlockLength, 68))
  }

  @Test("An enum that an older client's block does not have yet has its first value.")
  func olderEnum() throws {
    var frame = [UInt8](frameLength: RegisterSessionEncoder.frameLength) {
      RegisterSessionEncoder(
        into: $0, seqNo: 1, sendingTime: Timestamp(nanoseconds: 2), sessionId: SessionId(3),
        participant: ParticipantId(4), publicKey: PublicKey(5, 6, 7, 8), roles: .trading,
        orders: .cancel, selfTrade: .account)
    }
    try frame.withFrame(.registerSession) {
      #expect(RegisterSessionDecoder($0)?.orders == .cancel)
    }
    (frame[4], frame[10]) = (60, 7)
    try frame.withFrame(.registerSession) {
      #expect(RegisterSessionDecoder($0)?.orders == .standard)
      #expect(RegisterSessionDecoder($0)?.ordersRaw == 0)
    }
  }

  @Test("A newer server's longer block and longer entries are read.")
  func newerGroup() throws {
    // Block 24 + 8, entries 32 + 8: the known fields keep their offsets.
    let golden = SwiftFrames.levelSnapshot()
    var bytes = Array(golden[0..<36]) + Array(repeating: 7, count: 8) + [40, 0, 3, 0]
    for entry in 0..<3 {
      bytes += golden[(40 + 32 * entry)..<(72 + 32 * entry)] + Array(repeating: 9, count: 8)
    }
    (bytes[0], bytes[4]) = (UInt8(bytes.count), 32)
    try bytes.withFrame(.levelSnapshot) { frame in
      let newer = try #require(LevelSnapshotDecoder(frame))
      try golden.withFrame(.levelSnapshot) {
        let known = try #require(LevelSnapshotDecoder($0))
        #expect(newer.levels.map(\.price) == known.levels.map(\.price))
        #expect(newer.levels.map(\.orderCount) == known.levels.map(\.orderCount))
      }
    }
  }

  @Test("A group that claims more entries than the frame holds is refused.")
  func groupBeyondFrame() {
    var bytes = SwiftFrames.levelSnapshot()
    #expect(Verdict(bytes, from: .server) == .frame(.levelSnapshot, length: bytes.count))
    bytes[38] = 4
    #expect(Verdict(bytes, from: .server) == .malformed(.badBlockLength, 24))
    (bytes[38], bytes[36]) = (3, 31)
    #expect(Verdict(bytes, from: .server) == .malformed(.badBlockLength, 24))
  }

  @Test("A value outside an enum's list reads as nil, its byte stays visible.")
  func unknownEnumValue() throws {
    var bytes = order
    bytes[60] = 200
    try bytes.withFrame(.newOrder) { frame in
      let decoder = try #require(NewOrderDecoder(frame))
      #expect(decoder.side == nil)
      #expect(decoder.sideRaw == 200)
    }
  }

  @Test("A decoder refuses another template.")
  func otherTemplate() throws {
    try order.withFrame(.newOrder) { #expect(CancelDecoder($0).map(\.seqNo) == nil) }
  }
}
