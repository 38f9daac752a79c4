package proof

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/calculation"
)

const document = `language: 1
plan: p
name: P
currency: USD
exchange: {rates: ecb, on: period_end}
reads:
  participant: {rate: number}
components:
  - {name: own, measure: {sum: credits}, rate: participant.rate}
  - {name: team, override: {level: 1}, measure: {sum: credits}, rate: 1%}
`

const contest = "  - {name: prize, measure: {sum: credits}, ranking: {on: amount, prizes: [100, 50], ties: all}}\n"

// company is a month of bob, who leads ann and cid, and of dan and eve, who compete.
func company() incentive.Snapshot {
	first, last := incentive.MustParseDate("2026-01-01"), incentive.MustParseDate("2026-01-31")
	s := incentive.Snapshot{
		Period:       incentive.Period{ID: "m-2026-01", CalendarID: "m", Code: "2026-01", StartsOn: first, EndsOn: last, Revision: 2},
		Since:        first,
		PlanVersions: []incentive.PlanVersion{{PlanID: "p", Version: 1, EffectiveFrom: first, Document: []byte(document)}, {PlanID: "q", Version: 1, EffectiveFrom: first, Document: []byte(strings.Replace(document, "plan: p", "plan: q", 1) + contest)}},
	}
	for _, source := range []string{"bank", "ecb"} {
		s.Rates = append(s.Rates, incentive.ExchangeRate{Source: source, From: "EUR", To: "USD", Date: last, Rate: decimal.New(11, -1), Version: 1})
	}
	for i, id := range []string{"ann", "bob", "cid", "dan", "eve"} {
		p := incentive.Participant{ID: id, EffectiveFrom: first, Name: "Name of " + id, Email: id + "@example.com", Kind: incentive.Employee, Country: "US", PayCurrency: "USD", Attributes: map[string]string{"rate": "7%", "secret": "of " + id}}
		plan := "p"
		switch id {
		case "ann", "cid":
			p.ManagerID = "bob"
		case "dan", "eve":
			plan = "q"
		}
		s.Participants = append(s.Participants, p)
		key := incentive.TransactionKey{Source: "crm", ID: "D-" + id}
		s.Transactions = append(s.Transactions, incentive.Transaction{TransactionKey: key, Version: 1, Date: first.AddDays(i), Amount: decimal.New(int64(1234567+i), -2), Currency: []incentive.Currency{"USD", "EUR"}[i%2], Attributes: map[string]string{"product": "x<y"}})
		s.Credits = append(s.Credits, incentive.Credit{Transaction: key, ParticipantID: id, Role: "owner", Share: decimal.New(5, -1), Version: 1})
		s.Quotas = append(s.Quotas, incentive.Quota{ParticipantID: id, Measure: "sales", StartsOn: first, EndsOn: last, Amount: decimal.New(int64(770+i), 0), Version: 1})
		s.Assignments = append(s.Assignments, incentive.Assignment{ParticipantID: id, PlanID: plan, StartsOn: first, Version: 1})
		s.Posted = append(s.Posted, incentive.Posted{ParticipantID: id, PlanID: "p", Component: "own", PeriodID: "m-2025-12", StartsOn: first.AddDays(-31), EndsOn: first.AddDays(-1), Amount: incentive.Money{Minor: int64(990 + i), Currency: "USD"}})
	}
	s.Adjustments = []incentive.Adjustment{{ID: "adjustment of bob", ParticipantID: "bob", PeriodID: "m-2025-12", Type: incentive.OfDispute, DisputeID: "x", Amount: incentive.Money{Minor: 55, Currency: "USD"}}}
	return s
}

// correcting is the company with a deal of ann's and one of bob's that came late for December.
func correcting() incentive.Snapshot {
	s := company()
	first := s.Period.StartsOn
	december := incentive.Snapshot{Period: incentive.Period{ID: "m-2025-12", CalendarID: "m", Code: "2025-12", StartsOn: first.AddDays(-31), EndsOn: first.AddDays(-1), Revision: 1}, Since: first.AddDays(-31), Participants: slices.Clone(s.Participants)}
	for i, id := range []string{"ann", "bob"} {
		december.Participants[i].EffectiveFrom = december.Since
		key := incentive.TransactionKey{Source: "crm", ID: "L-" + id}
		december.Transactions = append(december.Transactions, incentive.Transaction{TransactionKey: key, Version: 1, Date: december.Since.AddDays(i), Amount: decimal.New(1000, 0), Currency: "USD", Attributes: map[string]string{}})
		december.Credits = append(december.Credits, incentive.Credit{Transaction: key, ParticipantID: id, Role: "owner", Share: decimal.New(1, 0), Version: 1})
		december.Assignments = append(december.Assignments, incentive.Assignment{ParticipantID: id, PlanID: "p", StartsOn: december.Since, Version: 1})
		december.Corrected = append(december.Corrected, incentive.Statement{PeriodID: "m-2025-12", ParticipantID: id, Currency: "USD", Lines: []incentive.Line{
			{PlanID: "p", PlanVersion: 1, Component: "own", Kind: incentive.Earning, Amount: incentive.Money{Minor: 990, Currency: "USD"}, Explanation: []byte("{}")}}})
	}
	december.PlanVersions = []incentive.PlanVersion{{PlanID: "p", Version: 1, EffectiveFrom: december.Since, Document: []byte(document)}}
	s.Corrections = []incentive.Snapshot{december}
	return s
}

