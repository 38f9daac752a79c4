package proof

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/calculation"
)

// Report says what of a file was proved, in sentences for people.
type Report struct {
	Period      string          `json:"period"`
	Revision    int             `json:"revision"`
	Participant string          `json:"participant"`
	Total       incentive.Money `json:"total"`
	Proved      []string        `json:"proved"`
	NotProved   []string        `json:"not_proved"`
}

func (r *Report) proved(format string, arguments ...any) {
	r.Proved = append(r.Proved, fmt.Sprintf(format, arguments...))
}

// CodeNotProved says that something in a file does not follow from the rest of it.
const CodeNotProved incentive.Code = "not-proved"

func wrong(format string, arguments ...any) error {
	return incentive.Errorf(CodeNotProved, format, arguments...)
}

// Verify proves a file again. With an error, the report says what was proved before.
func (f File) Verify(ctx context.Context) (Report, error) {
	s := f.Statement
	r := Report{Period: s.PeriodID, Revision: f.Inputs.Period.Revision, Participant: s.ParticipantID, Total: s.Total(), Proved: []string{}, NotProved: []string{}}
	for _, prove := range []func(context.Context, *Report) error{f.inputs, f.lines, f.statements, f.chain} {
		if err := prove(ctx, &r); err != nil {
			return r, err
		}
	}
	r.NotProved = append(r.NotProved, "that the facts were true when they were imported: a proof begins with what the lock froze")
	if !f.whole() {
		r.NotProved = append(r.NotProved, "anybody else's statement: of other people the file holds digests, and what this statement depends on")
		if len(f.team()) > 0 {
			r.NotProved = append(r.NotProved, "that nobody else belonged to the team whose credits count: only the proof with the whole snapshot shows that")
		}
	}
	r.NotProved = append(r.NotProved,
		fmt.Sprintf("that the company's audit chain holds link %d with the hash %x: compare it with what guerdon audit shows, or with a head that somebody noted", f.Chain.last(), f.Chain.Head[:]),
		"what the links say that are not shown, such as a withdrawal of this statement later on",
		"that the statement was paid: payouts and the ledger are not in this file")
	return r, nil
}

// inputs proves that the inputs are those that the snapshot's digest covers, and that
// nothing of the participant's is left out.
func (f File) inputs(_ context.Context, r *Report) error {
	shown := map[incentive.Part]bool{}
	for _, part := range f.InputsInSnapshot.Shown {
		shown[part] = true
	}
	for _, kind := range incentive.PartsOfParticipant {
		if !shown[incentive.Part{Kind: kind, ID: f.Statement.ParticipantID}] {
			return wrong("the file does not show all %s of %s", kind, f.Statement.ParticipantID)
		}
	}
	digest, err := f.InputsInSnapshot.Of(f.Inputs)
	if err != nil {
		return err
	}
	if digest != f.SnapshotDigest {
		return wrong("the inputs do not belong to the snapshot %x: they, or what shows that they belong to it, have been changed", f.SnapshotDigest[:])
	}
	if f.whole() {
		if digest := f.Inputs.Digest(); digest != f.SnapshotDigest {
			return wrong("the inputs are not the whole snapshot %x", f.SnapshotDigest[:])
		}
		r.proved("The inputs are the whole snapshot with the digest %x: %d transactions, %d credits.", f.SnapshotDigest[:], len(f.Inputs.Transactions), len(f.Inputs.Credits))
		return nil
	}
	own := 0
	for _, c := range f.Inputs.Credits {
		if c.ParticipantID == f.Statement.ParticipantID {
			own++
		}
	}
	r.proved("The inputs belong to the snapshot with the digest %x, and nothing of %s is left out (credits: %d, quotas: %d, assignments: %d).",
		f.SnapshotDigest[:], f.Statement.ParticipantID, own, len(f.Inputs.Quotas), len(f.Inputs.Assignments))
	if team := f.team(); len(team) > 0 {
		r.proved("So do the credits of the %d people below on which overrides are paid, and none of theirs is left out.", len(team))
	}
	return nil
}

