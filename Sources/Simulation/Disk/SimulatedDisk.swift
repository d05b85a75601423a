// An in-memory disk for journal and ledger. `syncDirectory` makes changes of names durable, in
// their order; `sync` makes contents durable. The run's random numbers determine the faults. Damage
// to the medium is recorded, so that the run knows whether a refused start has a reason.

import Glibc
import Journaling
import MarketModel

/// A disk with injected faults. Owned by the thread of the run.
final class SimulatedDisk: Disk, @unchecked Sendable {
  private enum NameChange {
    case link(String, SimulatedFile)
    case unlink(String)
    case rename(String, to: String, SimulatedFile)
  }

  /// Frequencies of the faults.
  var faults = DiskFaults.none
  /// Called with a line for each write, sync and fault.
  var story: ((String) -> Void)?
  /// Called during a slow call, to run the other simulated threads.
  var whileWaiting: () -> Void = {}
  /// The machine or the process is down: every call fails until `start`.
  private(set) var isDown = false
  private(set) var counts = Counts()
  private(set) var damages: [Damage] = []
  private var lastDamage = 0
  /// File, intended range and first command of each journal block, in the order of the writes.
  private var blocks: [(name: String, range: Range<Int>, first: UInt64)] = []
  /// File and offset at which the rest of a partly written block is expected.
  private var restOfBlock: (name: String, offset: Int)?
  var random: SeededRandom

  /// Changed bytes of snapshots on the medium, with their original values.
  private var snapshotDamages: [(file: SimulatedFile, offset: Int, original: UInt8)] = []
  /// Removed segments, which an audit can still read.
  private var archive: [String: SimulatedFile] = [:]
  private var names: [String: SimulatedFile] = [:]
  private var durableNames: [String: SimulatedFile] = [:]
  private var nameChanges: [NameChange] = []
  private var open: [Int32: (file: SimulatedFile, name: String)] = [:]
  private var locks: [Int32: String] = [:]
  private var nextDescriptor: Int32 = 3
  /// Whether calls run without faults and without other threads, for an audit.
  private var isQuiet = false

  init(seed: UInt64) { random = SeededRandom(seed: seed) }

  // MARK: Failures

  /// Loses power: a random part of what was not synced is lost.
  func losePower() {
    isDown = true
    counts.powerLosses += 1
    story?("power loss; \(nameChanges.count) names not synced")
    nameChanges.removeLast(nameChanges.count - random.pick(0..<nameChanges.count + 1))
    applyNameChanges()
    names = durableNames
    for name in names.keys.sorted() { names[name]?.losePower(&random) }
  }

  /// Ends the process: everything that it wrote remains, synced or not.
  func endProcess() {
    isDown = true
    story?("the process ends")
  }

  /// Makes the disk available to a new process.
  func start() {
    open.removeAll()
    locks.removeAll()
    restOfBlock = nil
    isDown = false
  }

  /// Runs `body` without faults and with removed segments visible.
  func quietly<Value, Failure: Error>(
    _ body: () throws(Failure) -> Value
  ) throws(Failure) -> Value {
    let before = isQuiet
    isQuiet = true
    defer { isQuiet = before }
    return try body()
  }

  /// Flips a bit of one of the two newest snapshots on the medium.
  func flipBitOfSnapshot() {
    let paths = names.keys.filter { $0.hasSuffix(".snapshot") }.sorted()
    guard let name = paths.suffix(2).randomElement(using: &random), let file = names[name],
      file.size > 0
    else { return }
    let offset = random.pick(0..<file.size)
    let original = file.contents[offset]
    counts.flips += 1
    story?("a bit flips: \(name) \(offset)")
    snapshotDamages.append((file, offset, original))
    file.damage(offset, [original ^ UInt8(1 << random.pick(0..<8))])
  }

  /// Repairs all snapshots, as an operator does from a copy.
  /// - Returns: Whether any was damaged.
  func restoreSnapshots() -> Bool {
    let damaged = snapshotDamages
    snapshotDamages.removeAll()
    for damage in damaged.reversed() { damage.file.damage(damage.offset, [damage.original]) }
    return !damaged.isEmpty
  }

  /// Flips a bit of the journal on the medium; in half of the calls it is in the last block.
  func flipBit() {
    let segments = journalSegments()
    guard let name = segments.randomElement(using: &random), let file = names[name], file.size > 0
    else { return }
    var (target, offset) = (name, random.pick(0..<file.size))
    if let last = blocks.last, random.happens(5_000), names[last.name] != nil {
      (target, offset) = (last.name, random.pick(last.range))
    }
    guard let file = names[target], offset < file.size else { return }
    counts.flips += 1
    story?("a bit flips: \(target) \(offset)")
    // The whole sector is recorded, because one wrong bit could not be recognised later.
    let sector = offset / SimulatedFile.sector * SimulatedFile.sector
    var bytes = Array(file.contents[sector..<min(sector + SimulatedFile.sector, file.size)])
    bytes[offset - sector] ^= UInt8(1 << random.pick(0..<8))
    damage(target, sector, bytes)
  }