// file makes the proof of one statement, chain and all.
func file(t *testing.T, of string, whole bool) File {
	t.Helper()
	return fileOf(t, company(), of, whole)
}

func fileOf(t *testing.T, snapshot incentive.Snapshot, of string, whole bool) File {
	t.Helper()
	all, err := calculation.Calculate(t.Context(), snapshot)
	require.NoError(t, err)
	digests := make([]incentive.Digest, len(all))
	for i, s := range all {
		digests[i] = s.Digest()
	}
	at := slices.IndexFunc(all, func(s incentive.Statement) bool { return s.ParticipantID == of })
	f, err := New(t.Context(), snapshot, digests, all[at], whole)
	require.NoError(t, err)
	f.Chain = Chain{First: 5, Before: incentive.Digest{1, 2, 3}}
	hash := f.Chain.Before
	for i, said := range []struct{ act, subject, body string }{
		{"lock", "pay-period/m-2026-01/2", fmt.Sprintf(`{"snapshot_digest":"%x"}`, f.SnapshotDigest[:])},
		{"import", "import/1", "{}"},
		{"calculate", "pay-period/m-2026-01/2", fmt.Sprintf(`{"run_digest":"%x"}`, f.RunDigest[:])},
		{"publish", "pay-period/m-2026-01/2", "{}"},
		{"import", "import/2", "{}"},
	} {
		entry := incentive.AuditEntry{Number: int64(5 + i), At: time.Date(2026, 2, 1, 10, i, 0, 0, time.UTC), Actor: "fin", Act: said.act, Subject: said.subject, Body: said.body}
		hash = incentive.AuditHash(hash[:], entry.Digest())
		f.Chain.Links = append(f.Chain.Links, entry.Digest())
		if said.act != "import" {
			f.Chain.Shown = append(f.Chain.Shown, entry)
		}
	}
	f.Chain.Head = hash
	return f
}

func written(t *testing.T, f File) []byte {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, f.Write(&out))
	return out.Bytes()
}

// prove reads a file and verifies it.
func prove(ctx context.Context, content []byte) (Report, error) {
	f, err := Read(content)
	if err != nil {
		return Report{}, err
	}
	return f.Verify(ctx)
}

func TestProof(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		of     string
		whole  bool
		proved []string
		not    string
	}{
		"a rep": {"ann", false, []string{
			"and nothing of ann is left out (credits: 1, quotas: 1, assignments: 1).",
			"own (plan p, version 1) comes to 432.10 USD: calculated anew it is the same, its explanation gives it, and its contributions (1) add up to it.",
			"The statement comes to 432.10 USD.",
			"is one of the 5 of the run",
			"Link 5 of the audit chain names the snapshot, and link 7 the run.",
			"The chain goes on with publish by fin at 2026-02-01 10:03:00 (link 8).",
			"The chain is unbroken from link 5 to link 9",
		}, "anybody else's statement"},
		"a manager": {"bob", false, []string{
			"So do the credits of the 2 people below on which overrides are paid, and none of theirs is left out.",
			"team (plan p, version 1) comes to 123.46 USD",
			"Adjustment comes to 0.55 USD: calculated anew it is the same",
		}, "that nobody else belonged to the team"},
		"in a contest": {"eve", false, []string{
			"own (plan q, version 1) comes to 432.10 USD: calculated anew it is the same",
			"prize (plan q, version 1) comes to 50.00 USD: its explanation gives it.",
			"The statement comes to 482.10 USD.",
		}, "that prize comes to what the contest gives"},
		"in a contest, with everybody's": {"eve", true, []string{"prize (plan q, version 1) comes to 50.00 USD: calculated anew it is the same"}, "that the statement was paid"},
		"with everybody's": {"bob", true, []string{
			"The inputs are the whole snapshot with the digest",
			"Calculated anew, the whole snapshot gives all 5 statements of the run.",
		}, "that the statement was paid"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report, err := prove(t.Context(), written(t, file(t, c.of, c.whole)))
			require.NoError(t, err)
			require.Equal(t, "m-2026-01", report.Period)
			require.Equal(t, 2, report.Revision)
			require.Equal(t, c.of, report.Participant)
			for _, sentence := range c.proved {
				require.Contains(t, strings.Join(report.Proved, "\n"), sentence)
			}
			require.Contains(t, strings.Join(report.NotProved, "\n"), c.not)
			require.Equal(t, c.whole, !strings.Contains(strings.Join(report.NotProved, "\n"), "anybody else"))
		})
	}
}

