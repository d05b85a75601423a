/* Market data in plain C, written only from docs/PROTOCOL.md and docs/protocol-reference.md.
 *
 *     cc -O2 -Wall -o market_data market_data.c -lcrypto
 *     market_data HOST PORT SESSION KEY_SEED_HEX AREA orders|levels
 *
 * Maintains the order book of an area, by order or by level, until one of its instruments is halted. To
 * exercise recovery it drops every 17th message and every 50th closes its connection; it detects the gaps and
 * asks for the missed messages. At the end it requests a snapshot of the levels, compares its book with it, and
 * prints the levels. The exit code is 0 only when they are equal. */

#include <stdbool.h>

#include "joulebook.h"

enum { ACK = 52, STATE_CHANGE = 73, SUBSCRIBE = 80, ORDER_ADD = 82, ORDER_MODIFY = 83, ORDER_DELETE = 84 };
enum { MARKET_TRADE = 85, LEVEL_SNAPSHOT = 86, SNAPSHOT_END = 87, RESUME = 88, LEVEL_UPDATE = 90 };
enum { ORDERS = 1, LEVELS = 2 };  /* SnapshotKind */
enum { BY_ORDER = 0, BY_LEVEL = 1 };  /* ChannelView */
enum { HALTED = 1 };
enum { MOST = 4096 };

/* An order; or a level, whose `order` is 0 and whose `count` is its number of orders. */
typedef struct {
  uint64_t order;
  int64_t price, total, live;
  uint32_t instrument, count;
  uint8_t side;
} Entry;

typedef struct {
  Entry entries[MOST];
  int count;
} Book;

static Book book, truth;
static uint64_t last;
static unsigned area, losses, gaps;

/* Index of an order or a level; `count` when the book does not contain it. */
static int find(const Book *in, const Entry *entry) {
  for (int i = 0; i < in->count; i++) {
    const Entry *known = &in->entries[i];
    if (entry->order != 0 ? known->order == entry->order
                          : known->order == 0 && known->instrument == entry->instrument &&
                                known->side == entry->side && known->price == entry->price)
      return i;
  }
  return in->count;
}

/* Inserts or replaces an entry; an entry with count 0 deletes it. */
static void set(Book *in, Entry entry) {
  int place = find(in, &entry);
  if (entry.count == 0) {
    if (place == in->count) die("the deleted entry is not in the book");
    in->entries[place] = in->entries[--in->count];
    return;
  }
  if (place == MOST) die("the book is too large for this example");
  in->entries[place] = entry;
  if (place == in->count) in->count++;
}

/* Adds an order to its level. */
static void add_up(Book *levels, Entry order) {
  order.order = 0;
  int place = find(levels, &order);
  if (place == levels->count) {
    set(levels, order);
    return;
  }
  levels->entries[place].total += order.total;
  levels->entries[place].live += order.live;
  levels->entries[place].count++;
}

static void take_levels(Book *in) {
  size_t length = get(36, 2), count = get(38, 2);
  for (size_t i = 0; i < count; i++) {
    size_t at = 40 + i * length;
    set(in, (Entry){.price = (int64_t)get(at, 8), .total = (int64_t)get(at + 8, 8),
                    .live = (int64_t)get(at + 16, 8), .count = (uint32_t)get(at + 24, 4),
                    .instrument = (uint32_t)get(28, 4), .side = (uint8_t)get(at + 28, 1)});
  }
}

/* Applies the message in the frame to a book. Returns whether an instrument was halted. */
static bool apply(Book *in, uint16_t template) {
  switch (template) {
  case ORDER_ADD:
  case ORDER_MODIFY:
    set(in, (Entry){.order = get(20, 8), .price = (int64_t)get(28, 8), .total = (int64_t)get(36, 8),
                    .live = (int64_t)get(44, 8), .instrument = (uint32_t)get(52, 4), .count = 1,
                    .side = (uint8_t)get(58, 1)});
    return false;
  case ORDER_DELETE:
    set(in, (Entry){.order = get(20, 8)});
    return false;
  case LEVEL_UPDATE:
    set(in, (Entry){.price = (int64_t)get(20, 8), .total = (int64_t)get(28, 8), .live = (int64_t)get(36, 8),
                    .count = (uint32_t)get(44, 4), .instrument = (uint32_t)get(48, 4),
                    .side = (uint8_t)get(54, 1)});
    return false;
  case STATE_CHANGE: return get(34, 1) == HALTED;
  default: return false;
  }
}

