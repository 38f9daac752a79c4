package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/proof"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/worker"
)

type verify struct {
	What        string `arg:"" optional:"" placeholder:"PERIOD|FILE" help:"A period, or a file that guerdon export statement or guerdon export evidence has written; every period with a result when absent."`
	Revision    int    `help:"Of the period; the latest when absent."`
	DatabaseURL string `env:"DATABASE_URL" placeholder:"URL" help:"The PostgreSQL database, postgres://…; not needed for a file."`
}

func (v verify) Run(ctx context.Context, d *desk) error {
	if info, err := os.Stat(v.What); err == nil && info.Mode().IsRegular() {
		return v.file(ctx, d)
	}
	if v.DatabaseURL == "" {
		return incentive.Errorf(incentive.CodeInvalid, "there is no file %q, and a period is proved from the database: set DATABASE_URL, or name the file", v.What)
	}
	s, err := store.Open(ctx, v.DatabaseURL, store.Keys{})
	if err != nil {
		return err
	}
	defer s.Close()
	return v.database(ctx, d, s)
}

// failure is what was not proved, and why.
type failure struct {
	Of      string         `json:"of"`
	Code    incentive.Code `json:"code"`
	Message string         `json:"message"`
}

func failureOf(what string, err error) *failure {
	message := incentive.ErrorMessage(err)
	if incentive.ErrorCode(err) == incentive.CodeInternal {
		message = err.Error()
	}
	return &failure{what, incentive.ErrorCode(err), message}
}

// file proves a statement from a file alone.
func (v verify) file(ctx context.Context, d *desk) error {
	content, err := os.ReadFile(v.What)
	if err != nil {
		return fmt.Errorf("read the proof: %w", err)
	}
	if bytes.HasPrefix(content, []byte("PK")) {
		return v.pack(ctx, d, content)
	}
	f, err := proof.Read(content)
	if err != nil {
		return err
	}
	answer := struct {
		proof.Report
		Failure *failure `json:"failure,omitempty"`
	}{}
	if answer.Report, err = f.Verify(ctx); err != nil {
		answer.Failure = failureOf(v.What, err)
	}
	return told(answer.Failure != nil, d.show(answer, func(w *tabwriter.Writer) {
		fmt.Fprintf(w, "The statement of %s for %s, revision %d.\n\n", answer.Participant, answer.Period, answer.Revision)
		list(w, "Proved:", answer.Proved)
		if answer.Failure != nil {
			list(w, "\nFAILED, so that the file proves nothing:", []string{answer.Failure.Message})
			return
		}
		list(w, "\nNot proved:", answer.NotProved)
	}))
}

// pack proves the evidence pack of a period.
func (v verify) pack(ctx context.Context, d *desk, content []byte) error {
	answer := struct {
		proof.PackVerified
		Failure *failure `json:"failure,omitempty"`
	}{}
	var err error
	if answer.PackVerified, err = proof.VerifyPack(ctx, bytes.NewReader(content), int64(len(content))); err != nil {
		answer.Failure = failureOf(v.What, err)
	}
	return told(answer.Failure != nil, d.show(answer, func(w *tabwriter.Writer) {
		fmt.Fprintf(w, "The evidence of %s, revision %d.\n\n", answer.Period, answer.Revision)
		list(w, "Proved:", answer.Proved)
		if answer.Failure != nil {
			list(w, "\nFAILED, so that the pack proves nothing:", []string{answer.Failure.Message})
			return
		}
		list(w, "\nNot proved:", answer.NotProved)
	}))
}

func list(w *tabwriter.Writer, title string, items []string) {
	fmt.Fprintln(w, title)
	for _, item := range items {
		fmt.Fprintf(w, "  - %s\n", item)
	}
}

// told ends a command that has said what failed.
func told(failed bool, err error) error {
	if err == nil && failed {
		err = errAlreadyTold
	}
	return err
}

// verifiedPeriod is what was found of one revision of a period.
type verifiedPeriod struct {
	activities.Proof
	activities.Replayed
}

