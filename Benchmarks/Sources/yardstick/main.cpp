// `yardstick [--passes N] [--no-ahead] FILE...`: the measurement of `flow --book-only` in C++, with the same
// algorithm, memory layout, files and output. The ratio of the two is the cost of the language.

#include <fcntl.h>
#include <malloc.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "book.hpp"

namespace yardstick {

struct Flow {
  std::string name;
  std::uint64_t prefill = 0, highest_order_id = 0;
  std::uint32_t symbols = 0;
  std::int32_t lowest = 0, highest = 0;
  Result expected;
  std::vector<Record> records;
};

[[noreturn]] static void fail(const char* path, const char* what) {
  std::fprintf(stderr, "%s: %s\n", path, what);
  std::exit(1);
}

static Flow read(const char* path) {
  const int file = open(path, O_RDONLY);
  struct stat status;
  if (file < 0 || fstat(file, &status) != 0) fail(path, "cannot be read");
  void* mapped = mmap(nullptr, std::size_t(status.st_size), PROT_READ, MAP_PRIVATE, file, 0);
  if (mapped == MAP_FAILED) fail(path, "cannot be mapped");
  const char* bytes = static_cast<const char*>(mapped);
  if (status.st_size < 128 || std::memcmp(bytes, "OBFLOW01", 8) != 0) fail(path, "no OBFLOW01");
  const auto load = [&](std::size_t offset, auto value) {
    std::memcpy(&value, bytes + offset, sizeof value);
    return value;
  };
  Flow flow;
  const char* slash = std::strrchr(path, '/');
  flow.name = slash ? slash + 1 : path;
  flow.prefill = load(16, std::uint64_t());
  const std::uint64_t count = flow.prefill + load(24, std::uint64_t());
  if (std::uint64_t(status.st_size) < 128 + 32 * count) fail(path, "fewer records than announced");
  flow.symbols = load(32, std::uint32_t());
  flow.lowest = load(36, std::int32_t());
  flow.highest = load(40, std::int32_t());
  flow.highest_order_id = load(48, std::uint64_t());
  flow.expected = {load(56, std::uint64_t()), load(64, std::uint64_t()), load(72, std::uint64_t()),
                   load(80, std::uint64_t()), load(88, std::uint64_t())};
  flow.records.resize(count);
  std::memcpy(flow.records.data(), bytes + 128, 32 * count);
  munmap(mapped, std::size_t(status.st_size));
  close(file);
  return flow;
}

static std::uint64_t now() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return std::uint64_t(time.tv_sec) * 1'000'000'000 + std::uint64_t(time.tv_nsec);
}

static std::size_t allocated_bytes() {
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

static std::unique_ptr<Book> empty_book(const Flow& flow) {
  return std::make_unique<Book>(flow.symbols, flow.lowest, flow.highest, 1u << 22, 1u << 21);
}

/// Measures one flow and prints its line. Returns whether the results are as expected.
static bool measure(Flow flow, int passes, bool looks_ahead) {
  // The checked pass: cancels get the ids that the book returned.
  std::vector<std::uint64_t> ids(flow.highest_order_id + 1);
  auto checked = empty_book(flow);
  for (Record& record : flow.records) {
    const std::uint64_t original = record.order_id;
    if (record.operation != 0) record.order_id = ids[original];
    const std::uint64_t id = checked->execute(record);
    if (record.operation == 0) ids[original] = id;
  }
  const Result result = checked->result();
  bool ok = result == flow.expected && checked->rejects() == 0;
  checked.reset();

  const std::size_t count = flow.records.size() - flow.prefill;
  const Record* timed = flow.records.data() + flow.prefill;
  std::vector<double> times;
  std::size_t allocated = 0;
  for (int pass = 0; pass < passes; ++pass) {
    auto book = empty_book(flow);
    book->run(flow.records.data(), flow.prefill, looks_ahead);
    const std::size_t before = allocated_bytes();
    const std::uint64_t start = now();
    book->run(timed, count, looks_ahead);
    const std::uint64_t elapsed = now() - start;
    allocated = std::max(allocated, allocated_bytes() - before);
    times.push_back(double(elapsed) / double(std::max<std::size_t>(count, 1)));
    ok = ok && book->result() == result && book->rejects() == 0;
  }
  std::sort(times.begin(), times.end());

  std::vector<std::uint32_t> latencies(count);
  auto book = empty_book(flow);
  book->run(flow.records.data(), flow.prefill, looks_ahead);
  std::uint64_t last = now();
  for (std::size_t index = 0; index < count; ++index) {
    book->execute(timed[index]);
    const std::uint64_t time = now();
    latencies[index] = std::uint32_t(std::min<std::uint64_t>(time - last, UINT32_MAX));
    last = time;
  }
  std::sort(latencies.begin(), latencies.end());
  const auto percentile = [&](double part) {
    return count == 0 ? 0 : latencies[std::min(count - 1, std::size_t(double(count) * part))];
  };

  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  std::printf(
      "file=%s ops=%zu trades=%lu volume=%lu notional=%lu hash=%lx ok=%s ns_per_op=%.1f "
      "fastest=%.1f p50=%u p99=%u p999=%u max=%u events_per_op=0.0 rss_mb=%ld allocations=%zu\n",
      flow.name.c_str(), count, result.trades, result.volume, result.notional, result.hash,
      ok ? "true" : "false", times.empty() ? 0 : times[times.size() / 2],
      times.empty() ? 0 : times[0], percentile(0.5), percentile(0.99), percentile(0.999),
      percentile(1), usage.ru_maxrss / 1024, allocated);
  std::fflush(stdout);
  return ok;
}

}  // namespace yardstick

int main(int count, char** arguments) {
  int passes = 5;
  bool looks_ahead = true, ok = true;
  for (int index = 1; index < count; ++index) {
    const std::string_view argument = arguments[index];
    if (argument == "--passes" && index + 1 < count) {
      passes = std::atoi(arguments[++index]);
    } else if (argument == "--no-ahead") {
      looks_ahead = false;
    } else {
      ok = yardstick::measure(yardstick::read(arguments[index]), passes, looks_ahead) && ok;
    }
  }
  return ok ? 0 : 1;
}
