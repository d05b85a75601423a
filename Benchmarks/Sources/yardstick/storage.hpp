// The exchange's data structures in C++: the same rows, radix tree and free lists, so that only the language
// differs. Sources/ExchangeCore/Memory and Book draw and explain them.
#pragma once

#include <sys/mman.h>

#include <bit>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace yardstick {

#define ALWAYS_INLINE inline __attribute__((always_inline))

/// An array of zeroed elements. The address space after it is reserved without access, so that a wrong 32-bit
/// index ends the process.
template <typename Element>
class Table {
 public:
  explicit Table(std::size_t capacity) {
    const std::size_t bytes = (capacity ? capacity : 1) * sizeof(Element);
#ifdef VALGRIND  // its address space is too small for such reservations
    reserved_ = (bytes + page - 1) / page * page + page;
#else
    reserved_ = (sizeof(Element) << 32) + page;
#endif
    void* start = mmap(nullptr, reserved_, PROT_NONE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED || mprotect(start, bytes, PROT_READ | PROT_WRITE) != 0) {
      std::perror("no memory for a table");
      std::exit(1);
    }
    if (bytes >= huge_page) madvise(start, bytes, MADV_HUGEPAGE);
    base_ = static_cast<Element*>(start);
  }
  ~Table() { munmap(base_, reserved_); }
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  ALWAYS_INLINE Element& operator[](std::uint32_t index) const { return base_[index]; }

 private:
  static constexpr std::size_t huge_page = 2 << 20;
  static constexpr std::size_t page = 64 << 10;
  Element* base_;
  std::size_t reserved_;
};

enum class Side : std::uint8_t { buy = 0, sell = 1 };

ALWAYS_INLINE Side opposite(Side side) { return Side(std::uint8_t(side) ^ 1); }

/// Selects one of two values without a branch.
ALWAYS_INLINE std::int64_t pick(Side side, std::int64_t sell, std::int64_t buy) {
  const std::int64_t mask = -std::int64_t(side);
  return (sell & mask) | (buy & ~mask);
}

struct Level {
  std::int64_t live, total;
  std::uint32_t live_head, live_tail, waiting_head, waiting_tail;
  std::uint32_t count, key, book, number, node;
  std::uint32_t unused[3];
};
static_assert(sizeof(Level) == 64);

constexpr std::uint32_t none = UINT32_MAX;

struct KnownNode {
  std::uint32_t prefix = none, node = 0;
};

struct BookSide {
  std::uint32_t root = 0, best_key = none, best_level = 0, depth = 1;
  KnownNode known[2];

  ALWAYS_INLINE std::uint32_t node(std::uint32_t prefix) const {
    const KnownNode& candidate = known[prefix & 1];
    return candidate.prefix == prefix ? candidate.node : 0;
  }
  ALWAYS_INLINE void remember(std::uint32_t node, std::uint32_t prefix) {
    known[prefix & 1] = {prefix, node};
  }
};
static_assert(sizeof(BookSide) == 32);

struct Masks {
  std::uint64_t any, live;
};

/// Nodes and levels of all books.
class Ladder {
 public:
  Table<Level> levels;

  explicit Ladder(std::uint32_t capacity)
      : levels(std::size_t(capacity) + 1),
        masks_(std::size_t(capacity) * 4 + 5),
        children_((std::size_t(capacity) * 4 + 5) * 64) {}

  /// The level with `key`; it is created if it does not exist.
  ALWAYS_INLINE Level& find_or_make(std::uint32_t key, std::uint32_t number, BookSide& book) {
    std::uint32_t node = book.node(key >> 6);
    if (node == 0) node = walk(key, book);
    const std::uint32_t slot = key & 63;
    if (masks_[node].any >> slot & 1) return levels[child(node, slot)];
    Level& level = take_level(key, number, node);
    link(node, slot, level.number);
    return level;
  }

  /// Removes an empty level and the nodes that only it used.
  ALWAYS_INLINE void remove(Level& level, BookSide& book) {
    const std::uint32_t key = level.key, node = level.node;
    level.live_head = free_level_;
    free_level_ = level.number;
    masks_[node].any &= ~(std::uint64_t(1) << (key & 63));
    if (masks_[node].any == 0) remove_nodes(key, book);
  }

