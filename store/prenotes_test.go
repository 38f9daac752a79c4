package store_test

import (
	"crypto/sha256"
	"slices"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/notice"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/store/storetest"
)

// bankAccount is a destination that is tried before it is paid.
func bankAccount(account string) store.Destination {
	return store.Destination{Rail: "nacha", Masked: "…" + account[len(account)-4:], Details: map[string]string{"account": account}, Account: "account=" + account, Try: true, Share: decimal.NewFromInt(1)}
}

// tries has a file of prenotes built and, taken says so, taken to the bank.
func (b *books) tries(taken bool) (store.PrenoteFile, []store.Prenote) {
	b.Helper()
	all, err := b.AccountsToTry(b.Context(), "nacha")
	require.NoError(b, err)
	for i := range all {
		all[i].Trace = "02100002" + all[i].ID[:7]
	}
	content := []byte("prenotes " + all[0].ID)
	digest := sha256.Sum256(content)
	kept := store.PrenoteFile{Rail: "nacha", Name: "p.txt", MessageID: all[0].ID, SHA256: digest[:], EffectiveOn: day("2026-02-02"), BuiltBy: "fin"}
	f, err := b.KeepPrenoteFile(b.Context(), kept, content, all)
	require.NoError(b, err)
	_, err = b.KeepPrenoteFile(b.Context(), kept, content, all)
	require.Equal(b, incentive.CodeConflict, incentive.ErrorCode(err), "each account is tried by one file")
	_, said, err := b.PrenoteContent(b.Context(), f.ID)
	require.NoError(b, err)
	require.Equal(b, content, said)
	if taken {
		for range 2 { // the second time changes nothing
			require.NoError(b, b.ConfirmPrenotes(b.Context(), "fin", f.ID, day("2026-02-05")))
		}
	}
	return f, all
}

// answers has the bank say something of a prenote.
func (b *books) answers(p store.Prenote, code string, correction *store.Destination) {
	b.Helper()
	content := []byte(p.ID + code)
	f, err := b.KeepStatusFile(b.Context(), store.StatusFile{Rail: "nacha", Name: "back.ach", UploadedBy: "fin2"}, content)
	require.NoError(b, err)
	said := []store.PayoutOutcome{{Trace: p.Trace, State: "returned", Code: code, Amount: dollars(0), Correction: correction}}
	require.NoError(b, b.NameTraced(b.Context(), "nacha", said))
	require.Equal(b, store.Prenote{ID: p.ID, DestinationID: p.DestinationID}, said[0].Prenote)
	for range 2 {
		require.NoError(b, b.ApplyOutcomes(b.Context(), f.ID, said))
	}
	f, _, err = b.StatusFile(b.Context(), f.ID)
	require.NoError(b, err)
	require.Equal(b, []int{1, 0}, []int{f.Prenotes, f.Foreign})
}

// method is the first of ann's.
func (b *books) method() store.Destination {
	b.Helper()
	set, err := b.Methods(b.Context(), "ann")
	require.NoError(b, err)
	return set[0]
}

func (b *books) standing() string {
	b.Helper()
	return b.method().Standing
}

// TestPrenotes tries an account before it is paid: its payouts wait until nothing has come back in time, and
// one that the bank sends back is not paid, which its owner is told.
func TestPrenotes(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.follows("employees: {by: [nacha]}, change_waits_days: 0")
	b.methods("ann", bankAccount("12345678"))
	require.Equal(t, "open", b.standing())
	b.deal("d1", "2026-01-05", "1000")
	b.toApproved(monthOf(1))
	require.Equal(t, []string{"100.00 held account-not-ready"}, b.kept(monthOf(1)))

	_, first := b.tries(true)
	require.Equal(t, "submitted", b.standing())
	b.answers(first[0], "R03", nil)
	require.Equal(t, "refused", b.standing())
	require.Equal(t, []string{"100.00 held account-not-ready"}, b.kept(monthOf(1)))
	told, err := b.Notices(t.Context(), "ann", 0, 1)
	require.NoError(t, err)
	require.Equal(t, []string{"account-refused", "/account"}, []string{string(told[0].Kind), told[0].Path()})

	b.methods("ann", bankAccount("12345678"))
	require.Equal(t, "open", b.standing(), "named again it is tried again")
	second, again := b.tries(true)
	b.answers(first[0], "R04", nil)
	require.Equal(t, "submitted", b.standing(), "what is said of the first prenote concerns the second no more")
	waiting, err := b.PrenotesUnderWay(t.Context())
	require.NoError(t, err)
	require.Contains(t, waiting, second.ID)
	for range 2 {
		tell, err := b.PassPrenotes(t.Context(), second.ID)
		require.NoError(t, err)
		require.Empty(t, tell, "nothing is sent before the release")
	}
	require.Equal(t, "ready", b.standing())
	require.Equal(t, []string{"100.00 planned "}, b.kept(monthOf(1)))
	b.answers(again[0], "R02", nil)
	require.Equal(t, "refused", b.standing(), "as late as it comes")
	require.Equal(t, []string{"100.00 held account-not-ready"}, b.kept(monthOf(1)))
	files, err := b.PrenoteFiles(t.Context(), "", 10)
	require.NoError(t, err)
	require.Equal(t, []int{1, 1}, []int{files[0].Back, files[1].Back})
	b.proved(monthOf(1))
}