func (f File) whole() bool { return len(f.InputsInSnapshot.Shown) == f.InputsInSnapshot.Parts }

// team returns whose credits are among the inputs besides the participant's own.
func (f File) team() map[string]bool {
	team := map[string]bool{}
	for _, c := range f.Inputs.Credits {
		if c.ParticipantID != f.Statement.ParticipantID {
			team[c.ParticipantID] = true
		}
	}
	return team
}

// contests returns the components that cannot be calculated from the inputs, as they
// depend on everybody who competes.
func (f File) contests() (map[calculation.Contest]bool, error) {
	if f.whole() {
		return nil, nil
	}
	return calculation.Contests(f.Inputs)
}

func contestOf(line incentive.Line) calculation.Contest {
	return calculation.Contest{PlanID: line.PlanID, Component: line.Component}
}

// recalculate returns what the inputs give, of which the participant's statement must be
// the one that the file states, but for what is won in contests.
func (f File) recalculate(ctx context.Context) ([]incentive.Statement, error) {
	contests, err := f.contests()
	if err != nil {
		return nil, err
	}
	all, err := calculation.Calculate(ctx, f.Inputs)
	if err != nil {
		return nil, fmt.Errorf("calculate the statement of %s anew: %w", f.Statement.ParticipantID, err)
	}
	for _, s := range all {
		if s.ParticipantID != f.Statement.ParticipantID {
			continue
		}
		stated := f.Statement
		if len(s.Lines) != len(stated.Lines) {
			return nil, wrong("calculated anew the statement has %d lines, not %d", len(s.Lines), len(stated.Lines))
		}
		for i, line := range s.Lines {
			if contests[contestOf(line)] && contestOf(line) == contestOf(stated.Lines[i]) {
				s.Lines[i] = stated.Lines[i]
				continue
			}
			if alone(line) != alone(stated.Lines[i]) {
				return nil, wrong("line %d of the statement, %s of plan %s, says %s; calculated anew it is %s of plan %s, %s, or its explanation or contributions differ",
					i+1, stated.Lines[i].Component, stated.Lines[i].PlanID, stated.Lines[i].Amount, line.Component, line.PlanID, line.Amount)
			}
		}
		if s.Digest() != stated.Digest() {
			return nil, wrong("calculated anew the statement is of %s in %s, in %s", s.ParticipantID, s.PeriodID, s.Currency)
		}
		return all, nil
	}
	return nil, wrong("the inputs give no statement of %s", f.Statement.ParticipantID)
}

// alone is the digest of a line by itself.
func alone(line incentive.Line) incentive.Digest {
	return incentive.Statement{Lines: []incentive.Line{line}}.Digest()
}

// lines proves every line by the engine, and by the arithmetic of its explanation.
func (f File) lines(ctx context.Context, r *Report) error {
	all, err := f.recalculate(ctx)
	if err != nil {
		return err
	}
	contests, err := f.contests()
	if err != nil {
		return err
	}
	for _, line := range f.Statement.Lines {
		if err := calculation.CheckLine(line); err != nil {
			return err
		}
		if contests[contestOf(line)] {
			r.proved("%s (plan %s, version %d) comes to %s: its explanation gives it.", line.Component, line.PlanID, line.PlanVersion, line.Amount)
			r.NotProved = append(r.NotProved, fmt.Sprintf("that %s comes to what the contest gives: that depends on everybody who competes, so only the proof with the whole snapshot shows it", line.Component))
			continue
		}
		of := ""
		if line.PlanID != "" { // an adjustment is of none
			of = fmt.Sprintf(" (plan %s, version %d)", line.PlanID, line.PlanVersion)
		}
		r.proved("%s%s comes to %s: calculated anew it is the same, its explanation gives it, and its contributions (%d) add up to it.",
			line.Component, of, line.Amount, len(line.Contributions))
	}
	r.proved("The statement comes to %s.", f.Statement.Total())
	if f.whole() {
		digests := make([]incentive.Digest, len(all))
		for i, s := range all {
			digests[i] = s.Digest()
		}
		if incentive.RunDigest(f.SnapshotDigest, f.EngineVersion, digests) != f.RunDigest {
			return wrong("the run has the digest %x, which is not that of the %d statements that the whole snapshot gives", f.RunDigest[:], len(all))
		}
		r.proved("Calculated anew, the whole snapshot gives all %d statements of the run.", len(all))
	}
	return nil
}

