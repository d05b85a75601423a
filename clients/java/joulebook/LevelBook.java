package joulebook;

import java.util.HashMap;
import java.util.Map;
import joulebook.Messages.Level;
import joulebook.Messages.LevelSnapshot;
import joulebook.Messages.LevelUpdate;
import joulebook.Messages.MarketTrade;
import joulebook.Messages.Side;
import joulebook.Messages.SnapshotEnd;
import joulebook.Messages.StateChange;

/**
 * The published depth of an area: from a snapshot of its levels, and the updates after it. Pass it each message of a
 * subscription with SnapshotKind.LEVELS. A new subscription needs a new book.
 */
public final class LevelBook {
  private record Key(long instrument, int side, long price) {}

  private final int area;
  private final Map<Key, Level> levels = new HashMap<>();
  private long last;
  private boolean isComplete;

  public LevelBook(int area) { this.area = area; }

  /** Whether a whole snapshot has come. */
  public boolean isComplete() { return isComplete; }

  /**
   * Applies a message. After a gap it returns the first missing number, to be asked for with MarketDataResume, and
   * ignores newer messages until the missing ones have come; 0: nothing is missing.
   */
  public long take(Codec.Message message) {
    if (message instanceof LevelSnapshot part && part.area == area) {
      for (Level level : part.levels) set(part.instrument, level);
    } else if (message instanceof SnapshotEnd end && end.area == area) {
      last = end.seqNo;
      isComplete = true;
    } else if (message instanceof LevelUpdate update && update.area == area) {
      // Without a number it corrects a snapshot in progress.
      if (update.seqNo == 0 ? !isComplete : count(update.seqNo)) {
        Level level = new Level();
        level.price = update.price;
        level.total = update.total;
        level.live = update.live;
        level.orderCount = update.orderCount;
        level.side = update.side;
        set(update.instrument, level);
      }
      return missing(update.seqNo);
    } else if (message instanceof MarketTrade trade && trade.area == area) {
      count(trade.seqNo);
      return missing(trade.seqNo);
    } else if (message instanceof StateChange change && change.area == area) {
      count(change.seqNo);
      return missing(change.seqNo);
    }
    return 0;
  }

  /**
   * The best level that can trade now, that of the live bid or the live ask; its `live` is 0 if there is none.
   * (The selling and the buying price are those of all levels.)
   */
  public Level best(long instrument, int side) {
    Level best = new Level();
    for (Map.Entry<Key, Level> entry : levels.entrySet()) {
      Level level = entry.getValue();
      if (entry.getKey().instrument != instrument || level.side != side || level.live == 0) continue;
      boolean isBetter = side == Side.BUY ? level.price > best.price : level.price < best.price;
      if (best.live == 0 || isBetter) best = level;
    }
    return best;
  }

  /** Counts a numbered message; whether it is the next one. */
  private boolean count(long seqNo) {
    boolean isNext = isComplete && seqNo == last + 1;
    if (isNext) last = seqNo;
    return isNext;
  }

  private long missing(long seqNo) { return isComplete && seqNo > last + 1 ? last + 1 : 0; }

  private void set(long instrument, Level level) {
    Key key = new Key(instrument, level.side, level.price);
    if (level.orderCount == 0) levels.remove(key);
    else levels.put(key, level);
  }
}
