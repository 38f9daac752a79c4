package nacha_test

import (
	"bytes"
	"testing"

	"github.com/moov-io/ach"
	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/payments/nacha"
	"github.com/guerdon/guerdon/payments/nacha/standin"
)

// prenotesOf asks for prenotes to accounts of every kind.
func prenotesOf(t require.TestingT) payments.FileRequest {
	r := everyKind(t)
	for i := range r.Payments {
		r.Payments[i].Amount.Minor = 0
	}
	return r
}

// TestPrenotes writes entries of nothing, which moov-io/ach reads back: 23 to checking accounts, 33 to
// savings accounts, in the batches in which payments would be.
func TestPrenotes(t *testing.T) {
	t.Parallel()
	rail := newRail(t, config())
	file, err := rail.BuildPrenotes(t.Context(), prenotesOf(t))
	require.NoError(t, err)
	require.Equal(t, []any{4, incentive.Money{Currency: "USD"}, "2026-11-24"}, []any{file.Count, file.Total, file.EffectiveOn.String()})
	again, err := rail.BuildPrenotes(t.Context(), prenotesOf(t))
	require.NoError(t, err)
	require.Equal(t, file, again)
	read, err := ach.NewReader(bytes.NewReader(file.Content)).Read()
	require.NoError(t, err)
	require.Zero(t, read.Control.TotalCreditEntryDollarAmountInFile)
	found := map[string]int{}
	for _, batch := range read.Batches {
		require.Equal(t, ach.CreditsOnly, batch.GetHeader().ServiceClassCode)
		for _, e := range batch.GetEntries() {
			require.Zero(t, e.Amount)
			found[batch.GetHeader().StandardEntryClassCode+" "+e.TraceNumberField()] = e.TransactionCode
		}
	}
	require.Equal(t, map[string]int{
		"PPD " + file.Traces[payoutID(0)]: 23, "CCD " + file.Traces[payoutID(1)]: 33, "PPD " + file.Traces[payoutID(2)]: 33, "CCD " + file.Traces[payoutID(3)]: 23,
	}, found)

	back, err := standin.SendBack(file.Content, incentive.MustParseDate("2026-11-25"), standin.Answer{Trace: file.Traces[payoutID(1)], Code: "R03"}, standin.Answer{Trace: file.Traces[payoutID(0)], Code: "C01", Data: "98765432"})
	require.NoError(t, err)
	said, err := rail.ReadStatus(t.Context(), bytes.NewReader(back))
	require.NoError(t, err)
	require.Len(t, said, 2)
	for _, o := range said {
		if o.Trace == file.Traces[payoutID(1)] {
			require.Equal(t, []any{payments.Returned, "R03", incentive.Money{Currency: "USD"}}, []any{o.State, o.Code, o.Amount})
		} else {
			require.Equal(t, payments.Destination{nacha.AccountDetail: "98765432"}, o.Correction)
		}
	}
}

// TestPrenotesAreOfNothing refuses amounts in files of prenotes, and prenotes in files of payments.
func TestPrenotesAreOfNothing(t *testing.T) {
	t.Parallel()
	rail := newRail(t, config())
	_, err := rail.BuildPrenotes(t.Context(), everyKind(t))
	require.ErrorContains(t, err, "4 of 4 payments cannot be written")
	_, err = rail.BuildFile(t.Context(), prenotesOf(t))
	require.ErrorContains(t, err, "4 of 4 payments cannot be written")
	require.False(t, payments.Tries(rail))
	c := config()
	c.Prenotes = true
	require.True(t, payments.Tries(newRail(t, c)))
}

// TestTriedOn is the third banking day after the prenotes: Thanksgiving and the weekend are none.
func TestTriedOn(t *testing.T) {
	t.Parallel()
	rail := newRail(t, config())
	for _, c := range [][3]string{{"2026-11-23", "2026-11-23", "2026-11-27"}, {"2026-11-24", "2026-11-23", "2026-11-30"}, {"2026-11-23", "2026-11-24", "2026-11-30"}} {
		require.Equal(t, c[2], rail.TriedOn(incentive.MustParseDate(c[0]), incentive.MustParseDate(c[1])).String())
	}
}
