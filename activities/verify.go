package activities

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/calculation"
	"github.com/guerdon/guerdon/incentive/proof"
	"github.com/guerdon/guerdon/store"
)

// CodeNotProved says that a stored result is not what its snapshot gives.
const CodeNotProved = proof.CodeNotProved

// CodeArchiveIncomplete says that something has ended whose history is not archived yet.
const CodeArchiveIncomplete incentive.Code = "archive-incomplete"

// Proof is what a verification of a period found.
type Proof struct {
	PeriodID       string           `json:"period"`
	Revision       int              `json:"revision"`
	State          incentive.State  `json:"state"`
	SnapshotDigest incentive.Digest `json:"snapshot_digest"`
	RunDigest      incentive.Digest `json:"run_digest"`
	Statements     int              `json:"statements"`
	Books          `json:"-"`
}

// Books is what a verification of ledger and audit chain found.
type Books struct {
	JournalEntries int              `json:"journal_entries"`
	AuditLinks     int64            `json:"audit_links"`
	AuditHead      incentive.Digest `json:"audit_head"`
}

// Replayed is what was found of a period's archived histories.
type Replayed struct {
	Histories    int      `json:"histories"`     // of the period; 0 while its archive is not complete
	Disputes     int      `json:"disputes"`      // of the period that have their outcome, with a history that is archived
	Unarchived   []string `json:"unarchived"`    // the disputes that have their outcome, and no archive yet
	OpenDisputes int      `json:"open_disputes"` // of the period that have no outcome yet
	CutShort     []string `json:"cut_short"`     // the workflows that somebody terminated, that failed or that took too long
}

// Whole returns an error of code CodeArchiveIncomplete where something of a period in a state
// has ended and its history is not archived yet.
func (r Replayed) Whole(state incentive.State) error {
	if (state == incentive.Closed || state == incentive.Cancelled) && r.Histories == 0 {
		return incentive.Errorf(CodeArchiveIncomplete, "the period is %s and its history is not archived yet, so its closing event was not found: verify again shortly", state)
	}
	if len(r.Unarchived) > 0 {
		return incentive.Errorf(CodeArchiveIncomplete, "the history of dispute %s is not archived yet, so its closing event was not found: verify again shortly", r.Unarchived[0])
	}
	return nil
}

// VerifyBooks proves that every journal entry balances and that the audit chain is whole.
func VerifyBooks(ctx context.Context, s *store.Store) (b Books, err error) {
	if b.JournalEntries, err = s.VerifyLedger(ctx); err != nil {
		return b, err
	}
	links, head, err := s.VerifyAudit(ctx)
	b.AuditLinks = links
	copy(b.AuditHead[:], head)
	return b, err
}

// Verify proves a period and the books.
func Verify(ctx context.Context, s *store.Store, periodID string, revision int) (Proof, error) {
	found, err := VerifyPeriod(ctx, s, periodID, revision)
	if err == nil {
		found.Books, err = VerifyBooks(ctx, s)
	}
	return found, err
}

// VerifyPeriod proves a period again: the snapshot still has its digest, calculating it anew
// gives the run's digest and every stored statement, the explanations give their lines,
// the audit chain names snapshot and run, and the period's postings tell the same story
// as its payouts. Anything else is an error that names what differs.
func VerifyPeriod(ctx context.Context, s *store.Store, periodID string, revision int) (Proof, error) {
	e, err := examine(ctx, s, periodID, revision)
	if err != nil {
		return Proof{}, err
	}
	for _, check := range e.results() {
		if err := e.make(ctx, check.name, check.do); err != nil {
			return e.found, err
		}
		if err := e.report.Failure(); err != nil {
			return e.found, err
		}
	}
	return e.found, nil
}

// examination is a verification of a revision under way.
type examination struct {
	store  *store.Store
	period store.PeriodRevision
	report proof.PeriodReport
	found  Proof
	tell   func(check string, done, total int) error

	run        store.Run
	frozen     []byte // digest that the lock gave the snapshot
	snapshot   incentive.Snapshot
	calculated []incentive.Statement
	digests    []incentive.Digest // of these
}

