package standin

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// entry is what one request changes: a line of the journal.
type entry struct {
	Balances  map[string]int64 `json:"balances,omitempty"` // added
	Account   *account         `json:"account,omitempty"`
	Transfer  *transfer        `json:"transfer,omitempty"`
	Reversal  *reversal        `json:"reversal,omitempty"`
	Key       *keptAnswer      `json:"key,omitempty"`
	Event     *event           `json:"event,omitempty"`
	Delivered string           `json:"delivered,omitempty"` // an event's id
}

// journal is an append-only file of entries, one a line, each on disk before it counts.
type journal struct{ file *os.File }

// openJournal opens or makes a journal and applies what it holds. A last line that a
// death left unfinished is cut off: its request was never answered. Two processes cannot
// hold one journal.
func openJournal(path string, apply func(entry)) (j *journal, fresh bool, err error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, false, fmt.Errorf("open the journal of the Stripe stand-in: %w", err)
	}
	defer func() {
		if err != nil {
			_ = file.Close()
		}
	}()
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, false, fmt.Errorf("the journal of the Stripe stand-in, %s, is in use by another process: %w", path, err)
	}
	reader := bufio.NewReader(file)
	var whole int64
	for number := 1; ; number++ {
		line, err := reader.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, false, fmt.Errorf("read the journal of the Stripe stand-in: %w", err)
		}
		var e entry
		if err := json.Unmarshal(bytes.TrimSuffix(line, []byte("\n")), &e); err != nil {
			return nil, false, fmt.Errorf("line %d of the journal of the Stripe stand-in, %s, is damaged: %w", number, path, err)
		}
		apply(e)
		whole += int64(len(line))
	}
	if err := file.Truncate(whole); err != nil {
		return nil, false, fmt.Errorf("cut the journal of the Stripe stand-in: %w", err)
	}
	if _, err := file.Seek(whole, io.SeekStart); err != nil {
		return nil, false, fmt.Errorf("read the journal of the Stripe stand-in: %w", err)
	}
	return &journal{file}, whole == 0, nil
}

func (j *journal) append(e entry) error {
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	at, err := j.file.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	if _, err = j.file.Write(append(line, '\n')); err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		// What is half written must not stand before the next entry.
		_ = j.file.Truncate(at)
		_, _ = j.file.Seek(at, io.SeekStart)
	}
	return err
}

// close lets the journal go also where a program started at the same moment still holds a
// copy of the file.
func (j *journal) close() error {
	return errors.Join(syscall.Flock(int(j.file.Fd()), syscall.LOCK_UN), j.file.Close())
}

// commit writes an entry down, then makes it true.
func (s *Server) commit(e entry) error {
	if s.journal != nil {
		if err := s.journal.append(e); err != nil {
			return err
		}
	}
	s.apply(e)
	return nil
}

// apply makes an entry true.
func (s *Server) apply(e entry) {
	for currency, amount := range e.Balances {
		s.balances[currency] += amount
	}
	if a := e.Account; a != nil {
		s.accounts[a.ID] = a
	}
	if t := e.Transfer; t != nil {
		s.transfer[t.ID] = t
		s.order = append(s.order, t)
		s.groups[t.TransferGroup] = append(s.groups[t.TransferGroup], t)
		s.balances[t.Currency] -= t.Amount
	}
	if r := e.Reversal; r != nil {
		t := s.transfer[r.Transfer]
		t.Reversals.Data = append(t.Reversals.Data, r)
		t.AmountReversed += r.Amount
		t.Reversed = t.AmountReversed == t.Amount
		s.balances[r.Currency] += r.Amount
	}
	if e.Key != nil {
		s.keys[e.Key.Key] = e.Key
	}
	if e.Event != nil {
		s.events = append(s.events, e.Event)
		if s.hooks != nil {
			s.hooks.wake()
		}
	}
	if e.Delivered != "" {
		s.sent++ // events are sent in order
	}
}
