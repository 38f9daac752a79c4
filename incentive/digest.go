package incentive

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"slices"

	"github.com/shopspring/decimal"
)

// Digest is a SHA-256 over canonical bytes. Canonical bytes are a name with a version,
// then every field with its length before it, lists with their count, decimals without
// trailing zeros: two values have the same digest only if they are the same.
type Digest [sha256.Size]byte

// digester writes canonical bytes into a hash.
type digester struct{ hash.Hash }

func newDigester(name string) digester {
	d := digester{sha256.New()}
	d.text(name)
	return d
}

func (d digester) sum() (digest Digest) {
	d.Sum(digest[:0])
	return digest
}

func (d digester) number(n int64) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(n))
	d.Write(b[:])
}

func (d digester) text(s string) {
	d.number(int64(len(s)))
	d.Write([]byte(s))
}

func (d digester) texts(all ...string) {
	for _, s := range all {
		d.text(s)
	}
}

// decimal writes 1.50 and 1.5 alike: the database may keep either.
func (d digester) decimal(x decimal.Decimal) { d.text(x.String()) }

func (d digester) money(m Money) {
	d.number(m.Minor)
	d.text(string(m.Currency))
}

func (d digester) attributes(all map[string]string) {
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	d.number(int64(len(names)))
	for _, name := range names {
		d.texts(name, all[name])
	}
}

// Digest covers everything that a lock froze, in canonical order.
func (s Snapshot) Digest() Digest {
	d := newDigester("guerdon snapshot 1")
	d.texts(s.Period.ID, s.Period.CalendarID, s.Period.Code, s.Period.StartsOn.String(), s.Period.EndsOn.String())
	d.number(int64(len(s.Participants)))
	for _, p := range s.Participants {
		d.texts(p.ID, p.EffectiveFrom.String(), p.Name, p.Email, string(p.Kind), p.ManagerID, p.Country, string(p.PayCurrency), p.EmployedUntil.String())
		d.attributes(p.Attributes)
	}
	d.number(int64(len(s.Transactions)))
	for _, t := range s.Transactions {
		d.texts(t.Source, t.ID, t.Date.String(), string(t.Currency))
		d.number(int64(t.Version))
		d.decimal(t.Amount)
		d.attributes(t.Attributes)
	}
	d.number(int64(len(s.Credits)))
	for _, c := range s.Credits {
		d.texts(c.Transaction.Source, c.Transaction.ID, c.ParticipantID, c.Role)
		d.number(int64(c.Version))
		d.decimal(c.Share)
	}
	d.number(int64(len(s.Quotas)))
	for _, q := range s.Quotas {
		d.texts(q.ParticipantID, q.Measure, q.StartsOn.String(), q.EndsOn.String())
		d.number(int64(q.Version))
		d.decimal(q.Amount)
	}
	d.number(int64(len(s.Assignments)))
	for _, a := range s.Assignments {
		d.texts(a.ParticipantID, a.PlanID, a.StartsOn.String(), a.EndsOn.String())
		d.number(int64(a.Version))
	}
	d.number(int64(len(s.PlanVersions)))
	for _, v := range s.PlanVersions {
		d.texts(v.PlanID, v.EffectiveFrom.String(), string(v.Document))
		d.number(int64(v.Version))
	}
	d.text(s.Since.String())
	d.number(int64(len(s.Posted)))
	for _, l := range s.Posted {
		d.texts(l.ParticipantID, l.PlanID, l.Component, l.PeriodID, l.StartsOn.String(), l.EndsOn.String())
		d.money(l.Amount)
	}
	return d.sum()
}

// Digest covers participant, period, currency, lines and explanations: whatever somebody
// approves, and nothing of how or when it was calculated.
func (s Statement) Digest() Digest {
	d := newDigester("guerdon statement 1")
	d.texts(s.PeriodID, s.ParticipantID, string(s.Currency))
	d.number(int64(len(s.Lines)))
	for _, l := range s.Lines {
		d.texts(l.PlanID, l.Component, string(l.Kind), string(l.Explanation))
		d.number(int64(l.PlanVersion))
		d.decimal(l.Unrounded)
		d.money(l.Amount)
		d.number(int64(len(l.Contributions)))
		for _, c := range l.Contributions {
			d.texts(c.Transaction.Source, c.Transaction.ID, c.ParticipantID, c.Role)
			d.decimal(c.Credited)
			d.decimal(c.Amount)
			d.money(c.Shown)
		}
	}
	return d.sum()
}

// RunDigest covers what was calculated from what, and by which engine. The order of the
// statements does not matter.
func RunDigest(snapshot Digest, engineVersion string, statements []Digest) Digest {
	sorted := slices.Clone(statements)
	slices.SortFunc(sorted, func(a, b Digest) int { return slices.Compare(a[:], b[:]) })
	d := newDigester("guerdon run 1")
	d.Write(snapshot[:])
	d.text(engineVersion)
	d.number(int64(len(sorted)))
	for _, s := range sorted {
		d.Write(s[:])
	}
	return d.sum()
}
