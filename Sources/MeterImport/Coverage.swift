// Which intervals of a meter a file has had. Intervals of one length that follow each other are one
// run, so that a complete month is one run, and what lies between two runs is a gap.
//
//     |=====run======|           |===run===|
//     10:00      11:00   gap     12:00  12:30
//
// A run keeps four bytes of each interval, by which an interval that stands twice is compared. Lines
// may come in any order; a run grows at both ends.

/// The intervals of one meter.
struct Coverage {
  /// What a new interval is to those before it.
  enum Verdict: Equatable {
    /// It is new.
    case new
    /// It stands twice, with the same values.
    case repeated
    /// It stands twice, with different values.
    case contradicting
    /// It overlaps the interval that begins and ends at these seconds.
    case overlapping(Int64, Int64)
    /// The meter has too many runs.
    case scattered
  }

  /// Intervals of one length that follow each other.
  private struct Run {
    var start: Int64
    var end: Int64
    /// Length of each interval, s.
    let length: Int64
    /// Marks of the values that were added at the front, the last one first; and at the end.
    var front: [UInt32]
    var back: [UInt32]

    /// Place of the interval that begins at `second`.
    func mark(at second: Int64) -> UInt32 {
      let index = Int((second - start) / length)
      return index < front.count ? front[front.count - 1 - index] : back[index - front.count]
    }

    /// Adds the intervals of a run that begins at this one's end.
    mutating func add(_ next: Run) {
      back.append(contentsOf: next.front.reversed())
      back.append(contentsOf: next.back)
      end = next.end
    }
  }

  /// Most runs of a meter. Only a file in random order has that many.
  static let mostRuns = 16_384

  /// Runs in order of time; none overlaps another one.
  private var runs: [Run] = []
  /// Number of intervals.
  private(set) var count = 0

  /// Begin of the first and end of the last interval; `nil` when there is none.
  var period: Range<Int64>? {
    guard let first = runs.first, let last = runs.last else { return nil }
    return first.start..<last.end
  }

  /// Adds an interval.
  /// - Parameter mark: A hash of the values.
  /// - Precondition: `start` is before `end`.
  /// - Returns: what it is to those before it; only a new one is added.
  /// - Complexity: O(log n) in the runs; O(n) when a run begins or ends.
  mutating func add(_ start: Int64, _ end: Int64, mark: UInt32) -> Verdict {
    let length = end - start
    // Most files are in order.
    if let last = runs.indices.last, runs[last].end == start, runs[last].length == length {
      runs[last].back.append(mark)
      runs[last].end = end
      count += 1
      return .new
    }
    let next = place(after: start)
    if next > 0, runs[next - 1].end > start { return compare(runs[next - 1], start, end, mark) }
    if next < runs.count, runs[next].start < end {
      let begin = runs[next].start
      return .overlapping(begin, begin + runs[next].length)
    }
    let joinsLast = next > 0 && runs[next - 1].end == start && runs[next - 1].length == length
    let joinsNext = next < runs.count && runs[next].start == end && runs[next].length == length
    if joinsLast {
      runs[next - 1].back.append(mark)
      runs[next - 1].end = end
      if joinsNext {
        let following = runs.remove(at: next)
        runs[next - 1].add(following)
      }
    } else if joinsNext {
      runs[next].front.append(mark)
      runs[next].start = start
    } else {
      guard runs.count < Self.mostRuns else { return .scattered }
      runs.insert(Run(start: start, end: end, length: length, front: [], back: [mark]), at: next)
    }
    count += 1
    return .new
  }

  /// The first run that begins after `second`.
  private func place(after second: Int64) -> Int {
    var (low, high) = (0, runs.count)
    while low < high {
      let middle = (low + high) / 2
      if runs[middle].start <= second { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private func compare(_ run: Run, _ start: Int64, _ end: Int64, _ mark: UInt32) -> Verdict {
    let offset = (start - run.start) % run.length
    if offset == 0, end - start == run.length {
      return run.mark(at: start) == mark ? .repeated : .contradicting
    }
    return .overlapping(start - offset, start - offset + run.length)
  }

  /// Calls `body` with each gap in `period`, in order: begin, end, and the length of the intervals
  /// beside it.
  func gaps(in period: Range<Int64>, _ body: (Range<Int64>, Int64) -> Void) {
    guard let first = runs.first else { return }
    var covered = period.lowerBound
    var length = first.length
    for run in runs {
      let end = min(run.start, period.upperBound)
      if end > covered { body(covered..<end, length) }
      covered = max(covered, run.end)
      length = run.length
    }
    if covered < period.upperBound { body(covered..<period.upperBound, length) }
  }
}
