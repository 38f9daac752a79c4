package nacha_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moov-io/ach"
	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/payments/nacha"
	"github.com/guerdon/guerdon/payments/nacha/standin"
)

// sentBack is what a bank makes of the file of everyKind.
func sentBack(t testing.TB, answers ...standin.Answer) []byte {
	file, err := newRail(t, config()).BuildFile(t.Context(), everyKind(t))
	require.NoError(t, err)
	for i := range answers {
		if answers[i].Trace == "" {
			answers[i].Trace = file.Traces[payoutID(i)]
		}
	}
	content, err := standin.SendBack(file.Content, incentive.MustParseDate("2026-11-25"), answers...)
	require.NoError(t, err)
	return content
}

func read(content []byte) ([]payments.Outcome, error) {
	rail, err := nacha.New(config())
	if err != nil {
		return nil, err
	}
	return rail.ReadStatus(context.Background(), bytes.NewReader(content))
}

func TestReturns(t *testing.T) {
	t.Parallel()
	content := sentBack(t, standin.Answer{Code: "R03"}, standin.Answer{Code: "R24"}, standin.Answer{Code: "R98"}, standin.Answer{Code: "R01"})
	said, err := read(content)
	require.NoError(t, err)
	usd := func(minor int64) incentive.Money { return incentive.Money{Minor: minor, Currency: "USD"} }
	byTrace := map[string]payments.Outcome{}
	for _, o := range said {
		require.Empty(t, o.Reference)
		require.Equal(t, "2026-11-25", o.On.String())
		byTrace[o.Trace] = o
	}
	require.Len(t, byTrace, 4)
	no := byTrace["021000021234567"]
	require.Equal(t, payments.Returned, no.State)
	require.Equal(t, payments.RecipientAction, no.Class)
	require.Equal(t, "R03", no.Code)
	require.Equal(t, usd(76_516), no.Amount)
	double := byTrace["021000021234569"]
	require.Empty(t, double.State, "another may have been paid")
	require.Equal(t, payments.Alarm, double.Class)
	own := byTrace["021000021234568"]
	require.Equal(t, payments.Returned, own.State)
	require.Equal(t, payments.Definite, own.Class, "a reason that nobody knows is one all the same")
	require.Equal(t, payments.Alarm, byTrace["021000021234570"].Class, "what is said of debits alone is for a person")
}

func TestNotificationsOfChange(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code, data string
		expected   payments.Destination // nil: a person looks
	}{
		{"C01", "99-8877", payments.Destination{nacha.AccountDetail: "99-8877"}},
		{"C02", "091400606", payments.Destination{nacha.RoutingDetail: "091400606"}},
		{"C03", "091400606   998877", payments.Destination{nacha.RoutingDetail: "091400606", nacha.AccountDetail: "998877"}},
		{"C05", "32", payments.Destination{nacha.KindDetail: nacha.Savings}},
		{"C06", "998877           22", payments.Destination{nacha.AccountDetail: "998877", nacha.KindDetail: nacha.Checking}},
		{"C07", "091400606998877           32", payments.Destination{nacha.RoutingDetail: "091400606", nacha.AccountDetail: "998877", nacha.KindDetail: nacha.Savings}},
		{"C05", "27", nil},
		{"C01", "99_88", nil},
		{"C04", "Ann", nil},
		{"C13", "x", nil},
	} {
		said, err := read(sentBack(t, standin.Answer{Code: c.code, Data: c.data}))
		require.NoError(t, err, c.code)
		require.Len(t, said, 1)
		require.Empty(t, said[0].State)
		require.Equal(t, "021000021234567", said[0].Trace)
		require.Equal(t, map[string]string(c.expected), map[string]string(said[0].Correction), c.code)
		if c.expected == nil {
			require.Equal(t, payments.Alarm, said[0].Class, c.code)
		} else {
			require.Empty(t, said[0].Class, c.code)
		}
		require.NotContains(t, said[0].Reason, c.data, "an account belongs in no reason")
	}
}