  /// Repairs the journal, as an operator does from a copy.
  func restore() {
    var missing: [Damage] = []
    func noteMissing() {
      missing += damages.filter { damage in
        damage.isMissing && isThere(damage) && !missing.contains { $0.id == damage.id }
      }
    }
    // First repair wrong bytes, then missing blocks. Damages can overlap: the newest is repaired
    // first, and a missing block may be recognisable only between two repairs.
    // Each once: two flips of one bit in a block that is cut off would be put right in turn for ever.
    noteMissing()
    var repaired: Set<Int> = []
    while let damage = damages.last(where: {
      !$0.isMissing && !repaired.contains($0.id) && isThere($0)
    }) {
      repaired.insert(damage.id)
      putRight(damage)
      noteMissing()
    }
    for damage in missing { putRight(damage) }
  }

  private func putRight(_ damage: Damage) {
    segment(damage.name)?.damage(damage.offset, damage.original)
    // Damage that was overwritten stays recorded, because it may explain a loss; so does that of a
    // block of which a start has cut off a part, taking it for torn: its loss is decided.
    if !isCutOff(damage) { damages.removeAll { $0.id == damage.id } }
  }

  /// Whether a start has written zeros over the beginning of a damaged block.
  private func isCutOff(_ damage: Damage) -> Bool {
    blocks.contains { block in
      guard damage.overlaps(block.name, block.range), let file = segment(block.name) else {
        return false
      }
      let beginning = block.range.prefix(MemoryLayout<UInt64>.size)
      return [file.contents, file.durable].contains { bytes in
        bytes.count >= beginning.endIndex
          && bytes[beginning.startIndex..<beginning.endIndex].allSatisfy { $0 == 0 }
      }
    }
  }

  /// Forgets the first `count` damages after a successful start, except those still on the medium
  /// and those in segments that a start from the snapshot of command `snapshot` does not read.
  func forgetDamage(_ count: Int, after snapshot: UInt64) {
    let read = journalSegments().last { Self.first($0) <= snapshot }
    let old = damages.prefix(count).filter { damage in
      // Only the medium counts: the page cache may still contain what the medium has lost.
      (read.map { damage.name < $0 } ?? false) || isOnMedium(damage)
    }
    damages = old + damages.dropFirst(count)
  }

  /// First command of a segment, from its file name.
  private static func first(_ path: String) -> UInt64 {
    UInt64(path.split(separator: "/").last?.prefix(20) ?? "") ?? .max
  }

  /// A segment, including removed ones.
  private func segment(_ name: String) -> SimulatedFile? { names[name] ?? archive[name] }

  /// Whether every block with a first command after `last`, up to `durable`, is damaged on the
  /// medium. Only then is its loss indistinguishable from a torn write.
  func isDamaged(after last: UInt64, through durable: UInt64) -> Bool {
    let lost = blocks.filter { $0.first > last && $0.first <= durable }
    return !lost.isEmpty
      && lost.allSatisfy { block in damages.contains { $0.overlaps(block.name, block.range) } }
  }

  /// Forgets the blocks that begin after command `last`; a start has cut them off.
  func forgetBlocks(after last: UInt64) { blocks.removeAll { $0.first > last } }

  /// Whether any recorded damage is still there.
  var isDamaged: Bool { damages.contains(where: isThere) }

  private func isThere(_ damage: Damage) -> Bool {
    guard let file = segment(damage.name) else { return false }
    return file.contents.dropFirst(damage.offset).starts(with: damage.wrong) || isOnMedium(damage)
  }

  private func isOnMedium(_ damage: Damage) -> Bool {
    segment(damage.name)?.durable.dropFirst(damage.offset).starts(with: damage.wrong) ?? false
  }

  /// Sum of the file sizes in bytes.
  var used: Int { names.values.reduce(0) { $0 + $1.size } }

  private func damage(_ name: String, _ offset: Int, _ bytes: [UInt8]) {
    guard let file = names[name], offset + bytes.count <= file.size else { return }
    let original = Array(file.contents[offset..<offset + bytes.count])
    guard bytes != original else { return }
    note(name, offset, original: original, wrong: bytes)
    file.damage(offset, bytes)
  }

  private func note(
    _ name: String, _ offset: Int, original: [UInt8], wrong: [UInt8], isMissing: Bool = false
  ) {
    lastDamage += 1
    damages.append(
      Damage(
        id: lastDamage, name: name, offset: offset, original: original, wrong: wrong,
        isMissing: isMissing))
  }

