package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/moov-io/ach"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/deploy/local/processes"
	"github.com/guerdon/guerdon/deploy/local/temporal"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments/nacha/standin"
)

// trial is how the accounts of a cycle are tried that a rail pays only then.
type trial struct {
	Approved bool // once the period is approved, and not before it is locked
	Lost     bool // the file is lost on the way, and fetched again
	Again    bool // it is taken to the bank twice
	Doubled  bool // what comes back is handed in twice
	Released bool // what comes back too late does so after the release, and not before
}

// entriesOf are the entries of an ACH file.
func entriesOf(content []byte) (all []*ach.EntryDetail, err error) {
	file, err := ach.NewReader(bytes.NewReader(content)).Read()
	if err != nil {
		return nil, err
	}
	for _, batch := range file.Batches {
		all = append(all, batch.GetEntries()...)
	}
	return all, nil
}

// payeeOf is whom an entry pays, or tries the account of.
func payeeOf(entry *ach.EntryDetail) string {
	return someone.FindString(strings.ToLower(entry.IndividualName))
}

// tries passes the prenotes of a file on: entries of nothing.
func (b *fileBank) tries(content []byte) error {
	entries, err := entriesOf(content)
	if err != nil {
		return fmt.Errorf("the bank cannot read prenotes: %w", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, entry := range entries {
		if entry.TransactionCode != ach.CheckingPrenoteCredit || entry.Amount != 0 {
			return fmt.Errorf("a prenote has the code %d and pays %d", entry.TransactionCode, entry.Amount)
		}
		b.tried[entry.DFIAccountNumber] = true
	}
	return nil
}

// knows lets accounts be paid from now on.
func (b *fileBank) knows(content []byte, bad func(payee string) bool) error {
	entries, err := entriesOf(content)
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, entry := range entries {
		if b.tried[entry.DFIAccountNumber] && !bad(payeeOf(entry)) {
			b.known[entry.DFIAccountNumber] = true
		}
	}
	return err
}

// unknown is of a file that pays an account of which it is not known that it is good.
func (b *fileBank) unknown(content []byte) error {
	entries, err := entriesOf(content)
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, entry := range entries {
		if !b.known[entry.DFIAccountNumber] {
			return fmt.Errorf("%s is paid before the account is known to be good", payeeOf(entry))
		}
	}
	return err
}

// triesWhen tries accounts where the plan says so: once the period is approved, or before.
func (d *desk) triesWhen(ctx context.Context, approved bool) error {
	if d.plan.Trial == nil || d.plan.Trial.Approved != approved {
		return nil
	}
	return d.tries(ctx)
}

// tries has the accounts tried that are to be paid by a rail which pays only then.
func (d *desk) tries(ctx context.Context) error {
	accounts, bad := 0, map[account]func(string) bool{}
	for _, when := range []account{badAtOnce, badLater} {
		bad[when] = func(payee string) bool { return d.payees[payee] != nil && d.payees[payee].Account == when }
	}
	for _, one := range d.plan.Payees {
		if one.Rail == processes.NACHATried {
			accounts++
		}
	}
	as := d.plan.Trial
	f, err := ask[client.PrenoteFile](ctx, func(key string) (*http.Response, error) {
		return d.people["fin2"].BuildPrenotes(ctx, &client.BuildPrenotesParams{IdempotencyKey: key}, client.PrenotesRequest{Rail: processes.NACHATried})
	})
	if err == nil && f.Accounts != accounts {
		err = fmt.Errorf("%d accounts are tried of %d", f.Accounts, accounts)
	}
	if err != nil {
		return fmt.Errorf("have prenotes built: %w", err)
	}
	d.tally.tried += accounts
	var content []byte
	for range map[bool]int{true: 2, false: 1}[as.Lost] {
		if content, err = processes.Ask(ctx, func(string) ([]byte, error) { return client.Bytes(d.people["fin2"].GetPrenotes(ctx, f.Id)) }); err != nil {
			return fmt.Errorf("fetch prenotes: %w", err)
		}
	}
	for range map[bool]int{true: 2, false: 1}[as.Again] {
		if err := d.bank.tries(content); err != nil {
			return err
		}
	}
	if _, err := ask[client.PrenoteFile](ctx, func(key string) (*http.Response, error) {
		return d.people["fin2"].ConfirmPrenotes(ctx, f.Id, &client.ConfirmPrenotesParams{IdempotencyKey: key})
	}); err != nil {
		return fmt.Errorf("confirm prenotes: %w", err)
	}
	d.log.say("%d accounts are tried", accounts)
	if err := d.sendsBack(ctx, content, bad[badAtOnce]); err != nil {
		return err
	}
	if err := d.bank.knows(content, bad[badAtOnce]); err != nil {
		return err
	}
	if err := d.daysPass(ctx, f.Id); err != nil {
		return err
	}
	d.comesLate = func() error { return d.sendsBack(ctx, content, bad[badLater]) }
	if as.Released {
		return nil
	}
	return d.late()
}

// late has what comes back of prenotes too late do so, once.
func (d *desk) late() error {
	comes := d.comesLate
	if d.comesLate = nil; comes == nil {
		return nil
	}
	return comes()
}

// daysPass lets the days pass in which something may come back of prenotes.
func (d *desk) daysPass(ctx context.Context, file string) error {
	err := until(ctx, "the days of prenotes are over", func() (bool, error) {
		passed, err := texts(ctx, d.house.DatabaseURL, `WITH over AS (UPDATE guerdon.prenote_file SET tried_on = '2026-01-02' WHERE id::text = $1 AND confirmed_at IS NOT NULL AND passed_at IS NULL)
			SELECT id::text FROM guerdon.prenote_file WHERE id::text = $1 AND passed_at IS NOT NULL`, file)
		if err != nil || len(passed) > 0 {
			return err == nil, err
		}
		skipping, stop := context.WithTimeout(ctx, 2*time.Second)
		defer stop()
		_ = temporal.SkipTime(skipping, d.house.Client, activities.PrenotesID(file), "", 30*24*time.Hour) // Temporal or the worker may be away
		return false, nil
	})
	if err == nil {
		d.log.say("the days of the prenotes are over")
	}
	return err
}

// sendsBack hands in what the bank sends back of a file: what it says of entries to some.
func (d *desk) sendsBack(ctx context.Context, content []byte, of func(payee string) bool) error {
	entries, err := entriesOf(content)
	if err != nil {
		return err
	}
	var answers []standin.Answer
	var who []string
	for _, entry := range entries {
		if of(payeeOf(entry)) {
			answers, who = append(answers, standin.Answer{Trace: entry.TraceNumberField(), Code: "R03"}), append(who, payeeOf(entry))
		}
	}
	if len(answers) == 0 {
		return nil
	}
	back, err := standin.SendBack(content, incentive.DateOf(time.Now().UTC()), answers...)
	if err != nil {
		return err
	}
	for range map[bool]int{true: 2, false: 1}[d.plan.Trial.Doubled] {
		_, err := processes.Ask(ctx, func(key string) (client.StatusFile, error) {
			return d.people["fin2"].UploadStatus(ctx, key, processes.NACHATried, client.File{Name: "back.ach", Content: bytes.NewReader(back)})
		})
		if err != nil {
			return fmt.Errorf("hand in what came back: %w", err)
		}
	}
	err = until(ctx, "what came back is applied", func() (bool, error) {
		waiting, err := texts(ctx, d.house.DatabaseURL, `SELECT id::text FROM guerdon.status_file WHERE applied_at IS NULL`)
		return len(waiting) == 0, err
	})
	for _, payee := range who {
		d.log.say("the bank has sent back an entry of %s", payee)
		if d.sentBack[payee].IsZero() {
			d.sentBack[payee] = time.Now()
		}
	}
	return err
}

// triedFirst checks that nobody is in a payment file that was built before the account was known
// to be good, or after it was known not to be.
func (w *world) triedFirst(ctx context.Context, d *desk) error {
	connection, err := pgx.Connect(ctx, w.house.DatabaseURL)
	if err != nil {
		return err
	}
	defer connection.Close(ctx)
	rows, err := connection.Query(ctx, `
		SELECT o.participant_id, f.built_at, (SELECT min(pf.passed_at) FROM guerdon.prenote p JOIN guerdon.prenote_file pf ON pf.id = p.file_id WHERE p.rail_account_id = t.rail_account_id)
		FROM guerdon.payment_trace n JOIN guerdon.payment_file f ON f.id = n.file_id JOIN guerdon.payout o ON o.id = n.payout_id JOIN guerdon.destination t ON t.id = o.destination_id
		WHERE o.period_id = $1 AND f.rail = $2`, d.period, processes.NACHATried)
	if err != nil {
		return err
	}
	var who string
	var built time.Time
	var passed *time.Time
	var wrong []error
	_, err = pgx.ForEachRow(rows, []any{&who, &built, &passed}, func() error {
		if passed == nil || built.Before(*passed) {
			wrong = append(wrong, fmt.Errorf("%s is in a file of before the account was known to be good", who))
		}
		if back := d.sentBack[who]; !back.IsZero() && built.After(back) {
			wrong = append(wrong, fmt.Errorf("%s is in a file, and the bank had sent a prenote back", who))
		}
		return nil
	})
	return errors.Join(append(wrong, err)...)
}