// examine begins a verification. A period without a result is an error.
func examine(ctx context.Context, s *store.Store, periodID string, revision int) (*examination, error) {
	p, err := s.PeriodRevision(ctx, periodID, revision)
	if err != nil {
		return nil, err
	}
	if p.RunID == nil {
		return nil, incentive.Errorf(incentive.CodeConflict, "period %s is %s: there is no result to verify yet", periodID, p.State)
	}
	e := &examination{store: s, period: p, tell: func(string, int, int) error { return nil }, found: Proof{PeriodID: p.ID, Revision: p.Revision, State: p.State},
		report: proof.PeriodReport{
			Format:        proof.ReportFormat,
			Period:        p.ID,
			Revision:      p.Revision,
			State:         p.State,
			EngineVersion: calculation.EngineVersion,
			Checks:        []proof.Check{},
		}}
	e.run, err = s.Run(ctx, *p.RunID)
	return e, err
}

// check is one of an examination.
type check struct {
	name string
	do   func(context.Context, *proof.Check) error
}

// results are the checks of what was calculated and paid.
func (e *examination) results() []check {
	return []check{{proof.CheckSnapshot, e.checkSnapshot}, {proof.CheckStatements, e.checkStatements}, {proof.CheckRun, e.checkRun}, {proof.CheckChained, e.checkChained}, {proof.CheckPayouts, e.checkPayouts}}
}

// make makes a check. What it finds goes into the report; the error is that of a check that
// could not be made.
func (e *examination) make(ctx context.Context, name string, do func(context.Context, *proof.Check) error) error {
	if err := e.tell(name, 0, 0); err != nil {
		return err
	}
	c := proof.Check{Name: name, Outcome: proof.Proved, Findings: []proof.Finding{}}
	if err := do(ctx, &c); err != nil {
		if ctx.Err() != nil || incentive.ErrorCode(err) == incentive.CodeInternal {
			return err
		}
		c.Found(finding("", "", err))
	}
	e.report.Checks = append(e.report.Checks, c)
	return nil
}

// finding is an error as one.
func finding(subject, participantID string, err error) proof.Finding {
	return proof.Finding{Subject: subject, Participant: participantID, Code: incentive.ErrorCode(err), Message: incentive.ErrorMessage(err)}
}

func notProved(subject, participantID, format string, arguments ...any) proof.Finding {
	return finding(subject, participantID, incentive.Errorf(CodeNotProved, format, arguments...))
}

// checkSnapshot holds the records against what the lock froze.
func (e *examination) checkSnapshot(ctx context.Context, c *proof.Check) (err error) {
	if e.run.EngineVersion != calculation.EngineVersion {
		return incentive.Errorf(CodeNotProved, "the run was made by engine %s, and this program has %s: verify it with a program of that version", e.run.EngineVersion, calculation.EngineVersion)
	}
	if e.snapshot, e.frozen, err = e.store.Snapshot(ctx, e.run.SnapshotID); err != nil {
		return err
	}
	e.found.SnapshotDigest = e.snapshot.Digest()
	c.Count, c.Digest = int64(len(e.snapshot.Transactions)), hexOf(e.found.SnapshotDigest)
	if !bytes.Equal(e.found.SnapshotDigest[:], e.frozen) {
		c.Found(notProved(fmt.Sprintf("snapshot/%d", e.run.SnapshotID), "", "the records of snapshot %d have changed since they were frozen: digest %x, frozen as %x", e.run.SnapshotID, e.found.SnapshotDigest, e.frozen))
	}
	return nil
}

func hexOf(d incentive.Digest) string { return fmt.Sprintf("%x", d[:]) }

