package incentive

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"slices"

	"github.com/shopspring/decimal"
)

// Digest is a SHA-256 over canonical bytes. Canonical bytes are a name with a version,
// then every field with its length before it, attributes with their count, decimals without
// trailing zeros: two values have the same digest only if they are the same.
type Digest [sha256.Size]byte

// digester writes canonical bytes into a hash.
type digester struct {
	hash.Hash
	together *[]byte // where a field and its length are put together
}

func newDigester(name string) digester {
	d := digester{sha256.New(), new([]byte)}
	d.text(name)
	return d
}

func (d digester) sum() (digest Digest) {
	d.Sum(digest[:0])
	return digest
}

func (d digester) number(n int64) {
	*d.together = binary.BigEndian.AppendUint64((*d.together)[:0], uint64(n))
	d.Write(*d.together)
}

func (d digester) text(s string) {
	*d.together = append(binary.BigEndian.AppendUint64((*d.together)[:0], uint64(len(s))), s...)
	d.Write(*d.together)
}

func (d digester) texts(all ...string) {
	for _, s := range all {
		d.text(s)
	}
}

// decimal writes 1.50 and 1.5 alike: the database may keep either.
func (d digester) decimal(x decimal.Decimal) {
	const length = 8
	all := AppendDecimal(append((*d.together)[:0], make([]byte, length)...), x)
	binary.BigEndian.PutUint64(all, uint64(len(all)-length))
	*d.together = all
	d.Write(all)
}

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

// Part is what belongs together in a snapshot: all that is said of one participant, or of
// one plan, under one heading. Its digest covers its kind and id too.
type Part struct {
	Kind   string `json:"kind"`
	ID     string `json:"id"` // of a participant, a plan or a source; "" where there is one such part
	digest Digest
}

// The kinds of part.
const (
	PartPeriod      = "period"              // the period's dates, and the first day that matters
	PartUncredited  = "uncredited"          // transactions that nobody is credited with
	PartPlan        = "plan"                // all versions of a plan
	PartPerson      = "person"              // of a participant: name, currency, attributes and so on
	PartManager     = "manager"             // whom they report to
	PartCredits     = "credits"             // their credits, each with the whole transaction and its refunds
	PartQuotas      = "quotas"              // their quotas, reliefs and objectives
	PartAssignments = "assignments"         // their plans
	PartPosted      = "posted"              // their lines of earlier periods, with the transactions that may be taken back, and their adjustments
	PartRates       = "rates"               // all exchange rates of a source
	PartTerritory   = string(KindTerritory) // a territory with its members and quotas
	PartTeam        = string(KindTeam)      // a team, likewise
	PartCorrected   = "corrected"           // their lines of a period that is corrected, as they stand
)

// PartsOfParticipant lists the kinds of part that every participant has, if only empty
// ones: so that nothing of theirs can be left out unseen.
var PartsOfParticipant = []string{PartPerson, PartManager, PartCredits, PartQuotas, PartAssignments, PartPosted}

type partKey struct{ kind, id string }

// partDigesters writes each row into the digest of its part.
type partDigesters map[partKey]digester

func (all partDigesters) of(kind, id string) digester {
	d, begun := all[partKey{kind, id}]
	if !begun {
		d = newDigester("guerdon snapshot part 1")
		d.texts(kind, id)
		all[partKey{kind, id}] = d
	}
	return d
}

// Parts returns the snapshot's parts by kind and id. Rows come in the snapshot's order,
// which is canonical. Those of a period that is corrected have its id and a slash before
// their kind.
func (s Snapshot) Parts() []Part {
	all := partDigesters{}
	s.write(all.of)
	for _, c := range s.Corrections {
		of := func(kind, id string) digester { return all.of(c.Period.ID+"/"+kind, id) }
		c.write(of)
		of(PartPeriod, "").number(int64(c.Period.Revision))
		for _, p := range c.Participants {
			of(PartCorrected, p.ID)
		}
		for _, statement := range c.Corrected {
			digest := statement.Digest()
			of(PartCorrected, statement.ParticipantID).Write(digest[:])
		}
	}
	parts := make([]Part, 0, len(all))
	for key, d := range all {
		parts = append(parts, Part{key.kind, key.id, d.sum()})
	}
	slices.SortFunc(parts, func(a, b Part) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID)) })
	return parts
}

