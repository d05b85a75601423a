package joulebook

import (
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"
)

// Each golden vector of clients/vectors.txt is read, printed and written again: both must be what the file says.
func TestVectors(t *testing.T) {
	text, err := os.ReadFile("../vectors.txt")
	if err != nil {
		t.Fatal(err)
	}
	vectors := strings.Split(strings.TrimSuffix(string(text), "\n\n"), "\n\n")
	for _, vector := range vectors {
		head, fields, _ := strings.Cut(vector, "\n")
		words := strings.Fields(head)
		frame, err := hex.DecodeString(words[2])
		if err != nil {
			t.Fatal(err)
		}
		message, err := Decode(frame)
		if err != nil || message == nil || message.MessageName() != words[0] {
			t.Fatalf("%s: read as %v, %v", head, message, err)
		}
		if printed := strings.TrimSuffix(Print(message), "\n"); printed != fields {
			t.Errorf("%s: fields\n%s\ninstead of\n%s", head, printed, fields)
		}
		// Frames of other versions of the schema are read, not written.
		isWritten := words[1] != "older" && words[1] != "newer"
		if written := hex.EncodeToString(Encode(message)); isWritten && written != words[2] {
			t.Errorf("%s: another frame is written: %s", head, written)
		}
		for length := range frame {
			if _, err := Decode(frame[:length]); err == nil {
				t.Fatalf("%s: a frame of %d bytes is read", head, length)
			}
		}
	}
	if len(vectors) < 100 {
		t.Fatal("vectors are missing")
	}
	t.Logf("%d vectors", len(vectors))
}

// A book takes the frames of clients/book.txt: after each it must be what the file says.
func TestBook(t *testing.T) {
	text, err := os.ReadFile("../book.txt")
	if err != nil {
		t.Fatal(err)
	}
	book := NewLevelBook(1)
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		digits, expected, _ := strings.Cut(line, " ")
		frame, err := hex.DecodeString(digits)
		if err != nil {
			t.Fatal(err)
		}
		message, err := Decode(frame)
		if err != nil {
			t.Fatal(err)
		}
		missing := book.Take(message)
		bid, ask := book.Best(1, SideBuy), book.Best(1, SideSell)
		found := fmt.Sprintf("missing %d bid %d at %d ask %d at %d", missing, bid.Live, bid.Price, ask.Live, ask.Price)
		if found != expected {
			t.Errorf("%s instead of %s", found, expected)
		}
	}
	if !book.IsComplete {
		t.Error("the book is not complete")
	}
}