// checkStatements calculates every statement anew, and does the arithmetic of each
// explanation again.
func (e *examination) checkStatements(ctx context.Context, c *proof.Check) (err error) {
	if e.frozen == nil { // another engine's
		c.Outcome = proof.Later
		return nil
	}
	if e.calculated, err = calculation.Calculate(ctx, e.snapshot); err != nil {
		if ctx.Err() != nil {
			return err
		}
		c.Found(proof.Finding{Code: CodeNotProved, Message: fmt.Sprintf("calculated anew the snapshot gives no result: %v", err)})
		return nil
	}
	stored, err := e.store.RunStatements(ctx, e.run.ID)
	if err != nil {
		return err
	}
	kept, err := e.store.StatementDigests(ctx, e.run.ID)
	if err != nil {
		return err
	}
	if len(stored) != len(e.calculated) {
		c.Found(notProved(fmt.Sprintf("run/%d", e.run.ID), "", "the run has %d statements, and the snapshot gives %d", len(stored), len(e.calculated)))
	}
	of := make(map[string]incentive.Statement, len(stored))
	for _, s := range stored {
		of[s.ParticipantID] = s
	}
	e.digests = make([]incentive.Digest, len(e.calculated))
	for i, anew := range e.calculated {
		e.digests[i] = anew.Digest()
		is, there := of[anew.ParticipantID]
		delete(of, anew.ParticipantID)
		if !e.concerns(anew.ParticipantID) {
			continue
		}
		c.Count++
		if err := e.tell(c.Name, i+1, len(e.calculated)); err != nil {
			return err
		}
		subject := "statement/" + anew.ParticipantID
		switch {
		case !there:
			c.Found(notProved(subject, anew.ParticipantID, "the run has no statement of %s, and the snapshot gives one", anew.ParticipantID))
			continue
		case is.Digest() != e.digests[i]:
			c.Found(notProved(subject, anew.ParticipantID, "the stored statement of %s is not what the snapshot gives: %s", anew.ParticipantID, differs(is, anew)))
			continue
		case kept[anew.ParticipantID] != (store.StatementDigest{Digest: e.digests[i], Total: anew.Total()}):
			c.Found(notProved(subject, anew.ParticipantID, "the statement of %s is kept under the digest %x with the total %s, and it has %x and %s", anew.ParticipantID,
				kept[anew.ParticipantID].Digest, kept[anew.ParticipantID].Total, e.digests[i], anew.Total()))
		}
		for _, line := range is.Lines {
			if err := calculation.CheckLine(line); err != nil {
				c.Found(finding(subject, anew.ParticipantID, incentive.Errorf(CodeNotProved, "do the arithmetic of the statement of %s again: %v", anew.ParticipantID, err)))
			}
		}
	}
	for _, s := range stored {
		if _, extra := of[s.ParticipantID]; extra && e.concerns(s.ParticipantID) {
			c.Found(notProved("statement/"+s.ParticipantID, s.ParticipantID, "the run has a statement of %s, and the snapshot gives none", s.ParticipantID))
		}
	}
	e.found.Statements = len(stored)
	return nil
}

// concerns reports whether somebody's statement is asked about.
func (e *examination) concerns(participantID string) bool {
	return e.report.Participant == "" || e.report.Participant == participantID
}

// differs says in what a stored statement is not the one calculated anew.
func differs(stored, anew incentive.Statement) string {
	if len(stored.Lines) != len(anew.Lines) {
		return fmt.Sprintf("it has %d lines, and calculated anew %d", len(stored.Lines), len(anew.Lines))
	}
	for i, line := range stored.Lines {
		again := anew.Lines[i]
		alone := func(l incentive.Line) incentive.Digest {
			return incentive.Statement{Lines: []incentive.Line{l}}.Digest()
		}
		switch {
		case alone(line) == alone(again):
		case line.Component != again.Component || line.PlanID != again.PlanID:
			return fmt.Sprintf("line %d is %s, and calculated anew %s", i+1, line.Component, again.Component)
		case line.Amount != again.Amount:
			return fmt.Sprintf("line %d, %s, says %s, and calculated anew it is %s", i+1, line.Component, line.Amount, again.Amount)
		default:
			return fmt.Sprintf("the explanation or the contributions of line %d, %s, are others", i+1, line.Component)
		}
	}
	return "its period or currency is another"
}

// checkRun holds the digest of the run against that of what was calculated anew.
func (e *examination) checkRun(_ context.Context, c *proof.Check) error {
	if e.digests == nil {
		c.Outcome = proof.Later
		return nil
	}
	e.found.RunDigest = incentive.RunDigest(e.found.SnapshotDigest, e.run.EngineVersion, e.digests)
	c.Count, c.Digest = 1, hexOf(e.found.RunDigest)
	if !bytes.Equal(e.found.RunDigest[:], e.run.Digest) {
		c.Found(notProved(fmt.Sprintf("run/%d", e.run.ID), "", "the run's digest is %x, and the snapshot gives %x", e.run.Digest, e.found.RunDigest))
	}
	return nil
}

// checkChained looks for snapshot and run in the audit chain.
func (e *examination) checkChained(ctx context.Context, c *proof.Check) error {
	if e.frozen == nil {
		c.Outcome = proof.Later
		return nil
	}
	c.Count = 2
	return e.store.VerifyChained(ctx, e.period, e.frozen, e.run.Digest)
}