  private func journalSegments() -> [String] {
    names.keys.filter { $0.hasSuffix(".journal") }.sorted()
  }

  private func applyNameChanges() {
    for change in nameChanges {
      switch change {
      case .link(let name, let file): durableNames[name] = file
      case .unlink(let name): durableNames[name] = nil
      case .rename(let old, let new, let file):
        durableNames[old] = nil
        durableNames[new] = file
      }
    }
    nameChanges.removeAll()
  }

  /// Begins a call, which may be slow or lose power.
  private func enter() throws(DiskFailure) {
    if isQuiet { return }
    guard !isDown else { throw DiskFailure(EIO) }
    counts.calls += 1
    if random.happens(faults.slow) {
      counts.slow += 1
      whileWaiting()
      guard !isDown else { throw DiskFailure(EIO) }
    }
    if random.happens(faults.powerLoss) {
      losePower()
      throw DiskFailure(EIO)
    }
  }

  private func fails(_ perMyriad: Int) -> Bool { !isQuiet && random.happens(perMyriad) }

  private func file(_ descriptor: Int32) throws(DiskFailure) -> (file: SimulatedFile, name: String)
  {
    guard let found = open[descriptor] else { throw DiskFailure(EBADF) }
    return found
  }

  // MARK: Disk

  func open(_ path: String, _ access: DiskAccess) throws(DiskFailure) -> Int32 {
    try enter()
    if let file = names[path] {
      if access == .creating { file.resize(0) }
    } else if isQuiet, let file = archive[path] {
      nextDescriptor += 1
      open[nextDescriptor] = (file, path)
      return nextDescriptor
    } else {
      guard access == .creating else { throw DiskFailure(ENOENT) }
      let file = SimulatedFile()
      names[path] = file
      nameChanges.append(.link(path, file))
    }
    guard let file = names[path] else { throw DiskFailure(ENOENT) }
    nextDescriptor += 1
    open[nextDescriptor] = (file, path)
    return nextDescriptor
  }

  func close(_ descriptor: Int32) { open[descriptor] = nil }

  func size(of descriptor: Int32) throws(DiskFailure) -> Int { try file(descriptor).file.size }