// TestNothingOfOthers looks for what a rep or manager must not read in their own proof.
func TestNothingOfOthers(t *testing.T) {
	t.Parallel()
	for of, hidden := range map[string][]string{
		"ann": {"cid", "dan", "Name of bob", "bob@", "of bob", "D-bob", `"771"`, "9.91"},
		"bob": {"dan", "Name of ann", "ann@", "of ann", `"770"`, "9.90"},
	} {
		content := string(written(t, file(t, of, false)))
		require.Contains(t, content, "Name of "+of)
		for _, text := range hidden {
			require.NotContains(t, content, text, of)
		}
	}
}

// TestEveryValueCounts changes every value of a file, one at a time.
func TestEveryValueCounts(t *testing.T) {
	t.Parallel()
	for _, whole := range []bool{false, true} {
		content := written(t, file(t, "bob", whole))
		decoder := json.NewDecoder(bytes.NewReader(content))
		decoder.UseNumber()
		values, understood := 0, 0
		for {
			token, err := decoder.Token()
			if err != nil {
				break
			}
			if _, nested := token.(json.Delim); nested {
				continue
			}
			values++
			end := int(decoder.InputOffset())
			// The last digit or letter of the value becomes another one.
			at := end - 1
			for at > 0 && !('0' <= content[at] && content[at] <= '9' || 'a' <= content[at] && content[at] <= 'z' || 'A' <= content[at] && content[at] <= 'Z') && content[at] != '"' {
				at--
			}
			if content[at] == '"' {
				at--
			}
			changed := slices.Clone(content)
			switch {
			case changed[at] == '"': // an empty text says something
				changed = slices.Insert(changed, at+1, 'x')
			case changed[at] == '9' || changed[at] == 'z' || changed[at] == 'Z':
				changed[at]--
			case changed[at] == 'f':
				changed[at] = 'e'
			default:
				changed[at]++
			}
			_, err = prove(t.Context(), changed)
			require.Error(t, err, "…%s", changed[max(0, at-60):min(len(changed), at+10)])
			if incentive.ErrorCode(err) != CodeUnreadable {
				understood++
			}
		}
		require.Greater(t, understood, values/5, "of %d values many are read and then found to be wrong", values)
		for at := 0; at < len(content); at += 5 {
			changed := slices.Clone(content)
			changed[at] ^= 1
			_, err := prove(t.Context(), changed)
			require.Error(t, err, "byte %d", at)
		}
	}
}