static bool is_of_channel(uint16_t template) {
  return template == STATE_CHANGE || template == MARKET_TRADE || template == LEVEL_UPDATE ||
         (template >= ORDER_ADD && template <= ORDER_DELETE);
}

static void subscribe(uint8_t snapshot) {
  begin_numbered(SUBSCRIBE, 20);
  put(28, 2, area);
  put(30, 1, snapshot);
  send_frame();
}

/* Requests all messages after the last applied one. Messages that arrive before the answer are skipped,
 * because they are sent again. */
static void resume(uint8_t view) {
  begin_numbered(RESUME, 28);
  put(28, 8, last + 1);
  put(36, 2, area);
  put(38, 1, view);
  send_frame();
  expect(ACK);
}

/* Follows the channel until an instrument is halted. */
static void follow(const char *host, const char *port, uint8_t view) {
  for (unsigned taken = 1;; taken++) {
    if (taken % 50 == 0) {
      close(connection);
      open_connection(host, port);
      establish(0);
      resume(view);
      losses++;
    }
    uint16_t template = next_frame();
    if (!is_of_channel(template)) continue;
    uint64_t number = get(12, 8);
    if (taken % 17 == 0) continue; /* simulated loss */
    if (number > last + 1) {
      gaps++;
      resume(view);
      continue;
    }
    if (number <= last) continue;
    last = number;
    if (apply(&book, template)) return;
  }
}

/* Reads a snapshot into an empty book. Messages without a number belong to it: the orders, and corrections of
 * what it has sent already. Numbered ones came before it. */
static void read_snapshot(Book *snapshot) {
  for (;;) {
    uint16_t template = next_frame();
    if (template == LEVEL_SNAPSHOT) take_levels(snapshot);
    else if (template == SNAPSHOT_END) return;
    else if (is_of_channel(template) && get(12, 8) == 0) apply(snapshot, template);
    else if (is_of_channel(template) && get(12, 8) == last + 1) {
      last++;
      apply(&book, template);
    }
  }
}

int main(int count, char **argument) {
  if (count != 7) die("market_data HOST PORT SESSION KEY AREA orders|levels");
  area = (unsigned)atoi(argument[5]);
  bool by_level = strcmp(argument[6], "levels") == 0;
  log_on(argument[1], argument[2], argument[3], argument[4]);
  subscribe(by_level ? LEVELS : ORDERS);
  expect(ACK);
  read_snapshot(&book);
  last = get(12, 8);
  printf("snapshot: %d entries, good for number %llu\n", book.count, (unsigned long long)last);
  fflush(stdout);
  follow(argument[1], argument[2], by_level ? BY_LEVEL : BY_ORDER);

  subscribe(LEVELS);
  read_snapshot(&truth);
  if (get(12, 8) != last) die("the snapshot has another sequence number");
  Book levels = {.count = 0};
  for (int i = 0; i < book.count; i++) {
    if (by_level) set(&levels, book.entries[i]);
    else add_up(&levels, book.entries[i]);
  }
  if (levels.count != truth.count) die("the number of levels differs");
  for (int i = 0; i < truth.count; i++) {
    const Entry *level = &truth.entries[i];
    int place = find(&levels, level);
    if (place == levels.count || memcmp(&levels.entries[place].price, &level->price, 24) != 0 ||
        levels.entries[place].count != level->count)
      die("a level differs");
    printf("level: instrument %u %s at %lld: %lld of %lld Wh live, %u orders\n", level->instrument,
           level->side == 0 ? "buy" : "sell", (long long)level->price, (long long)level->live,
           (long long)level->total, level->count);
  }
  printf("right at number %llu after %u gaps and %u lost connections\n", (unsigned long long)last, gaps,
         losses);
  log_off();
  return 0;
}