// statements proves that the statement is one of the run's.
func (f File) statements(_ context.Context, r *Report) error {
	one := f.Statement.Digest()
	run, err := incentive.RunDigestOf(f.SnapshotDigest, f.EngineVersion, one, f.StatementInRun)
	if err != nil {
		return err
	}
	if run != f.RunDigest {
		return wrong("the statement does not belong to the run %x: that, or what shows that it belongs to it, has been changed", f.RunDigest[:])
	}
	r.proved("The statement, with the digest %x, is one of the %d of the run with the digest %x, over that snapshot by engine %s.", one[:], f.StatementInRun.Parts, f.RunDigest[:], f.EngineVersion)
	return nil
}

func (c Chain) last() int64 { return c.First + int64(len(c.Links)) - 1 }

// chain proves that the snapshot and the run are in the audit chain, which is whole from
// there on.
func (f File) chain(_ context.Context, r *Report) error {
	c := f.Chain
	hash := c.Before
	for _, link := range c.Links {
		hash = incentive.AuditHash(hash[:], link)
	}
	if hash != c.Head {
		return wrong("the links %d to %d of the audit chain do not lead to the hash %x: one of them has been changed", c.First, c.last(), c.Head[:])
	}
	subject := incentive.PeriodSubject(f.Statement.PeriodID, f.Inputs.Period.Revision)
	frozen, calculated, before := int64(0), int64(0), c.First-1
	acts := []string{}
	for _, entry := range c.Shown {
		digest := entry.Digest()
		if entry.Number <= before || entry.Number > c.last() || digest != c.Links[entry.Number-c.First] {
			return wrong("link %d of the audit chain does not say what the file shows", entry.Number)
		}
		before = entry.Number
		if entry.Subject != subject {
			return wrong("link %d of the audit chain is about %s, not about %s", entry.Number, entry.Subject, subject)
		}
		var body struct {
			SnapshotDigest incentive.Digest `json:"snapshot_digest"`
			RunDigest      incentive.Digest `json:"run_digest"`
		}
		if err := json.Unmarshal([]byte(entry.Body), &body); err != nil {
			return wrong("link %d of the audit chain says what cannot be read: %v", entry.Number, err)
		}
		act := incentive.Act(entry.Act)
		switch {
		case (act == incentive.Lock || act == incentive.Recalculate) && body.SnapshotDigest == f.SnapshotDigest:
			frozen = entry.Number
		case act == incentive.Calculate && frozen > 0 && body.RunDigest == f.RunDigest:
			calculated, acts = entry.Number, []string{}
		case calculated > 0:
			acts = append(acts, fmt.Sprintf("%s by %s at %s (link %d)", entry.Act, entry.Actor, entry.At.UTC().Format("2006-01-02 15:04:05"), entry.Number))
		}
	}
	if frozen == 0 || calculated == 0 {
		return wrong("the audit chain shows no lock with the snapshot %x and, after it, no run %x", f.SnapshotDigest[:], f.RunDigest[:])
	}
	r.proved("Link %d of the audit chain names the snapshot, and link %d the run.", frozen, calculated)
	for _, act := range acts {
		r.proved("The chain goes on with %s.", act)
	}
	r.proved("The chain is unbroken from link %d to link %d, whose hash is %x.", c.First, c.last(), c.Head[:])
	return nil
}