  /// Marks a level as having orders; it may be the new best.
  ALWAYS_INLINE void became_live(Level& level, BookSide& book) {
    const std::uint32_t key = level.key;
    const std::uint64_t live = masks_[level.node].live;
    masks_[level.node].live = live | std::uint64_t(1) << (key & 63);
    if (live == 0) became_live_above(key, book);
    if (key < book.best_key) {
      book.best_key = key;
      book.best_level = level.number;
    }
  }

  /// Marks a level as empty; if it was the best, the next one becomes the best.
  ALWAYS_INLINE void became_waiting(Level& level, BookSide& book) {
    const std::uint32_t key = level.key, node = level.node;
    const std::uint64_t live = masks_[node].live & ~(std::uint64_t(1) << (key & 63));
    masks_[node].live = live;
    if (live == 0) became_waiting_above(key, book);
    if (level.number != book.best_level) return;
    const std::uint32_t best = live != 0 ? child(node, std::countr_zero(live)) : first(book);
    book.best_level = best;
    book.best_key = best == 0 ? none : levels[best].key;
  }

  // Looking ahead

  struct Start {
    const void *occupancy, *child;
  };
  ALWAYS_INLINE Start start(std::uint32_t key, const BookSide& book) const {
    const std::uint32_t known = book.node(key >> 6);
    const std::uint32_t node = known == 0 ? book.root : known;
    const std::uint32_t shift = known == 0 ? (book.depth - 1) * 6 : 0;
    return {&masks_[node], &children_[node * 64 + (key >> shift & 63)]};
  }
  ALWAYS_INLINE const void* following(std::uint32_t key, const BookSide& book) const {
    const std::uint32_t known = book.node(key >> 6);
    if (known != 0) return &levels[child(known, key & 63)];
    const std::uint32_t node = child(book.root, key >> ((book.depth - 1) * 6) & 63);
    return &children_[node * 64 + (key & 63)];
  }
  ALWAYS_INLINE const void* occupancy_of_node_of(std::uint32_t level) const {
    return &masks_[levels[level].node];
  }
  /// The last order at the level that a key probably leads to; 0 when there is none.
  ALWAYS_INLINE std::uint32_t tail(std::uint32_t key, const BookSide& book) const {
    const std::uint32_t node = book.node(key >> 6);
    if (node == 0 || !(masks_[node].any >> (key & 63) & 1)) return 0;
    return levels[child(node, key & 63)].live_tail;
  }

 private:
  struct Path {
    std::uint32_t nodes[4], slots[4];
  };

  ALWAYS_INLINE std::uint32_t child(std::uint32_t node, std::uint32_t slot) const {
    return children_[node * 64 + slot];
  }

  ALWAYS_INLINE void link(std::uint32_t node, std::uint32_t slot, std::uint32_t what) {
    children_[node * 64 + slot] = what;
    masks_[node].any |= std::uint64_t(1) << slot;
  }

  __attribute__((noinline)) std::uint32_t walk(std::uint32_t key, BookSide& book) {
    if (book.root == 0) book.root = take_node();
    std::uint32_t node = book.root;
    for (std::uint32_t shift = (book.depth - 1) * 6; shift > 0; shift -= 6) {
      const std::uint32_t slot = key >> shift & 63;
      if (!(masks_[node].any >> slot & 1)) link(node, slot, take_node());
      node = child(node, slot);
    }
    book.remember(node, key >> 6);
    return node;
  }

  Path path(std::uint32_t key, const BookSide& book) const {
    Path path;
    std::uint32_t node = book.root;
    for (std::uint32_t step = 0; step < book.depth; ++step) {
      const std::uint32_t slot = key >> ((book.depth - 1 - step) * 6) & 63;
      path.nodes[step] = node;
      path.slots[step] = slot;
      node = child(node, slot);
    }
    return path;
  }

  __attribute__((noinline)) void remove_nodes(std::uint32_t key, BookSide& book) {
    if (book.node(key >> 6) != 0) book.remember(0, key >> 6);
    const Path path = this->path(key, book);
    int step = int(book.depth) - 1;
    release_node(path.nodes[step]);
    while (step > 0) {
      --step;
      const std::uint32_t node = path.nodes[step];
      masks_[node].any &= ~(std::uint64_t(1) << path.slots[step]);
      if (masks_[node].any != 0) return;
      release_node(node);
    }
    book.root = 0;
  }

