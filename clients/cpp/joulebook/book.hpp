// The published depth of an area: from a snapshot of its levels, and the updates after it.
#pragma once

#include <map>
#include <optional>
#include <tuple>

#include "messages.hpp"

namespace joulebook {

/// The price levels of an area. Pass it each message of a subscription with SnapshotKind::levels. A new
/// subscription needs a new book.
class LevelBook {
 public:
  explicit LevelBook(uint16_t area) : area_(area) {}

  /// Whether a whole snapshot has come.
  bool isComplete() const { return complete_; }

  /// Applies a message. After a gap it returns the first missing number, to be asked for with MarketDataResume,
  /// and ignores newer messages until the missing ones have come.
  std::optional<uint64_t> take(const Message& message) {
    if (auto part = std::get_if<LevelSnapshot>(&message)) {
      if (part->area == area_)
        for (auto& level : part->levels) set(part->instrument, level);
    } else if (auto end = std::get_if<SnapshotEnd>(&message)) {
      if (end->area == area_) last_ = end->seqNo, complete_ = true;
    } else if (auto update = std::get_if<LevelUpdate>(&message)) {
      // Without a number it corrects a snapshot in progress.
      if (update->area != area_) return {};
      if (update->seqNo == 0) {
        if (!complete_) set(update->instrument, *update);
        return {};
      }
      auto missing = next(update->seqNo);
      if (applies_) set(update->instrument, *update);
      return missing;
    } else if (auto trade = std::get_if<MarketTrade>(&message)) {
      if (trade->area == area_) return next(trade->seqNo);
    } else if (auto state = std::get_if<StateChange>(&message)) {
      if (state->area == area_) return next(state->seqNo);
    }
    return {};
  }

  /// The best level that can trade now, that of the live bid or the live ask; its `live` is 0 if there is none.
  /// (The selling and the buying price are those of all levels.)
  Level best(uint32_t instrument, Side side) const {
    Level best;
    for (auto& [key, level] : levels_) {
      if (std::get<0>(key) != instrument || level.side != side || level.live == 0) continue;
      bool better = side == Side::buy ? level.price > best.price : level.price < best.price;
      if (best.live == 0 || better) best = level;
    }
    return best;
  }

 private:
  uint16_t area_;
  uint64_t last_ = 0;
  bool complete_ = false, applies_ = false;
  std::map<std::tuple<uint32_t, Side, int64_t>, Level> levels_;

  /// Counts a numbered message; returns the first missing number if it comes too early.
  std::optional<uint64_t> next(uint64_t seqNo) {
    applies_ = complete_ && seqNo == last_ + 1;
    if (applies_) last_ = seqNo;
    if (complete_ && seqNo > last_ + 1) return last_ + 1;
    return {};
  }

  template <class Any> void set(uint32_t instrument, const Any& level) {
    auto key = std::make_tuple(instrument, level.side, level.price);
    if (level.orderCount == 0) {
      levels_.erase(key);
      return;
    }
    Level& entry = levels_[key];
    entry.price = level.price, entry.total = level.total, entry.live = level.live;
    entry.orderCount = level.orderCount, entry.side = level.side;
  }
};

}  // namespace joulebook
