package joulebook

type levelKey struct {
	instrument uint32
	side       Side
	price      int64
}

// LevelBook is the published depth of an area: from a snapshot of its levels, and the updates after it. Pass it each
// message of a subscription with SnapshotKindLevels. A new subscription needs a new book.
type LevelBook struct {
	// IsComplete is whether a whole snapshot has come.
	IsComplete bool

	area   uint16
	last   uint64
	levels map[levelKey]Level
}

// NewLevelBook returns the empty book of an area.
func NewLevelBook(area uint16) *LevelBook {
	return &LevelBook{area: area, levels: map[levelKey]Level{}}
}

// Take applies a message. After a gap it returns the first missing number, to be asked for with MarketDataResume, and
// ignores newer messages until the missing ones have come; 0: nothing is missing.
func (b *LevelBook) Take(message Message) (missing uint64) {
	switch m := message.(type) {
	case *LevelSnapshot:
		if m.Area == b.area {
			for _, level := range m.Levels {
				b.set(m.Instrument, level)
			}
		}
	case *SnapshotEnd:
		if m.Area == b.area {
			b.last, b.IsComplete = m.SeqNo, true
		}
	case *LevelUpdate:
		if m.Area != b.area {
			break
		}
		// Without a number it corrects a snapshot in progress.
		applies := m.SeqNo == 0 && !b.IsComplete
		if m.SeqNo != 0 {
			applies, missing = b.count(m.SeqNo)
		}
		if applies {
			b.set(m.Instrument, Level{Price: m.Price, Total: m.Total, Live: m.Live, OrderCount: m.OrderCount, Side: m.Side})
		}
	case *MarketTrade:
		if m.Area == b.area {
			_, missing = b.count(m.SeqNo)
		}
	case *StateChange:
		if m.Area == b.area {
			_, missing = b.count(m.SeqNo)
		}
	}
	return missing
}

// Best returns the best level that can trade now, that of the live bid or the live ask; its Live is 0 if there is none.
// (The selling and the buying price are those of all levels.)
func (b *LevelBook) Best(instrument uint32, side Side) (best Level) {
	for key, level := range b.levels {
		if key.instrument != instrument || key.side != side || level.Live == 0 {
			continue
		}
		if best.Live == 0 || side == SideBuy && level.Price > best.Price || side == SideSell && level.Price < best.Price {
			best = level
		}
	}
	return best
}

// count counts a numbered message: whether it is the next one, and the first missing number if it comes too early.
func (b *LevelBook) count(seqNo uint64) (isNext bool, missing uint64) {
	if !b.IsComplete || seqNo <= b.last {
		return false, 0
	}
	if seqNo > b.last+1 {
		return false, b.last + 1
	}
	b.last = seqNo
	return true, 0
}

func (b *LevelBook) set(instrument uint32, level Level) {
	key := levelKey{instrument, level.Side, level.Price}
	if level.OrderCount == 0 {
		delete(b.levels, key)
	} else {
		b.levels[key] = level
	}
}