  __attribute__((noinline)) void became_live_above(std::uint32_t key, const BookSide& book) {
    std::uint32_t node = book.root;
    for (std::uint32_t shift = (book.depth - 1) * 6; shift > 0; shift -= 6) {
      const std::uint32_t slot = key >> shift & 63;
      masks_[node].live |= std::uint64_t(1) << slot;
      node = child(node, slot);
    }
  }

  __attribute__((noinline)) void became_waiting_above(std::uint32_t key, const BookSide& book) {
    const Path path = this->path(key, book);
    for (int step = int(book.depth) - 2; step >= 0; --step) {
      masks_[path.nodes[step]].live &= ~(std::uint64_t(1) << path.slots[step]);
      if (masks_[path.nodes[step]].live != 0) return;
    }
  }

  __attribute__((noinline)) std::uint32_t first(const BookSide& book) const {
    if (book.root == 0 || masks_[book.root].live == 0) return 0;
    std::uint32_t node = book.root;
    for (std::uint32_t step = 0; step < book.depth; ++step)
      node = child(node, std::countr_zero(masks_[node].live));
    return node;
  }

  std::uint32_t take_node() {
    std::uint32_t node = free_node_;
    if (node != 0)
      free_node_ = children_[node * 64];
    else
      node = ++used_nodes_;
    masks_[node] = {0, 0};
    return node;
  }

  void release_node(std::uint32_t node) {
    children_[node * 64] = free_node_;
    free_node_ = node;
  }

  ALWAYS_INLINE Level& take_level(std::uint32_t key, std::uint32_t book, std::uint32_t node) {
    std::uint32_t number = free_level_;
    if (number != 0)
      free_level_ = levels[number].live_head;
    else
      number = ++used_levels_;
    Level& level = levels[number];
    level = Level{.live = 0, .total = 0, .live_head = 0, .live_tail = 0, .waiting_head = 0,
                  .waiting_tail = 0, .count = 0, .key = key, .book = book, .number = number,
                  .node = node, .unused = {}};
    return level;
  }

  Table<Masks> masks_;
  Table<std::uint32_t> children_;
  std::uint32_t used_levels_ = 0, used_nodes_ = 0, free_level_ = 0, free_node_ = 0;
};

struct Order {
  std::int64_t leaves, covered, quantity;
  std::uint64_t client_order_id;
  std::int64_t reserve_per_lot;
  std::uint32_t position, instrument, session, generation, level;
  std::uint8_t side, time_in_force, self_trade_prevention, marks;
};
static_assert(sizeof(Order) == 64);

struct Place {
  std::int64_t price;
  std::uint64_t arrival;
  std::uint32_t next, previous, owner_next, owner_previous;
};
static_assert(sizeof(Place) == 32);

/// The pool of orders, with a last-in first-out free list through `next`.
class OrderPool {
 public:
  Table<Order> orders;
  Table<Place> places;

  explicit OrderPool(std::uint32_t capacity)
      : orders(std::size_t(capacity) + 1), places(std::size_t(capacity) + 1), capacity_(capacity) {}

  std::uint32_t count() const { return count_; }

  ALWAYS_INLINE std::uint32_t take() {
    if (count_ == capacity_) __builtin_trap();
    std::uint32_t slot = free_;
    if (slot != 0)
      free_ = places[slot].next;
    else
      slot = ++used_;
    orders[slot].generation += 1;
    count_ += 1;
    return slot;
  }

  ALWAYS_INLINE void release(std::uint32_t slot) {
    orders[slot].marks = 0;
    places[slot].next = free_;
    free_ = slot;
    count_ -= 1;
  }

  /// The slot of the open order with an id; 0 when there is none.
  ALWAYS_INLINE std::uint32_t find(std::uint64_t id) const {
    const std::uint32_t slot = std::uint32_t(id);
    if (slot < 1 || slot > used_) return 0;
    const Order& order = orders[slot];
    return (order.marks & 1) && order.generation == id >> 32 ? slot : 0;
  }

 private:
  std::uint32_t free_ = 0, used_ = 0, count_ = 0, capacity_;
};

}  // namespace yardstick