  func read(
    _ descriptor: Int32, into bytes: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(DiskFailure) -> Int {
    try enter()
    if fails(faults.readError) {
      counts.readErrors += 1
      throw DiskFailure(EIO)
    }
    let (file, name) = try file(descriptor)
    let count = max(0, min(bytes.count, file.size - offset))
    guard count > 0 else { return 0 }
    file.contents.withUnsafeBytes { contents in
      UnsafeMutableRawBufferPointer(rebasing: bytes[..<count])
        .copyMemory(from: UnsafeRawBufferPointer(rebasing: contents[offset..<offset + count]))
    }
    if name.hasSuffix(".journal") || name.hasSuffix(".snapshot"), fails(faults.readFlip) {
      counts.readFlips += 1
      bytes[random.pick(0..<count)] ^= UInt8(1 << random.pick(0..<8))
    }
    return count
  }

  func write(
    _ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, at offset: Int
  ) throws(DiskFailure) -> Int {
    try enter()
    let (file, name) = try file(descriptor)
    if fails(faults.writeError) {
      counts.writeErrors += 1
      story?("write fails: \(name) \(offset) + \(bytes.count)")
      // A failed write may have written a part.
      if random.happens(5_000) {
        let part = random.pick(0..<bytes.count)
        file.write(UnsafeRawBufferPointer(rebasing: bytes[..<part]), at: offset)
      }
      throw DiskFailure(EIO)
    }
    var count = bytes.count
    // A short write includes at least the sequence number of a block, which `noteBlock` reads.
    if fails(faults.shortWrite), count > 64 {
      counts.shortWrites += 1
      count = random.pick(32..<count)
    }
    if let capacity = faults.capacity, !isQuiet {
      let free = max(0, capacity - used) + max(0, file.size - offset)
      if free < count {
        counts.full += 1
        guard free > 0 else { throw DiskFailure(ENOSPC) }
        count = free
      }
    }
    let written = UnsafeRawBufferPointer(rebasing: bytes[..<count])
    if name.hasSuffix(".journal"), isBlock(written, name, offset) {
      noteBlock(written, name, offset, of: bytes.count)
      if fails(faults.misdirected), misdirect(written, file, name, offset) { return count }
    }
    if name.hasSuffix(".snapshot"), fails(faults.misdirected) {
      // The write is lost: the file keeps its old bytes there.
      counts.misdirected += 1
      story?("write lost: \(name) \(offset) + \(count)")
      file.write(UnsafeRawBufferPointer(rebasing: written[..<0]), at: offset)
      return count
    }
    story?("write: \(name) \(offset) + \(count) of \(bytes.count)")
    file.write(written, at: offset)
    return count
  }

  /// Whether the bytes are a journal block or the rest of one.
  private func isBlock(_ bytes: UnsafeRawBufferPointer, _ name: String, _ offset: Int) -> Bool {
    if let rest = restOfBlock, rest == (name, offset) { return true }
    return bytes.starts(with: "JOULEBLK".utf8)
  }

  private func noteBlock(
    _ bytes: UnsafeRawBufferPointer, _ name: String, _ offset: Int, of whole: Int
  ) {
    let end = offset + bytes.count
    if let rest = restOfBlock, rest == (name, offset), let last = blocks.popLast() {
      blocks.append((name, last.range.lowerBound..<max(last.range.upperBound, end), last.first))
    } else {
      let first = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 24, as: UInt64.self))
      // A block that is written again, perhaps in part, replaces its entry.
      let before = blocks.firstIndex { $0.name == name && $0.range.lowerBound == offset }
      let known = before.map { blocks.remove(at: $0).range.upperBound } ?? end
      blocks.append((name, offset..<max(known, end), first))
    }
    restOfBlock = bytes.count < whole ? (name, end) : nil
  }

  /// Writes the bytes to another block's offset instead of theirs.
  /// - Returns: Whether a suitable offset exists.
  private func misdirect(
    _ bytes: UnsafeRawBufferPointer, _ file: SimulatedFile, _ name: String, _ offset: Int
  ) -> Bool {
    let place = random.pick(0..<max(1, (file.size - bytes.count) / 4096)) * 4096
    guard place != offset, place + bytes.count <= file.size else { return false }
    // A pending write there would repair the damage at the next sync.
    guard !file.isPending(place..<place + bytes.count) else { return false }
    counts.misdirected += 1
    story?("write misdirected: \(name) \(offset) + \(bytes.count) to \(place)")
    let intended = Array(bytes)
    if !file.durable.dropFirst(offset).starts(with: intended) {
      let wrong = Array(file.durable.dropFirst(offset).prefix(intended.count))
      note(name, offset, original: intended, wrong: wrong, isMissing: true)
    }
    damage(name, place, intended)
    return true
  }

  func sync(_ descriptor: Int32) throws(DiskFailure) {
    try enter()
    let (file, name) = try file(descriptor)
    if fails(faults.syncError) {
      counts.syncErrors += 1
      story?("sync fails: \(name)")
      file.failToSync(&random)
      throw DiskFailure(EIO)
    }
    story?("sync: \(name)")
    file.sync()
  }

  func rename(_ path: String, to name: String) throws(DiskFailure) {
    try enter()
    story?("rename: \(path) to \(name)")
    guard let file = names.removeValue(forKey: path) else { throw DiskFailure(ENOENT) }
    names[name] = file
    nameChanges.append(.rename(path, to: name, file))
    // Open descriptors continue to refer to the renamed file.
    for (descriptor, entry) in open where entry.file === file { open[descriptor]?.name = name }
  }

  func names(_ path: String, file: Int32, in held: Int32?) -> Bool {
    isDown || names[path].map { $0 === open[file]?.file } ?? false
  }

  func remove(_ path: String) throws(DiskFailure) {
    try enter()
    guard let file = names.removeValue(forKey: path) else { throw DiskFailure(ENOENT) }
    story?("remove: \(path)")
    if path.hasSuffix(".journal") { archive[path] = file }
    nameChanges.append(.unlink(path))
  }

  func names(in directory: String) throws(DiskFailure) -> [String] {
    try enter()
    let prefix = directory + "/"
    let all = isQuiet ? Set(names.keys).union(archive.keys) : Set(names.keys)
    return all.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
      .sorted()
  }

  func makeDirectory(_ path: String) throws(DiskFailure) { try enter() }

  func syncDirectory(_ path: String) throws(DiskFailure) {
    try enter()
    if fails(faults.syncError) {
      counts.syncErrors += 1
      throw DiskFailure(EIO)
    }
    applyNameChanges()
  }

  func lockDirectory(_ path: String) throws(DiskFailure) -> Int32 { try lock(path) }

  func lock(_ path: String) throws(DiskFailure) -> Int32 {
    try enter()
    guard !locks.values.contains(path) else { throw DiskFailure(EWOULDBLOCK) }
    nextDescriptor += 1
    locks[nextDescriptor] = path
    return nextDescriptor
  }

  func unlock(_ descriptor: Int32) { locks[descriptor] = nil }

  // MARK: Further calls for the database

  /// Whether `path` exists.
  func exists(_ path: String) -> Bool { names[path] != nil }

  /// Truncates a file or extends it with zeros.
  func resize(_ descriptor: Int32, to size: Int) throws(DiskFailure) {
    try enter()
    try file(descriptor).file.resize(size)
  }
}
