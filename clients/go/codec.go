// Package joulebook is a client of the exchange: a codec that sbegen writes from the schema, a session, a book of
// levels. README.md shows how they are used; docs/PROTOCOL.md says what the messages mean.
package joulebook

// Frames: u16 length | u16 0xEB50 | SBE header (8) | block | group. Three visitors of messages: one writes a frame,
// one reads it, one prints it.

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

const (
	headerLength = 12
	encodingType = 0xEB50
)

// ErrMalformed: a frame ends before what it says it contains, or is none of this protocol.
var ErrMalformed = errors.New("malformed frame")

// Visitor gets each field of a message, and returns the field's new value.
type Visitor interface {
	Number(name string, offset, size int, value uint64) uint64
	Nullable(name string, offset, size int, value, null uint64) uint64
	Integer(name string, offset, size int, value int64) int64
	Text(name string, offset, length int, value string) string
	Bytes(name string, offset int, value []byte)
	Choice(name string, offset int, value uint8, names []string) uint8
	Flags(name string, offset int, value uint8, names []string) uint8
	// Group begins a group, and returns its number of entries.
	Group(name string, entryLength, count int) int
	// Entry begins an entry.
	Entry(index int)
}

// Message is any message.
type Message interface {
	MessageName() string
	Template() uint16
	BlockLength() int
	Visit(v Visitor)
}

// Request is a message that the session numbers.
type Request interface {
	Message
	number(seqNo, sendingTime uint64)
}

// entry is a pointer to an entry of type E.
type entry[E any] interface {
	*E
	Visit(v Visitor)
}

func visitGroup[E any, P entry[E]](v Visitor, name string, entryLength int, entries []E) []E {
	if count := v.Group(name, entryLength, len(entries)); count != len(entries) {
		entries = make([]E, count)
	}
	for i := range entries {
		v.Entry(i)
		P(&entries[i]).Visit(v)
	}
	return entries
}

func choiceName(value uint8, names []string) string {
	if int(value) < len(names) {
		return names[value]
	}
	return strconv.Itoa(int(value))
}

func flagNames(value uint8, names []string) string {
	var set []string
	for bit, name := range names {
		if value>>bit&1 == 1 {
			set = append(set, name)
		}
	}
	return strings.Join(set, "|")
}

// writer writes the fields of a message into a frame; what no field covers is 0.
type writer struct {
	frame                    []byte
	base, start, entryLength int
}

func (w *writer) Number(_ string, offset, size int, value uint64) uint64 {
	var bytes [8]byte
	binary.LittleEndian.PutUint64(bytes[:], value)
	copy(w.frame[w.base+offset:], bytes[:size])
	return value
}

func (w *writer) Nullable(name string, offset, size int, value, _ uint64) uint64 {
	return w.Number(name, offset, size, value)
}

func (w *writer) Integer(name string, offset, size int, value int64) int64 {
	return int64(w.Number(name, offset, size, uint64(value)))
}

func (w *writer) Text(_ string, offset, length int, value string) string {
	copy(w.frame[w.base+offset:w.base+offset+length], value)
	return value
}

func (w *writer) Bytes(_ string, offset int, value []byte) { copy(w.frame[w.base+offset:], value) }

func (w *writer) Choice(_ string, offset int, value uint8, _ []string) uint8 {
	w.frame[w.base+offset] = value
	return value
}

func (w *writer) Flags(_ string, offset int, value uint8, _ []string) uint8 {
	w.frame[w.base+offset] = value
	return value
}

func (w *writer) Group(_ string, entryLength, count int) int {
	w.frame = binary.LittleEndian.AppendUint16(w.frame, uint16(entryLength))
	w.frame = binary.LittleEndian.AppendUint16(w.frame, uint16(count))
	w.start, w.entryLength = len(w.frame), entryLength
	w.frame = append(w.frame, make([]byte, entryLength*count)...)
	return count
}

func (w *writer) Entry(index int) { w.base = w.start + index*w.entryLength }

// reader reads the fields of a message from a frame. A field that a shorter block of an older version lacks is null,
// or 0; what a longer block of a newer version has besides is skipped.
type reader struct {
	frame              []byte
	base, limit, start int
	isMalformed        bool
}

func (r *reader) read(offset, size int) []byte {
	if offset+size > r.limit {
		return nil
	}
	return r.frame[r.base+offset : r.base+offset+size]
}

func (r *reader) Number(name string, offset, size int, _ uint64) uint64 {
	return r.Nullable(name, offset, size, 0, 0)
}