// Some banks leave the file's header out, or its control as well.
func TestReturnsWithoutHeader(t *testing.T) {
	t.Parallel()
	whole := sentBack(t, standin.Answer{Code: "R02"}, standin.Answer{Code: "R03"})
	expected, err := read(whole)
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSuffix(string(whole), "\n"), "\n")
	_, batches, _ := strings.Cut(string(whole), "\n")
	said, err := read([]byte(batches))
	require.NoError(t, err)
	require.Equal(t, expected, said)
	var bare []string
	for _, line := range lines[1:] {
		if line[0] != '9' {
			bare = append(bare, line)
		}
	}
	said, err = read([]byte(strings.Join(bare, "\r\n")))
	require.NoError(t, err)
	require.Equal(t, expected, said)
}

// What a bank's file counts and sums up must be so, or nothing of it is believed.
func TestMutationsOfReturns(t *testing.T) {
	t.Parallel()
	whole := sentBack(t, standin.Answer{Code: "R02"}, standin.Answer{Code: "R03"}, standin.Answer{Code: "C01", Data: "1234"})
	lines := strings.Split(strings.TrimSuffix(string(whole), "\n"), "\n")
	fields := map[byte][][2]int{
		'5': {{1, 4}, {79, 87}, {87, 94}}, '6': {{3, 11}, {11, 12}, {29, 39}}, '8': {{1, 4}, {4, 10}, {10, 20}, {20, 32}, {32, 44}, {79, 87}, {87, 94}},
		'9': {{1, 7}, {13, 21}, {21, 31}, {31, 43}, {43, 55}},
	}
	for i, line := range lines {
		if strings.Trim(line, "9") == "" {
			continue
		}
		for _, place := range fields[line[0]] {
			for at := place[0]; at < place[1]; at++ {
				other := byte('1')
				if line[at] >= '0' && line[at] <= '8' {
					other = line[at] + 1
				}
				changed := append([]string{}, lines...)
				changed[i] = line[:at] + string(other) + line[at+1:]
				_, err := read([]byte(strings.Join(changed, "\n")))
				require.Equal(t, payments.CodeStatusFileRefused, incentive.ErrorCode(err), "line %d, character %d:\n%s", i+1, at+1, changed[i])
			}
		}
	}
	credits, err := os.ReadFile(filepath.Join("testdata", "credits.ach"))
	require.NoError(t, err)
	for name, content := range map[string][]byte{"nothing": nil, "our own file": credits, "a letter": []byte("Dear Sirs"), "XML": []byte("<Document/>")} {
		_, err := read(content)
		require.Equal(t, payments.CodeStatusFileRefused, incentive.ErrorCode(err), name)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = newRail(t, config()).ReadStatus(over, bytes.NewReader(whole))
	require.ErrorIs(t, err, context.Canceled)
}

func FuzzReadStatus(f *testing.F) {
	f.Add(sentBack(f, standin.Answer{Code: "R02"}, standin.Answer{Code: "C01", Data: "1234"}))
	f.Add(sentBack(f, standin.Answer{Code: "C07", Data: "091400606998877           32"}))
	f.Add([]byte("5"))
	tried, err := newRail(f, config()).BuildPrenotes(f.Context(), prenotesOf(f))
	require.NoError(f, err)
	back, err := standin.SendBack(tried.Content, incentive.MustParseDate("2026-11-25"), standin.Answer{Trace: tried.Traces[payoutID(0)], Code: "R03"}, standin.Answer{Trace: tried.Traces[payoutID(1)], Code: "C01", Data: "1234"})
	require.NoError(f, err)
	f.Add(back)
	f.Fuzz(func(t *testing.T, content []byte) {
		said, err := read(content)
		if err != nil {
			require.Equal(t, payments.CodeStatusFileRefused, incentive.ErrorCode(err))
			return
		}
		for _, o := range said {
			require.True(t, o.State == payments.Returned || o.State == "" && (o.Class == payments.Alarm || o.Correction != nil))
			require.NotContains(t, o.Trace, " ")
			_ = ach.PPD
		}
	})
}