// write writes the snapshot's own rows into the digests of their parts.
func (s Snapshot) write(of func(kind, id string) digester) {
	of(PartPeriod, "").texts(s.Period.ID, s.Period.CalendarID, s.Period.Code, s.Period.StartsOn.String(), s.Period.EndsOn.String(), s.Since.String())
	for _, p := range s.Participants {
		for _, kind := range PartsOfParticipant {
			of(kind, p.ID)
		}
		of(PartManager, p.ID).texts(p.EffectiveFrom.String(), p.ManagerID)
		if p.unnamed() {
			continue
		}
		d := of(PartPerson, p.ID)
		d.texts(p.EffectiveFrom.String(), p.Name, p.Email, string(p.Kind), p.Country, string(p.PayCurrency), p.EmployedUntil.String())
		d.attributes(p.Attributes)
	}
	transactions := make(map[TransactionKey]Digest, len(s.Transactions))
	for _, t := range s.Transactions {
		transactions[t.TransactionKey] = t.digest()
	}
	credited := make(map[TransactionKey]bool, len(s.Transactions))
	refunds := map[TransactionKey][]TransactionKey{}
	for _, t := range s.Transactions {
		if t.RefundOf != "" {
			refunds[t.Refunded()] = append(refunds[t.Refunded()], t.TransactionKey)
		}
	}
	for _, c := range s.Credits {
		credited[c.Transaction] = true
		for _, refund := range refunds[c.Transaction] {
			credited[refund] = true
			given := transactions[refund]
			of(PartCredits, c.ParticipantID).Write(given[:])
		}
		sold := transactions[c.Transaction]
		d := of(PartCredits, c.ParticipantID)
		d.Write(sold[:])
		d.texts(c.Transaction.Source, c.Transaction.ID, c.Role)
		d.number(int64(c.Version))
		d.decimal(c.Share)
	}
	earlier := map[TransactionKey]Digest{} // taken for what was paid for them alone
	for _, t := range s.Transactions {
		if t.Date.Before(s.Since) {
			earlier[t.TransactionKey] = transactions[t.TransactionKey]
		}
	}
	for _, l := range s.Posted {
		for _, c := range l.Contributions {
			sold, there := earlier[c.Transaction]
			if !there {
				continue
			}
			credited[c.Transaction] = true
			d := of(PartPosted, l.ParticipantID)
			d.Write(sold[:])
			for _, refund := range refunds[c.Transaction] {
				credited[refund] = true
				given := transactions[refund]
				d.Write(given[:])
			}
		}
	}
	for _, t := range s.Transactions {
		if !credited[t.TransactionKey] {
			sold := transactions[t.TransactionKey]
			of(PartUncredited, "").Write(sold[:])
		}
	}
	for _, q := range s.Quotas {
		d := of(PartQuotas, q.ParticipantID)
		d.texts(q.Measure, q.StartsOn.String(), q.EndsOn.String())
		d.number(int64(q.Version))
		d.decimal(q.Amount)
	}
	s.writeGroups(of)
	for _, o := range s.Objectives {
		d := of(PartQuotas, o.ParticipantID)
		d.texts("an objective", o.PeriodID, o.Name)
		d.number(int64(o.Version))
		d.decimal(o.Weight)
		if o.Score != nil {
			d.text("scored")
			d.decimal(*o.Score)
		}
	}
	for _, r := range s.Reliefs {
		d := of(PartQuotas, r.ParticipantID)
		d.texts("a relief", r.Measure, r.StartsOn.String(), r.EndsOn.String(), string(r.Cause))
		d.number(int64(r.Version))
		for _, part := range []struct {
			name string
			of   *decimal.Decimal
		}{{"an amount", r.Amount}, {"a share", r.Share}} {
			if part.of != nil {
				d.text(part.name)
				d.decimal(*part.of)
			}
		}
	}
	for _, a := range s.Assignments {
		d := of(PartAssignments, a.ParticipantID)
		d.texts(a.PlanID, a.StartsOn.String(), a.EndsOn.String())
		d.number(int64(a.Version))
	}
	for _, v := range s.PlanVersions {
		d := of(PartPlan, v.PlanID)
		d.texts(v.EffectiveFrom.String(), string(v.Document))
		d.number(int64(v.Version))
	}
	for _, l := range s.Posted {
		d := of(PartPosted, l.ParticipantID)
		d.texts(l.PlanID, l.Component, l.PeriodID, l.StartsOn.String(), l.EndsOn.String())
		d.money(l.Amount)
		for _, c := range l.Contributions {
			d.texts("a contribution", c.Transaction.Source, c.Transaction.ID, c.ParticipantID, c.Role)
			d.number(c.ShownMinor)
		}
	}
	for _, a := range s.Adjustments {
		d := of(PartPosted, a.ParticipantID)
		d.texts("an adjustment", a.ID, a.PeriodID, string(a.Type), a.DisputeID)
		d.money(a.Amount)
	}
	for _, r := range s.Rates {
		d := of(PartRates, r.Source)
		d.texts(string(r.From), string(r.To), r.Date.String())
		d.number(int64(r.Version))
		d.decimal(r.Rate)
	}
}

