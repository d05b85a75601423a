// The bare book of Benchmarks/Sources/BareBook, translated to C++.
#pragma once

#include <algorithm>

#include "storage.hpp"

namespace yardstick {

/// One operation of a flow (OBFLOW01; Benchmarks/Sources/OrderFlow/FlowFile.swift draws it).
struct Record {
  std::uint64_t order_id;
  std::int32_t price;
  std::uint32_t quantity, symbol, account;
  std::uint8_t operation, side;
  std::uint16_t flags;
  std::uint32_t zero;
};
static_assert(sizeof(Record) == 32);

/// The results of a flow.
struct Result {
  std::uint64_t trades = 0, volume = 0, notional = 0, hash = 0x9E3779B97F4A7C15, resting = 0;

  ALWAYS_INLINE void trade(std::uint64_t maker, std::uint64_t taker, std::uint64_t price,
                           std::uint64_t quantity) {
    trades += 1;
    volume += quantity;
    notional += price * quantity;
    const std::uint64_t mixed = maker * 0x9E3779B97F4A7C15 + taker * 0xC2B2AE3D27D4EB4F +
                                price * 0x165667B19E3779F9 + quantity;
    hash = std::rotl(hash, 5) ^ mixed;
  }
  bool operator==(const Result&) const = default;
};

class Book {
 public:
  /// Distance of the first step, in records.
  static constexpr std::size_t ahead = 16;
  /// Number of records between two checks of whether the book is large.
  static constexpr std::size_t block = 256;

  Book(std::uint32_t symbols, std::int32_t lowest, std::int32_t highest, std::uint32_t orders,
       std::uint32_t levels)
      : pool_(orders), ladder_(levels), books_(std::size_t(symbols) * 2), lowest_(lowest),
        highest_(highest), symbols_(symbols) {
    const std::uint32_t bits = std::bit_width(std::uint32_t(highest - lowest));
    for (std::uint32_t number = 0; number < symbols * 2; ++number) {
      books_[number] = BookSide{};
      books_[number].depth = std::max(1u, (bits + 5) / 6);
    }
  }

  Result result() const {
    Result result = tally_;
    result.resting = pool_.count();
    return result;
  }
  std::uint64_t rejects() const { return rejects_; }

  /// Applies one record. Returns the id of a resting order, otherwise 0.
  ALWAYS_INLINE std::uint64_t execute(const Record& record) {
    if (record.operation == 0) return enter(record);
    cancel(record.order_id);
    return 0;
  }

  __attribute__((noinline)) void run(const Record* records, std::size_t count, bool looks_ahead) {
    std::size_t index = 0;
    while (index < count) {
      const std::size_t end = std::min(index + block, count);
      if (looks_ahead && is_large()) {
        for (; index < end && index + ahead < count; ++index) {
          look_ahead(records + index);
          execute(records[index]);
        }
      }
      for (; index < end; ++index) execute(records[index]);
    }
  }

  /// Whether the used memory of the book exceeds the second-level cache (1 MiB).
  ALWAYS_INLINE bool is_large() const { return pool_.count() >= 1 << 13 || symbols_ >= 1 << 11; }

  ALWAYS_INLINE void look_ahead(const Record* record) const {
    ask_for_rows(record[16]);
    ask_for_nodes(record[12]);
    ask_for_levels(record[8]);
    ask_for_ends(record[4]);
  }

 private:
  ALWAYS_INLINE static Side side(const Record& record) {
    return record.side == 0 ? Side::buy : Side::sell;
  }
  ALWAYS_INLINE BookSide& book(const Record& record, Side side) const {
    return books_[record.symbol << 1 | std::uint32_t(side)];
  }
  ALWAYS_INLINE std::uint32_t key(std::int32_t price, Side side) const {
    return std::uint32_t(pick(side, price - lowest_, highest_ - price));
  }

  ALWAYS_INLINE std::uint64_t enter(const Record& record) {
    const Side side = Book::side(record);
    BookSide& other = book(record, opposite(side));
    const std::uint32_t limit = key(record.price, opposite(side));
    std::int64_t leaves = record.quantity;
    while (other.best_key <= limit) {
      meet_best(other, opposite(side), record.order_id, leaves);
      if (leaves == 0) return 0;
    }
    return rest(record, side, leaves);
  }

  __attribute__((noinline)) void meet_best(BookSide& book, Side side, std::uint64_t taker,
                                           std::int64_t& leaves) {
    Level& level = ladder_.levels[book.best_level];
    const std::uint32_t slot = level.live_head;
    Order& maker = pool_.orders[slot];
    const std::int64_t quantity = std::min(leaves, maker.leaves);
    const std::int64_t distance = level.key;
    tally_.trade(maker.client_order_id, taker,
                 std::uint64_t(pick(side, lowest_ + distance, highest_ - distance)),
                 std::uint64_t(quantity));
    leaves -= quantity;
    maker.leaves -= quantity;
    level.live -= quantity;
    if (maker.leaves == 0) {
      leave(slot, level);
      __builtin_prefetch(&pool_.orders[level.live_head]);
    }
  }

