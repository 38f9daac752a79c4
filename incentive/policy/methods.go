package policy

import (
	"math"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
)

// MostMethods is how many methods a participant may share what they are paid between.
const MostMethods = 5

// MethodRule lets participants be paid by some rails. The first rule that concerns somebody
// and names a rail says how much of it.
type MethodRule struct {
	Of   []incentive.ParticipantKind // none: any
	In   []string                    // countries, by ISO 3166-1 alpha-2; none: any
	By   []string                    // rails
	From []incentive.Money           // of one payout; less goes by another method
	UpTo []incentive.Money           // of one payout; where it names currencies, nothing is paid in others
}

// Method is a way in which a participant wants a share of each payout.
type Method struct {
	Rail  string
	Share decimal.Decimal // 1 is the whole
}

// bounds are how much a rail may pay somebody at a time.
type bounds struct{ least, most int64 }

func (p Payouts) bounds(kind incentive.ParticipantKind, country, rail string, currency incentive.Currency) bounds {
	none := bounds{math.MaxInt64, 0}
	if !p.payrollAllows(kind, country, rail) {
		return none
	}
	if len(p.Methods) == 0 {
		return bounds{0, math.MaxInt64}
	}
	for _, rule := range p.Methods {
		if !rule.allows(kind, country, rail) {
			continue
		}
		b := bounds{0, math.MaxInt64}
		for _, least := range rule.From {
			if least.Currency == currency {
				b.least = least.Minor
			}
		}
		if len(rule.UpTo) > 0 {
			b.most = 0
		}
		for _, most := range rule.UpTo {
			if most.Currency == currency {
				b.most = most.Minor
			}
		}
		return b
	}
	return none
}

func (r MethodRule) allows(kind incentive.ParticipantKind, country, rail string) bool {
	return (len(r.Of) == 0 || slices.Contains(r.Of, kind)) && (len(r.In) == 0 || slices.Contains(r.In, country)) && slices.Contains(r.By, rail)
}

func (p Payouts) payrollAllows(kind incentive.ParticipantKind, country, rail string) bool {
	return kind != incentive.Employee || slices.Contains(p.Employees.By, rail) || slices.Contains(p.Employees.ElseIn, country)
}

// Allows reports whether a rail may pay somebody at all, whatever the amount.
func (p Payouts) Allows(kind incentive.ParticipantKind, country, rail string) bool {
	return p.payrollAllows(kind, country, rail) && (len(p.Methods) == 0 || slices.ContainsFunc(p.Methods, func(r MethodRule) bool { return r.allows(kind, country, rail) }))
}

// Split returns what each of a participant's methods pays of an amount: their shares, to the
// minor unit by largest remainder. What is below the minimum of the policy or of a method, or
// above what a method may pay, goes to the first method. Where the first one then has too
// little, it goes to the one that pays the most.
func (p Payouts) Split(amount incentive.Money, kind incentive.ParticipantKind, country string, methods []Method) []int64 {
	exact := make([]decimal.Decimal, len(methods))
	for i, m := range methods {
		exact[i] = m.Share.Mul(amount.Decimal())
	}
	parts := make([]int64, len(methods))
	for i, part := range incentive.Share(amount, exact) {
		parts[i] = part.Minor
	}
	least := int64(1)
	for _, minimum := range p.Minimum {
		if minimum.Currency == amount.Currency {
			least = minimum.Minor
		}
	}
	for i := 1; i < len(parts); i++ {
		b := p.bounds(kind, country, methods[i].Rail, amount.Currency)
		if pays := min(parts[i], b.most); pays < max(least, b.least) {
			parts[0] += parts[i]
			parts[i] = 0
		} else {
			parts[0] += parts[i] - pays
			parts[i] = pays
		}
	}
	if len(parts) == 0 || parts[0] == 0 {
		return parts
	}
	b := p.bounds(kind, country, methods[0].Rail, amount.Currency)
	if parts[0] >= max(least, b.least) && parts[0] <= b.most {
		return parts
	}
	most := 0
	for i := range parts {
		if i > 0 && parts[i] > 0 && (most == 0 || parts[i] > parts[most]) && parts[i]+parts[0] <= p.bounds(kind, country, methods[i].Rail, amount.Currency).most {
			most = i
		}
	}
	if most > 0 && parts[0] < max(least, b.least) {
		parts[most] += parts[0]
		parts[0] = 0
	}
	return parts
}