// TestConsistentForgery changes a file in ways that somebody would who knows the format.
func TestConsistentForgery(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*File)
		says   string
	}{
		"another amount":      {func(f *File) { f.Statement.Lines[0].Amount.Minor++ }, "line 1 of the statement, own of plan p, says"},
		"a line left out":     {func(f *File) { f.Statement.Lines = f.Statement.Lines[1:] }, "the statement has 3 lines, not 2"},
		"another currency":    {func(f *File) { f.Statement.Currency = "EUR" }, "calculated anew the statement is of bob"},
		"somebody else":       {func(f *File) { f.Statement.ParticipantID = "ann" }, "does not show all person of ann"},
		"a larger deal":       {func(f *File) { f.Inputs.Transactions[0].Amount = decimal.New(9, 9) }, "do not belong to the snapshot"},
		"a credit left out":   {func(f *File) { f.Inputs.Credits = f.Inputs.Credits[1:] }, "the inputs hold uncredited"},
		"another snapshot":    {func(f *File) { f.SnapshotDigest[0]++ }, "do not belong to the snapshot"},
		"a part not shown":    {func(f *File) { f.InputsInSnapshot.Shown = f.InputsInSnapshot.Shown[:1] }, "the file does not show all"},
		"another run":         {func(f *File) { f.RunDigest[0]++ }, "does not belong to the run"},
		"another blind":       {func(f *File) { f.StatementInRun.Blinds[0][0]++ }, "does not belong to the run"},
		"another link":        {func(f *File) { f.Chain.Links[1][0]++ }, "do not lead to the hash"},
		"another act":         {func(f *File) { f.Chain.Shown[2].Act = "withdraw" }, "link 8 of the audit chain does not say"},
		"the lock not shown":  {func(f *File) { f.Chain.Shown = f.Chain.Shown[1:] }, "shows no lock with the snapshot"},
		"the run not shown":   {func(f *File) { f.Chain.Shown = f.Chain.Shown[:1] }, "shows no lock with the snapshot"},
		"a link shown twice":  {func(f *File) { f.Chain.Shown = append(f.Chain.Shown, f.Chain.Shown[2]) }, "link 8 of the audit chain does not say"},
		"a link out of range": {func(f *File) { f.Chain.Shown[2].Number = 1 << 60 }, "does not say what the file shows"},
		"no links":            {func(f *File) { f.Chain.Links = nil }, "do not lead to the hash"},
		"another revision":    {func(f *File) { f.Inputs.Period.Revision = 1 }, "link 5 of the audit chain is about pay-period/m-2026-01/2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := file(t, "bob", false)
			c.change(&f)
			_, err := f.Verify(t.Context())
			require.ErrorContains(t, err, c.says)
		})
	}
	forged := file(t, "bob", true)
	forged.Inputs.Transactions[3].Amount = decimal.New(1, 0)
	_, err := forged.Verify(t.Context())
	require.ErrorContains(t, err, "do not belong to the snapshot")
}

func TestUnknownVersions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*File)
		says   string
	}{
		"format":   {func(f *File) { f.Format = "guerdon proof 9" }, `the file's format is "guerdon proof 9", and this program reads "guerdon proof 1"`},
		"engine":   {func(f *File) { f.EngineVersion = "99" }, `was calculated by engine "99"`},
		"language": {func(f *File) { f.rewrite("language: 1", "language: 99") }, `language "99" is not known`},
	} {
		f := file(t, "ann", false)
		c.change(&f)
		_, err := prove(t.Context(), written(t, f))
		require.ErrorContains(t, err, c.says, name)
	}
	_, err := Read([]byte("period,amount\n"))
	require.ErrorContains(t, err, "the file is not JSON")
	_, err = Read(append(written(t, file(t, "ann", false)), '\n'))
	require.ErrorContains(t, err, "is not as guerdon writes it")
}

// rewrite changes the plan, and all digests with it, as if it had been locked like that.
func (f *File) rewrite(was, is string) {
	snapshot := company()
	for i := range snapshot.PlanVersions {
		snapshot.PlanVersions[i].Document = bytes.Replace(snapshot.PlanVersions[i].Document, []byte(was), []byte(is), 1)
	}
	f.SnapshotDigest = snapshot.Digest()
	shown := f.shown()
	f.InputsInSnapshot = snapshot.Disclose(func(p incentive.Part) bool { return shown[incentive.Part{Kind: p.Kind, ID: p.ID}] })
	f.Inputs.PlanVersions = snapshot.PlanVersions[:1]
}

// TestStatementOfOthers refuses to prove alone what does not follow from one's own part.
func TestStatementOfOthers(t *testing.T) {
	t.Parallel()
	snapshot := company()
	statement := incentive.Statement{PeriodID: "m-2026-01", ParticipantID: "ann", Currency: "USD"}
	_, err := New(t.Context(), snapshot, []incentive.Digest{statement.Digest()}, statement, false)
	require.Equal(t, CodeNeedsOthers, incentive.ErrorCode(err))
	_, err = New(t.Context(), snapshot, []incentive.Digest{statement.Digest()}, statement, true)
	require.Equal(t, CodeNotProved, incentive.ErrorCode(err))
}

// TestCorrections proves a statement with differences of an earlier period.
func TestCorrections(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"ann", "bob", "dan"} {
		for _, whole := range []bool{false, true} {
			f := fileOf(t, correcting(), id, whole)
			_, err := f.Verify(t.Context())
			require.NoError(t, err, "%s, whole: %t", id, whole)
			var written bytes.Buffer
			require.NoError(t, f.Write(&written))
			read, err := Read(written.Bytes())
			require.NoError(t, err)
			_, err = read.Verify(t.Context())
			require.NoError(t, err, "%s, whole: %t", id, whole)
			read.Inputs.Corrections[0].Period.Revision++
			_, err = read.Verify(t.Context())
			require.Equal(t, CodeNotProved, incentive.ErrorCode(err))
			if id == "ann" && !whole {
				require.NotContains(t, written.String(), "L-bob")
			}
		}
	}
}