// checkPayouts holds the ledger against the payouts.
func (e *examination) checkPayouts(ctx context.Context, c *proof.Check) error {
	count, wrong, err := e.store.WrongPayouts(ctx, e.period.ID, e.period.Revision, e.report.Participant)
	if err != nil {
		return err
	}
	c.Count = int64(count)
	for _, o := range wrong {
		c.Found(finding("payout/"+o.ID, o.ParticipantID, o.Err()))
	}
	return nil
}

// checkLedger looks for journal entries that do not balance.
func (e *examination) checkLedger(ctx context.Context, c *proof.Check) error {
	count, broken, err := e.store.BrokenEntries(ctx)
	if err != nil {
		return err
	}
	c.Count = int64(count)
	for _, key := range broken {
		c.Found(finding("journal-entry/"+key, "", store.UnbalancedEntry(key)))
	}
	return nil
}

// checkAuditChain recomputes the audit chain.
func (e *examination) checkAuditChain(ctx context.Context, c *proof.Check) error {
	links, head, err := e.store.VerifyAudit(ctx)
	if err == nil {
		c.Count, c.Digest = links, fmt.Sprintf("%x", head)
	}
	return err
}

// checkHistories replays what is archived of the period, and of its disputes.
func (e *examination) checkHistories(replay func(context.Context, *store.Store, string, int) (Replayed, error)) func(context.Context, *proof.Check) error {
	return func(ctx context.Context, c *proof.Check) error {
		found, err := replay(ctx, e.store, e.period.ID, e.period.Revision)
		if err != nil {
			return err
		}
		c.Count, c.CutShort = int64(found.Histories), found.CutShort
		if found.Histories == 0 {
			c.Outcome = proof.Later
		}
		disputes := proof.Check{Name: proof.CheckDisputes, Outcome: proof.Proved, Count: int64(found.Disputes), Open: found.OpenDisputes, Findings: []proof.Finding{}}
		if found.Disputes == 0 && found.OpenDisputes > 0 {
			disputes.Outcome = proof.Later
		}
		e.report.Checks = append(e.report.Checks, disputes)
		return found.Whole(e.period.State)
	}
}

// verifyAttempts is how often a check is tried, while the database answers, before it is kept
// that it cannot be made: what is damaged may not even be readable.
const verifyAttempts = 3

// Verify makes a verification that was asked for, and keeps what it found. It may be begun
// again at any time: what is kept stands.
func (a *Activities) Verify(ctx context.Context, id int64) error {
	defer heartbeat(ctx)()
	v, err := a.Store.Verification(ctx, id)
	if err != nil || v.EndedAt != nil {
		return err
	}
	e, err := examine(ctx, a.Store, v.PeriodID, v.Revision)
	if err != nil {
		return err
	}
	e.report.Participant = v.ParticipantID
	told, last := time.Time{}, ""
	e.tell = func(check string, done, total int) error {
		if now := a.Now(); check != last || now.Sub(told) > time.Second {
			told, last = now, check
			return a.Store.TellProgress(ctx, id, store.VerificationProgress{Check: check, Done: done, Total: total})
		}
		return ctx.Err()
	}
	checks := append(e.results(), check{proof.CheckLedger, e.checkLedger}, check{proof.CheckAuditChain, e.checkAuditChain})
	if v.ParticipantID == "" {
		checks = append(checks, check{proof.CheckHistories, e.checkHistories(a.Replay)})
	}
	for _, c := range checks {
		err := e.make(ctx, c.name, c.do)
		if err != nil && activity.GetInfo(ctx).Attempt >= verifyAttempts && ctx.Err() == nil && a.Store.Ping(ctx) == nil {
			activity.GetLogger(ctx).Error("a check cannot be made", "check", c.name, "error", err)
			damaged := proof.Check{Name: c.name, Findings: []proof.Finding{}}
			damaged.Found(notProved("", "", "the check cannot be made, though the database answers: what is stored may be damaged. The worker's log says more"))
			e.report.Checks = append(e.report.Checks, damaged)
			err = nil
		}
		if err != nil {
			return fmt.Errorf("verify %s, %s: %w", v.PeriodID, c.name, err)
		}
	}
	return a.keepVerification(ctx, v, e.report)
}

func (a *Activities) keepVerification(ctx context.Context, v store.Verification, report proof.PeriodReport) error {
	content, err := json.Marshal(report)
	if err != nil {
		return errors.Join(errors.New("write the report of a verification"), err)
	}
	return a.Store.KeepVerification(ctx, v.ID, report.Proved(), content)
}