  ALWAYS_INLINE std::uint64_t rest(const Record& record, Side side, std::int64_t leaves) {
    const std::uint32_t slot = pool_.take();
    Order& order = pool_.orders[slot];
    const std::uint32_t number = record.symbol << 1 | std::uint32_t(side);
    BookSide& book = books_[number];
    Level& level = ladder_.find_or_make(key(record.price, side), number, book);
    order.leaves = leaves;
    order.client_order_id = record.order_id;
    order.level = level.number;
    order.marks = 1;
    const std::uint32_t tail = level.live_tail;
    pool_.places[slot].previous = tail;
    pool_.places[slot].next = 0;
    level.live_tail = slot;
    level.live += leaves;
    level.count += 1;
    if (tail != 0) {
      pool_.places[tail].next = slot;
    } else {
      level.live_head = slot;
      ladder_.became_live(level, book);
    }
    return std::uint64_t(order.generation) << 32 | slot;
  }

  ALWAYS_INLINE void cancel(std::uint64_t id) {
    const std::uint32_t slot = pool_.find(id);
    if (slot == 0) {
      rejects_ += 1;
      return;
    }
    Level& level = ladder_.levels[pool_.orders[slot].level];
    level.live -= pool_.orders[slot].leaves;
    leave(slot, level);
  }

  ALWAYS_INLINE void leave(std::uint32_t slot, Level& level) {
    const std::uint32_t previous = pool_.places[slot].previous, next = pool_.places[slot].next;
    if (previous != 0)
      pool_.places[previous].next = next;
    else
      level.live_head = next;
    if (next != 0)
      pool_.places[next].previous = previous;
    else
      level.live_tail = previous;
    level.count -= 1;
    if (level.count == 0) {
      BookSide& book = books_[level.book];
      ladder_.became_waiting(level, book);
      ladder_.remove(level, book);
    }
    pool_.release(slot);
  }

  // Looking ahead

  ALWAYS_INLINE bool reaches(const Record& record, const BookSide& other) const {
    return other.best_key <= key(record.price, opposite(side(record)));
  }

  /// The slot that a cancel names; 0 for an add.
  ALWAYS_INLINE static std::uint32_t slot(const Record& record) {
    return std::uint32_t(record.order_id) & -std::uint32_t(record.operation);
  }

  /// The key an add would rest at; for a cancel that of the best order.
  ALWAYS_INLINE std::uint32_t way(const Record& record, Side side) const {
    const std::uint32_t of_cancel = -std::uint32_t(record.operation);
    return (key(record.price, side) & ~of_cancel) | (book(record, side).best_key & of_cancel);
  }

  ALWAYS_INLINE void ask_for_rows(const Record& record) const {
    const std::uint32_t slot = Book::slot(record);
    __builtin_prefetch(&pool_.orders[slot]);
    __builtin_prefetch(&pool_.places[slot]);
    __builtin_prefetch(&books_[record.symbol << 1]);
  }

  ALWAYS_INLINE void ask_for_nodes(const Record& record) const {
    const std::uint32_t slot = Book::slot(record);
    __builtin_prefetch(&ladder_.levels[pool_.orders[slot].level]);
    __builtin_prefetch(&pool_.places[pool_.places[slot].next]);
    __builtin_prefetch(&pool_.places[pool_.places[slot].previous]);

    const Side side = Book::side(record);
    const BookSide& other = book(record, opposite(side));
    const auto start = ladder_.start(way(record, side), book(record, side));
    __builtin_prefetch(start.occupancy);
    __builtin_prefetch(start.child);
    if (reaches(record, other)) __builtin_prefetch(&ladder_.levels[other.best_level]);
  }

  ALWAYS_INLINE void ask_for_levels(const Record& record) const {
    __builtin_prefetch(ladder_.occupancy_of_node_of(pool_.orders[slot(record)].level));

    const Side side = Book::side(record);
    const BookSide& other = book(record, opposite(side));
    __builtin_prefetch(ladder_.following(way(record, side), book(record, side)));
    if (reaches(record, other)) {
      const std::uint32_t first = ladder_.levels[other.best_level].live_head;
      __builtin_prefetch(&pool_.orders[first]);
      __builtin_prefetch(&pool_.places[first]);
    }
  }

  ALWAYS_INLINE void ask_for_ends(const Record& record) const {
    const Side side = Book::side(record);
    const std::uint32_t tail = ladder_.tail(way(record, side), book(record, side));
    __builtin_prefetch(&pool_.places[tail]);
  }

  OrderPool pool_;
  Ladder ladder_;
  Table<BookSide> books_;
  std::int64_t lowest_, highest_;
  std::uint32_t symbols_;
  Result tally_;
  std::uint64_t rejects_ = 0;
};

}  // namespace yardstick