// TestRedirectedToAnAccountThatIsTried has a payout wait that two people send to an account of
// which nobody knows yet whether it can be paid.
func TestRedirectedToAnAccountThatIsTried(t *testing.T) {
	t.Parallel()
	b, id := failed(t)
	b.methods("ann", bankAccount("12345678"))
	require.NoError(t, b.ProposeRedirection(t.Context(), "fin", id, b.reason(), 3))
	require.NoError(t, b.DecideRedirection(t.Context(), "fin2", id, true, ""))
	require.Equal(t, []string{"100.00 held account-not-ready"}, b.kept(monthOf(1)))
	_, live, err := b.BeginAttempt(t.Context(), id)
	require.NoError(t, err)
	require.False(t, live, "nothing is sent to it")
	f, _ := b.tries(true)
	tell, err := b.PassPrenotes(t.Context(), f.ID)
	require.NoError(t, err)
	require.Equal(t, []store.Disbursing{{PeriodID: monthOf(1), Revision: 1, Rail: "nacha"}}, tell)
	require.Equal(t, []string{"100.00 planned "}, b.kept(monthOf(1)))
}

// TestAnAccountThatABankCorrects is ready once somebody makes what the bank says of a prenote the destination,
// and tried anew where it is refused.
func TestAnAccountThatABankCorrects(t *testing.T) {
	t.Parallel()
	for _, confirms := range []bool{true, false} {
		b := openBooks(t)
		b.methods("ann", bankAccount("12345678"))
		f, tried := b.tries(true)
		corrected := bankAccount("87654321")
		b.answers(tried[0], "C01", &corrected)
		_, err := b.PassPrenotes(t.Context(), f.ID)
		require.NoError(t, err)
		require.Equal(t, "submitted", b.standing(), "it is not as it was named")
		all, err := b.DestinationCorrections(t.Context(), "", 10)
		require.NoError(t, err)
		require.Len(t, all, 1)
		require.NoError(t, b.DecideCorrection(t.Context(), "fin", all[0].ID, confirms, map[bool]string{false: b.reason()}[confirms]))
		require.Equal(t, map[bool]string{true: "ready", false: "open"}[confirms], b.standing())
	}
}

// TestAccountsThatNeedNoPrenote are those that were paid before, and all once their rail asks for none.
func TestAccountsThatNeedNoPrenote(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.follows("employees: {by: [nacha]}, change_waits_days: 0")
	paid := bankAccount("12345678")
	paid.Try = false
	b.methods("ann", paid)
	b.deal("d1", "2026-01-10", "1000")
	b.open(monthOf(1))
	b.close(monthOf(1))
	b.methods("ann", bankAccount("12345678"))
	require.Equal(t, "ready", b.standing())
	b.methods("ann", bankAccount("99999999"))
	require.Equal(t, "open", b.standing())
	for range 2 {
		_, err := b.StopTrying(t.Context(), "nacha")
		require.NoError(t, err)
	}
	require.Equal(t, "ready", b.standing())
}

