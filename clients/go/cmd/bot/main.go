// A bot that buys or sells a quantity in parts, one order at a time, and goes on after whatever happens to its
// connection or to the exchange. It never cancels: what stands, stands.
//
//	bot HOST PORT SESSION KEYFILE ACCOUNT AREA INSTRUMENT buy|sell PRICE QUANTITY PART [CERTIFICATES]
//
// PRICE is in 1e-5 currency per kWh, QUANTITY and PART are in Wh. CERTIFICATES is a file (PEM) with what to trust: then
// the connection has TLS. clients/scenarios.txt has what it prints.
package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	jb "joulebook"
)

type bot struct {
	session                       *jb.Session
	account, instrument           uint32
	area                          uint16
	side                          jb.Side
	price, quantity, part, traded int64
	book                          *jb.LevelBook
	// The order: its number (0: none), what is open, and whether its first report is still to come.
	order     uint64
	leaves    int64
	isPending bool
	// Numbers of the messages with the order and with the subscription.
	sent, subscription uint64
	// When what was throttled is sent again; zero: nothing was.
	again time.Time
}

func (b *bot) run() error {
	if err := b.session.Connect(); err != nil {
		return err
	}
	fmt.Println("logged on")
	err := b.subscribe()
	for b.traded < b.quantity {
		if err == nil {
			err = b.step()
			continue
		}
		var lost *jb.Lost
		if !errors.As(err, &lost) {
			return err
		}
		fmt.Println(err)
		// The operator has reset the version: the orders stand, but nobody can ask for their reports.
		if lost.Code == 1025 {
			return &jb.Refused{Code: lost.Code}
		}
		err = b.comeBack()
	}
	if _, err := b.session.Finish(10 * time.Second); err != nil {
		return err
	}
	fmt.Println("done", b.traded)
	return b.session.Close()
}

func (b *bot) subscribe() (err error) {
	b.book = jb.NewLevelBook(b.area)
	message := jb.MakeMarketDataSubscribe()
	message.Area, message.Snapshot = b.area, jb.SnapshotKindLevels
	b.subscription, err = b.session.Send(message)
	return err
}

// enter sends the order. Sent again with its number, it happens once.
func (b *bot) enter(note string) (err error) {
	message := jb.MakeNewOrder()
	message.ClientOrderId, message.Account, message.Instrument = b.order, b.account, b.instrument
	message.Side, message.Price, message.Quantity = b.side, b.price, b.leaves
	b.isPending = true
	fmt.Printf("sent %d%s\n", b.leaves, note)
	b.sent, err = b.session.Send(message)
	return err
}

func (b *bot) step() (err error) {
	if !b.again.IsZero() && time.Now().After(b.again) {
		b.again = time.Time{}
		if !b.book.IsComplete {
			err = b.subscribe()
		}
		if err == nil && b.isPending {
			err = b.enter(" again")
		}
	} else if b.order == 0 && b.book.IsComplete {
		b.order, b.leaves = jb.Now(), b.quantity-b.traded
		if b.part < b.leaves {
			b.leaves = b.part
		}
		err = b.enter("")
	}
	if err != nil {
		return err
	}
	message, err := b.session.Receive(200 * time.Millisecond)
	if message == nil {
		return err
	}
	if missing := b.book.Take(message); missing != 0 {
		resume := jb.MakeMarketDataResume()
		resume.Area, resume.FromSeqNo, resume.View = b.area, missing, jb.ChannelViewLevels
		if _, err := b.session.Send(resume); err != nil {
			return err
		}
	}
	return b.take(message)
}

func (b *bot) take(message jb.Message) error {
	switch m := message.(type) {
	case *jb.SnapshotEnd:
		bid, ask := b.book.Best(b.instrument, jb.SideBuy), b.book.Best(b.instrument, jb.SideSell)
		fmt.Printf("book bid %d at %d ask %d at %d\n", bid.Live, bid.Price, ask.Live, ask.Price)
	case *jb.Accepted:
		b.isPending = false
		fmt.Printf("accepted covered %d waiting %d\n", m.Covered, m.Quantity-m.Covered)
	case *jb.Restated:
		fmt.Printf("restated covered %d waiting %d\n", m.Covered, m.Waiting)
	case *jb.Trade:
		b.traded += m.Quantity
		fmt.Printf("trade %d at %d leaves %d\n", m.Quantity, m.Price, m.Leaves)
		b.setLeaves(m.Leaves)
	case *jb.Canceled:
		fmt.Printf("canceled %d leaves %d\n", m.CanceledQuantity, m.Leaves)
		b.setLeaves(m.Leaves)
	case *jb.Rejected:
		if m.Code == 4012 {
			break // The order that was sent again had arrived: its report has come, or comes.
		}
		fmt.Println("rejected", m.Code)
		isThrottled := m.Code >= 9001 && m.Code <= 9003 || m.Code == 9007
		if !isThrottled || m.RefSeqNo != b.sent && m.RefSeqNo != b.subscription {
			return &jb.Refused{Code: m.Code}
		}
		b.again = time.Now().Add(time.Second)
	}
	return nil
}

func (b *bot) setLeaves(leaves int64) {
	b.leaves = leaves
	if leaves == 0 {
		b.order = 0
	}
}

// comeBack resumes the session, with growing pauses between attempts.
func (b *bot) comeBack() error {
	isKnown := true
	for pause := 100 * time.Millisecond; ; pause *= 2 {
		if pause > 5*time.Second {
			pause = 5 * time.Second
		}
		time.Sleep(pause)
		err := b.logOnAgain(isKnown)
		var refused *jb.Refused
		var lost *jb.Lost
		if errors.As(err, &refused) && (refused.Code == 1005 || refused.Code == 1013) {
			// The exchange does not know the session's version: nothing of it happened.
			isKnown = false
		} else if !errors.As(err, &lost) {
			return err
		}
	}
}

func (b *bot) logOnAgain(isKnown bool) error {
	if isKnown {
		missed, err := b.session.Resume()
		if err != nil {
			return err
		}
		fmt.Printf("resumed, missed %d\n", missed)
	} else {
		if err := b.session.Connect(); err != nil {
			return err
		}
		fmt.Println("logged on")
		b.order, b.isPending = 0, false
	}
	err := b.subscribe()
	if err == nil && b.isPending {
		err = b.enter(" again") // It may not have arrived.
	}
	return err
}

func main() {
	a := os.Args
	if len(a) != 12 && len(a) != 13 {
		fmt.Fprintln(os.Stderr, "bot HOST PORT SESSION KEYFILE ACCOUNT AREA INSTRUMENT buy|sell PRICE QUANTITY PART [CERTIFICATES]")
		os.Exit(64)
	}
	number := func(index int) int64 {
		value, err := strconv.ParseInt(a[index], 10, 64)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(64)
		}
		return value
	}
	key, err := jb.ReadKey(a[4])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(69)
	}
	b := bot{session: jb.NewSession(a[1]+":"+a[2], uint32(number(3)), key), account: uint32(number(5)), area: uint16(number(6)),
		instrument: uint32(number(7)), price: number(9), quantity: number(10), part: number(11)}
	if a[8] == "sell" {
		b.side = jb.SideSell
	}
	b.session.KeepAlive, b.session.CancelAfter = time.Second, jb.NullCancelAfter
	if len(a) == 13 {
		if b.session.TLS, err = jb.Trust(a[12]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(69)
		}
	}
	var refused *jb.Refused
	if err := b.run(); errors.As(err, &refused) {
		fmt.Println(err)
		os.Exit(77)
	} else if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(69)
	}
}