func (t Transaction) digest() Digest {
	d := newDigester("guerdon transaction 1")
	d.texts(t.Source, t.ID, t.Date.String(), string(t.Currency))
	d.number(int64(t.Version))
	d.decimal(t.Amount)
	d.attributes(t.Attributes)
	if t.RefundOf != "" {
		d.text(t.RefundOf)
	}
	return d.sum()
}

// writeGroups writes territories and teams, of which a snapshot without any has no
// parts.
func (s Snapshot) writeGroups(of func(kind, id string) digester) {
	for _, g := range s.Groups {
		d := of(string(g.Kind), g.ID)
		d.texts("from", g.EffectiveFrom.String(), g.Name, g.ParentID, g.Until.String())
		d.attributes(g.Covers)
		d.number(int64(g.Version))
	}
	for _, m := range s.Memberships {
		d := of(string(m.Group.Kind), m.Group.ID)
		d.texts("a member", m.ParticipantID, m.Role, m.StartsOn.String(), m.EndsOn.String())
		d.decimal(m.Share)
		d.number(int64(m.Version))
	}
	for _, q := range s.GroupQuotas {
		d := of(string(q.Group.Kind), q.Group.ID)
		d.texts("a quota", q.Measure, q.StartsOn.String(), q.EndsOn.String())
		d.decimal(q.Amount)
		d.number(int64(q.Version))
	}
}

func digestsOf(parts []Part) []Digest {
	digests := make([]Digest, len(parts))
	for i, part := range parts {
		digests[i] = part.digest
	}
	return digests
}

// Digest covers everything that a lock froze: it is the tree digest of the parts.
func (s Snapshot) Digest() Digest { return treeDigest(digestsOf(s.Parts())) }

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
	for i, l := range s.Lines { // at the end, so that a statement without corrections keeps its digest
		if l.Corrects != "" {
			d.number(int64(i))
			d.text(l.Corrects)
		}
	}
	return d.sum()
}

// RunDigest covers what was calculated from what, and by which engine: the snapshot's
// digest and the tree digest of the statements. Their order does not matter.
func RunDigest(snapshot Digest, engineVersion string, statements []Digest) Digest {
	return runDigest(snapshot, engineVersion, treeDigest(inOrder(statements)))
}

func runDigest(snapshot Digest, engineVersion string, statements Digest) Digest {
	d := newDigester("guerdon run 2")
	d.Write(snapshot[:])
	d.text(engineVersion)
	d.Write(statements[:])
	return d.sum()
}

func inOrder(statements []Digest) []Digest {
	sorted := slices.Clone(statements)
	slices.SortFunc(sorted, func(a, b Digest) int { return slices.Compare(a[:], b[:]) })
	return sorted
}