func (r *reader) Nullable(_ string, offset, size int, _, null uint64) uint64 {
	var bytes [8]byte
	if copy(bytes[:], r.read(offset, size)) == 0 {
		return null
	}
	return binary.LittleEndian.Uint64(bytes[:])
}

func (r *reader) Integer(name string, offset, size int, _ int64) int64 {
	shift := 64 - 8*size
	return int64(r.Number(name, offset, size, 0)<<shift) >> shift
}

func (r *reader) Text(_ string, offset, length int, _ string) string {
	text, _, _ := strings.Cut(string(r.read(offset, length)), "\x00")
	return text
}

func (r *reader) Bytes(_ string, offset int, value []byte) {
	copy(value, r.read(offset, len(value)))
}

func (r *reader) Choice(name string, offset int, _ uint8, _ []string) uint8 {
	return uint8(r.Number(name, offset, 1, 0))
}

func (r *reader) Flags(name string, offset int, _ uint8, _ []string) uint8 {
	return uint8(r.Number(name, offset, 1, 0))
}

func (r *reader) Group(_ string, _, _ int) int {
	r.start = r.base + r.limit + 4
	if r.start > len(r.frame) {
		r.isMalformed = true
		return 0
	}
	r.limit = int(binary.LittleEndian.Uint16(r.frame[r.start-4:]))
	count := int(binary.LittleEndian.Uint16(r.frame[r.start-2:]))
	if r.start+r.limit*count > len(r.frame) {
		r.isMalformed = true
		return 0
	}
	return count
}

func (r *reader) Entry(index int) { r.base = r.start + index*r.limit }

// printer prints the fields, one a line: name, space, value. Nulls are null, bytes hexadecimal digits.
type printer struct {
	text          strings.Builder
	group, prefix string
}

func (p *printer) line(name string, value any) {
	fmt.Fprintf(&p.text, "%s%s %v\n", p.prefix, name, value)
}

func (p *printer) Number(name string, _, _ int, value uint64) uint64 {
	p.line(name, value)
	return value
}

func (p *printer) Nullable(name string, _, _ int, value, null uint64) uint64 {
	if value == null {
		p.line(name, "null")
	} else {
		p.line(name, value)
	}
	return value
}

func (p *printer) Integer(name string, _, _ int, value int64) int64 {
	p.line(name, value)
	return value
}

func (p *printer) Text(name string, _, _ int, value string) string {
	p.line(name, value)
	return value
}

func (p *printer) Bytes(name string, _ int, value []byte) { p.line(name, hex.EncodeToString(value)) }

func (p *printer) Choice(name string, _ int, value uint8, names []string) uint8 {
	p.line(name, choiceName(value, names))
	return value
}

func (p *printer) Flags(name string, _ int, value uint8, names []string) uint8 {
	p.line(name, flagNames(value, names))
	return value
}

func (p *printer) Group(name string, _, count int) int {
	p.line(name, count)
	p.group = name
	return count
}

func (p *printer) Entry(index int) { p.prefix = fmt.Sprintf("%s[%d].", p.group, index) }

// Print returns the fields of a message, one a line.
func Print(m Message) string {
	var p printer
	m.Visit(&p)
	return p.text.String()
}

// Encode returns the frame of a message.
func Encode(m Message) []byte {
	w := writer{frame: make([]byte, headerLength+m.BlockLength()), base: headerLength}
	for i, value := range []uint16{encodingType, uint16(m.BlockLength()), m.Template(), SchemaID, SchemaVersion} {
		binary.LittleEndian.PutUint16(w.frame[2+2*i:], value)
	}
	m.Visit(&w)
	binary.LittleEndian.PutUint16(w.frame, uint16(len(w.frame)))
	return w.frame
}

// Decode returns the message in a whole frame; nil for a template that this schema lacks.
func Decode(frame []byte) (Message, error) {
	if len(frame) < headerLength || binary.LittleEndian.Uint16(frame[8:]) != SchemaID {
		return nil, ErrMalformed
	}
	limit := int(binary.LittleEndian.Uint16(frame[4:]))
	if headerLength+limit > len(frame) {
		return nil, ErrMalformed
	}
	m := Make(binary.LittleEndian.Uint16(frame[6:]))
	if m == nil {
		return nil, nil
	}
	r := reader{frame: frame, base: headerLength, limit: limit}
	m.Visit(&r)
	if r.isMalformed {
		return nil, ErrMalformed
	}
	return m, nil
}