// database proves periods, and the books of the company.
func (v verify) database(ctx context.Context, d *desk, s *store.Store) error {
	revisions, err := v.revisions(ctx, s)
	if err != nil {
		return err
	}
	answer := struct {
		Periods []verifiedPeriod `json:"periods"`
		activities.Books
		NotProved []string   `json:"not_proved"`
		Failures  []*failure `json:"failures"`
	}{Periods: []verifiedPeriod{}, Failures: []*failure{}, NotProved: []string{
		"that the facts were true when they were imported: a proof begins with what the locks froze",
		"that money arrived: a payout is paid where its rail, or a person for a file, said so",
	}}
	failed := func(what string, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		answer.Failures = append(answer.Failures, failureOf(what, err))
		return nil
	}
	for _, p := range revisions {
		one := verifiedPeriod{}
		if one.Proof, err = activities.VerifyPeriod(ctx, s, p.ID, p.Revision); err == nil {
			one.Replayed, err = worker.Replay(ctx, s, p.ID, p.Revision)
		}
		if err == nil {
			err = one.Whole(p.State)
		}
		if err == nil {
			answer.Periods = append(answer.Periods, one)
		} else if err := failed(fmt.Sprintf("%s, revision %d", p.ID, p.Revision), err); err != nil {
			return err
		}
	}
	if answer.Books, err = activities.VerifyBooks(ctx, s); err != nil {
		if err := failed("the books", err); err != nil {
			return err
		}
	}
	return told(len(answer.Failures) > 0, d.show(answer, func(w *tabwriter.Writer) {
		for _, p := range answer.Periods {
			fmt.Fprintf(w, "%s, revision %d, is %s:\n", p.PeriodID, p.Revision, p.State)
			fmt.Fprintf(w, "  - The snapshot is unchanged, and the audit chain names it: %x.\n", p.SnapshotDigest[:])
			fmt.Fprintf(w, "  - Calculated anew, %d statements are the same, byte for byte, and the audit chain names the run: %x.\n", p.Statements, p.RunDigest[:])
			fmt.Fprintln(w, "  - The ledger's postings of the period tell the same story as its payouts.")
			if p.Histories > 0 {
				fmt.Fprintf(w, "  - %d recorded histories, each with its closing event, replay against this program, and the period's comes to its end.\n", p.Histories)
			} else {
				fmt.Fprintln(w, "  - Not proved: its history, which is archived once the period has ended.")
			}
			if p.Disputes > 0 {
				fmt.Fprintf(w, "  - The histories of %d disputes, each with its closing event, replay against this program.\n", p.Disputes)
			}
			if p.OpenDisputes > 0 {
				fmt.Fprintf(w, "  - Not proved: the histories of %d disputes, which are archived once each has its outcome.\n", p.OpenDisputes)
			}
			for _, id := range p.CutShort {
				fmt.Fprintf(w, "  - Not proved: that %s did all its work. Its history ends with a failure, a timeout or somebody's hand.\n", id)
			}
		}
		if answer.AuditLinks > 0 {
			fmt.Fprintf(w, "The ledger balances: %d journal entries.\n", answer.JournalEntries)
			fmt.Fprintf(w, "The audit chain is whole: %d links, up to %x.\n", answer.AuditLinks, answer.AuditHead[:])
		}
		list(w, "Not proved:", answer.NotProved)
		for _, f := range answer.Failures {
			fmt.Fprintf(w, "FAILED: %s: %s (%s)\n", f.Of, strings.ReplaceAll(f.Message, "\n", "; "), f.Code)
		}
	}))
}

// revisions lists what is to be proved.
func (v verify) revisions(ctx context.Context, s *store.Store) ([]store.PeriodRevision, error) {
	if v.What != "" {
		p, err := s.PeriodRevision(ctx, v.What, v.Revision)
		return []store.PeriodRevision{p}, err
	}
	all := []store.PeriodRevision{}
	after := store.PeriodRevision{}
	for {
		page, err := s.PeriodRevisions(ctx, after.ID, after.Revision, 100)
		if err != nil || len(page) == 0 {
			return all, err
		}
		for _, p := range page {
			if p.RunID != nil {
				all = append(all, p)
			}
			after = p
		}
	}
}