// TestAnAccountThatIsRefusedAfterTheRelease holds what is in no file yet, and leaves what is as it was
// written. What is ready only once the file is built waits for a person.
func TestAnAccountThatIsRefusedAfterTheRelease(t *testing.T) {
	t.Parallel()
	for _, inFile := range []bool{false, true} {
		b := openBooks(t)
		ctx := t.Context()
		b.follows("employees: {by: [nacha]}, change_waits_days: 0")
		b.methods("ann", bankAccount("12345678"))
		b.deal("d1", "2026-01-05", "1000")
		f, tried := b.tries(true)
		_, err := b.PassPrenotes(ctx, f.ID)
		require.NoError(t, err)
		b.toApproved(monthOf(1))
		require.NoError(t, b.release(monthOf(1), "fin2"))
		keeps := func() error {
			_, err := b.KeepPaymentFile(ctx, store.PaymentFile{PeriodID: monthOf(1), Revision: 1, Rail: "nacha", Currency: "USD", Name: "f", MessageID: "m", Content: []byte("c"), SHA256: []byte("s"), Payouts: 1, TotalMinor: 10000})
			return err
		}
		if inFile {
			require.NoError(t, keeps())
		}
		b.answers(tried[0], "R02", nil)
		if !inFile {
			require.ErrorContains(t, keeps(), "built again", "it was read before it was refused")
		}
		for range 2 {
			require.NoError(t, b.HoldNotReady(ctx, monthOf(1), 1, "nacha"))
		}
		if inFile {
			require.Equal(t, []string{"100.00 planned "}, b.kept(monthOf(1)))
			continue
		}
		require.Equal(t, []string{"100.00 held account-not-ready"}, b.kept(monthOf(1)))
		b.methods("ann", bankAccount("12345678"))
		again, _ := b.tries(true)
		storetest.Exec(t, b.url, `INSERT INTO guerdon.payment_file (period_id, revision, rail, currency, name, message_id, content, sha256, payouts, total_minor) VALUES ('`+monthOf(1)+`', 1, 'nacha', 'USD', 'f', 'm', 'c', 's', 1, 1)`)
		_, err = b.PassPrenotes(ctx, again.ID)
		require.NoError(t, err)
		require.Equal(t, []string{"100.00 failed file-built"}, b.kept(monthOf(1)))
		require.NoError(t, b.CancelPayout(ctx, "fin", b.payouts(monthOf(1))[0].ID, b.reason()))
	}
}

// TestAPaymentThatComesBackFromATriedAccount refuses the account: the next payment waits until its owner has
// named it again and it is tried anew.
func TestAPaymentThatComesBackFromATriedAccount(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	ctx := t.Context()
	b.follows("employees: {by: [nacha]}, change_waits_days: 0")
	b.methods("ann", bankAccount("12345678"))
	f, _ := b.tries(true)
	_, err := b.PassPrenotes(ctx, f.ID)
	require.NoError(t, err)
	b.deal("d1", "2026-01-05", "1000")
	b.toApproved(monthOf(1))
	require.NoError(t, b.release(monthOf(1), "fin2"))
	file, err := b.KeepPaymentFile(ctx, store.PaymentFile{PeriodID: monthOf(1), Revision: 1, Rail: "nacha", Currency: "USD", Name: "f", MessageID: "m", Content: []byte("c"), SHA256: []byte("s"), Payouts: 1, TotalMinor: 10000})
	require.NoError(t, err)
	_, err = b.ConfirmFile(ctx, "fin2", file.ID, false)
	require.NoError(t, err)
	payout := b.payouts(monthOf(1))[0]
	for _, bad := range []bool{false, true} { // what comes back for another reason says nothing of the account
		back, err := b.KeepStatusFile(ctx, store.StatusFile{Rail: "nacha", Name: "back.ach", UploadedBy: "fin2"}, []byte(map[bool]string{false: "other", true: "R03"}[bad]))
		require.NoError(t, err)
		outcome := store.PayoutOutcome{PayoutID: payout.ID, State: "returned", Code: "R03", Amount: dollars(10000), BadAccount: bad}
		if !bad {
			outcome.PayoutID = "00000000-0000-0000-0000-000000000001"
		}
		require.NoError(t, b.ApplyOutcomes(ctx, back.ID, []store.PayoutOutcome{outcome}))
		require.Equal(t, map[bool]string{false: "ready", true: "refused"}[bad], b.standing())
	}
	told, err := b.Notices(ctx, "ann", 0, 10)
	require.NoError(t, err)
	for _, kind := range []notice.Kind{notice.PayoutCameBack, notice.AccountRefused} {
		require.True(t, slices.ContainsFunc(told, func(n notice.Notice) bool { return n.Kind == kind }), kind)
	}
	require.NoError(t, b.CancelPayout(ctx, "fin", payout.ID, b.reason()))
	b.methods("ann", bankAccount("12345678"))
	require.Equal(t, "open", b.standing(), "it has to be tried again")
	b.proved(monthOf(1))
}
