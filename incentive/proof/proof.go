// Package proof keeps one statement in a file together with what it depends on, and proves
// it again with neither database nor network.
package proof

import (
	"bytes"
	"context"
	"encoding/json"
	"io"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/calculation"
)

// Format names the meaning of a file's fields.
const Format = "guerdon proof 1"

// File is a statement with all that proves it. Of other people it holds the credits and
// managers on which the statement depends, and digests.
type File struct {
	Format           string                   `json:"format"`
	EngineVersion    string                   `json:"engine_version"`
	SnapshotDigest   incentive.Digest         `json:"snapshot_digest"`
	RunDigest        incentive.Digest         `json:"run_digest"`
	Statement        incentive.Statement      `json:"statement"`
	StatementInRun   incentive.Disclosure     `json:"statement_in_run"`
	Inputs           incentive.Snapshot       `json:"inputs"`
	InputsInSnapshot incentive.DisclosedParts `json:"inputs_in_snapshot"`
	Chain            Chain                    `json:"audit_chain"`
}

// Chain is the end of the audit chain, from the link that froze the snapshot on. Of most
// links it holds the digest of what they say.
type Chain struct {
	First  int64                  `json:"first"`  // the number of the first link
	Before incentive.Digest       `json:"before"` // the hash of the link before it
	Links  []incentive.Digest     `json:"links"`  // what each link says
	Shown  []incentive.AuditEntry `json:"shown"`  // the links about the period
	Head   incentive.Digest       `json:"head"`   // the hash of the last link
}

// CodeNeedsOthers says that a statement cannot be calculated without other people's figures.
const CodeNeedsOthers incentive.Code = "needs-others"

// New makes the file of one participant's statement in a run, without its chain. With
// whole it holds the whole snapshot. A statement that depends on more than the
// participant's part of it is refused with CodeNeedsOthers.
func New(ctx context.Context, snapshot incentive.Snapshot, run []incentive.Digest, statement incentive.Statement, whole bool) (File, error) {
	snapshotDigest := snapshot.Digest()
	f := File{
		Format:         Format,
		EngineVersion:  calculation.EngineVersion,
		SnapshotDigest: snapshotDigest,
		RunDigest:      incentive.RunDigest(snapshotDigest, calculation.EngineVersion, run),
		Statement:      statement,
		StatementInRun: incentive.DiscloseStatement(run, statement.Digest()),
		Inputs:         snapshot,
	}
	if !whole {
		var err error
		if f.Inputs, err = calculation.PartOf(snapshot, statement.ParticipantID); err != nil {
			return f, err
		}
	}
	shown := f.shown()
	f.InputsInSnapshot = snapshot.Disclose(func(p incentive.Part) bool { return whole || shown[incentive.Part{Kind: p.Kind, ID: p.ID}] })
	if _, err := f.recalculate(ctx); err != nil {
		if whole || ctx.Err() != nil {
			return f, err
		}
		return f, incentive.Errorf(CodeNeedsOthers, "the statement of %s depends on other people's figures, so it can only be proved together with everybody's: ask finance or an auditor for the proof with the whole snapshot", statement.ParticipantID)
	}
	return f, nil
}

// shown returns the parts of the whole snapshot that are all among the inputs. One that is
// empty is shown only of the statement's own participant.
func (f File) shown() map[incentive.Part]bool {
	shown := map[incentive.Part]bool{}
	show := func(s incentive.Snapshot, prefix string) {
		shown[incentive.Part{Kind: prefix + incentive.PartPeriod}] = true
		for _, kind := range incentive.PartsOfParticipant {
			shown[incentive.Part{Kind: prefix + kind, ID: f.Statement.ParticipantID}] = true
		}
		for _, v := range s.PlanVersions {
			shown[incentive.Part{Kind: prefix + incentive.PartPlan, ID: v.PlanID}] = true
		}
		for _, r := range s.Rates {
			shown[incentive.Part{Kind: prefix + incentive.PartRates, ID: r.Source}] = true
		}
		for _, p := range s.Participants {
			shown[incentive.Part{Kind: prefix + incentive.PartManager, ID: p.ID}] = true
		}
		for _, c := range s.Credits {
			shown[incentive.Part{Kind: prefix + incentive.PartCredits, ID: c.ParticipantID}] = true
		}
	}
	show(f.Inputs, "")
	for _, c := range f.Inputs.Corrections {
		show(c, c.Period.ID+"/")
		shown[incentive.Part{Kind: c.Period.ID + "/" + incentive.PartCorrected, ID: f.Statement.ParticipantID}] = true
	}
	return shown
}

// Write writes the file's only form.
func (f File) Write(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false) // explanations stay as they are
	return encoder.Encode(f)
}

// CodeUnreadable says that a file is no proof that this program reads.
const CodeUnreadable incentive.Code = "proof-unreadable"

// Read reads what Write has written, and nothing that differs from it in a single byte.
func Read(content []byte) (File, error) {
	var named struct {
		Format        string `json:"format"`
		EngineVersion string `json:"engine_version"`
	}
	if err := json.Unmarshal(content, &named); err != nil {
		return File{}, incentive.Errorf(CodeUnreadable, "the file is not JSON: %v", err)
	}
	if named.Format != Format {
		return File{}, incentive.Errorf(CodeUnreadable, "the file's format is %q, and this program reads %q", named.Format, Format)
	}
	if named.EngineVersion != calculation.EngineVersion {
		return File{}, incentive.Errorf(CodeUnreadable, "the statement was calculated by engine %q, and this program has %q: prove it with a program of that version", named.EngineVersion, calculation.EngineVersion)
	}
	var f File
	var again bytes.Buffer
	err := json.Unmarshal(content, &f)
	if err == nil {
		_, err = incentive.ParseCurrency(string(f.Statement.Currency))
	}
	if err == nil {
		err = f.Write(&again)
	}
	if err != nil {
		return File{}, incentive.Errorf(CodeUnreadable, "the file cannot be read: %v", err)
	}
	for i, b := range again.Bytes() {
		if i >= len(content) || content[i] != b {
			return File{}, incentive.Errorf(CodeUnreadable, "from byte %d on the file is not as guerdon writes it", i+1)
		}
	}
	if len(content) > again.Len() {
		return File{}, incentive.Errorf(CodeUnreadable, "from byte %d on the file is not as guerdon writes it", again.Len()+1)
	}
	return f, nil
}
