package plan

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive/language"
)

func TestCondition(t *testing.T) {
	t.Parallel()
	for filter, want := range map[string][2]string{
		`transaction.product != "training"`:                                        {`product is not "training"`, `product bukan "training"`},
		`transaction.kind == "renewal"`:                                            {`kind is "renewal"`, `kind adalah "renewal"`},
		`transaction.amount >= 1_000.50`:                                           {`amount is at least 1000.5`, `amount setidaknya 1000.5`},
		`transaction.margin < -0.1`:                                                {`margin is below -0.1`, `margin di bawah -0.1`},
		`transaction.amount > 12345678901234567.89`:                                {`amount is above 12345678901234567.89`, `amount di atas 12345678901234567.89`},
		`transaction.amount <= participant.deal_limit`:                             {`amount is at most the participant's deal limit`, `amount paling banyak deal limit peserta`},
		`credit.role == "owner" && credit.share == 1`:                              {`the credit's role is "owner" and the credit's share is 1`, `role kredit adalah "owner" dan share kredit adalah 1`},
		`transaction.date >= "2026-01-31" and transaction.date < "2026-03-01"`:     {"date is on or after 31\u00a0Jan\u00a02026 and date is before 1\u00a0Mar\u00a02026", "date pada atau setelah 31\u00a0Jan\u00a02026 dan date sebelum 1\u00a0Mar\u00a02026"},
		`transaction.a == "x" or transaction.b == "y" or transaction.c == "z"`:     {`a is "x" or b is "y" or c is "z"`, `a adalah "x" atau b adalah "y" atau c adalah "z"`},
		`transaction.a == "x" or transaction.b == "y" and transaction.c == "z"`:    {`a is "x" or (b is "y" and c is "z")`, `a adalah "x" atau (b adalah "y" dan c adalah "z")`},
		`(transaction.a == "x" || transaction.b == "y") && transaction.c == "z"`:   {`(a is "x" or b is "y") and c is "z"`, `(a adalah "x" atau b adalah "y") dan c adalah "z"`},
		`transaction.product in ["cloud", "platform"] and transaction.year > 2025`: {`product is one of "cloud", "platform" and year is above 2025`, `product salah satu dari "cloud", "platform" dan year di atas 2025`},
		`transaction.size not in [1, 2.50]`:                                        {`size is none of 1, 2.5`, `size bukan salah satu dari 1, 2.5`},

		// What is more than that stays as it is written.
		`not (transaction.region startsWith "test")`:                     {},
		`transaction.region contains "north"`:                            {},
		`transaction.a == "x" and not (transaction.b == "y")`:            {},
		`transaction.amount * 2 > 10`:                                    {},
		`transaction.amount > 10 + 2`:                                    {},
		`transaction.grade >= "b"`:                                       {},
		`"north" == participant.region`:                                  {},
		`transaction.a == "x" ? credit.share == 1 : credit.share == 0.5`: {},
		`transaction.a in participant.b`:                                 {},
		`transaction.a in ["x", participant.b + "y"]`:                    {},
		`what an earlier language may have let through`:                  {},
	} {
		if want == [2]string{} {
			want = [2]string{filter, filter}
		}
		require.Equal(t, want, [2]string{Condition(language.English, filter), Condition(language.Indonesian, filter)})
	}
}

// TestConditionsOfAPlan reads conditions back where a plan has them, with numbers as each
// language writes them.
func TestConditionsOfAPlan(t *testing.T) {
	t.Parallel()
	p, err := Parse([]byte(`language: 1
plan: p
name: Partner sales
currency: USD
reads: {transaction: {paid: text, margin: number, tier: text}}
credits:
  - {role: owner, match: {transaction.tier: participant.id}, where: transaction.amount >= 12500}
components:
  - name: Sales
    measure: {sum: credits, where: transaction.margin >= 0.25}
    rates:
      - {where: credit.role == "owner", rate: 2%}
      - {rate: 1%}
    holdback: {share: 20%, for_months: 3, released_where: transaction.paid == "yes", otherwise: forfeited}
`))
	require.NoError(t, err)
	all := p.Describe(language.English)
	require.Contains(t, all[1], ", where amount is at least 12,500")
	require.Contains(t, all[2], `what is credited where margin is at least 0.25, 2% where the credit's role is "owner"; 1% of all other credits.`)
	require.Contains(t, all[2], `and paid once paid is "yes"; after 3 months it is lost`)
	all = p.Describe(language.Indonesian)
	require.Contains(t, all[1], ", bila amount setidaknya 12.500")
	require.Contains(t, all[2], `margin setidaknya 0,25`)
}
