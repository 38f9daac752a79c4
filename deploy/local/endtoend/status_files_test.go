package endtoend

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments/answers"
	"github.com/guerdon/guerdon/payments/iso20022"
	"github.com/guerdon/guerdon/payments/paymentfile"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/workflows"
)

// report is what a bank says at first: one payment made, one refused.
const report = `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.11"><CstmrPmtStsRpt>
<GrpHdr><MsgId>R1</MsgId><CreDtTm>2026-11-24T06:15:00Z</CreDtTm></GrpHdr>
<OrgnlGrpInfAndSts><OrgnlMsgId>%s</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId><GrpSts>PART</GrpSts></OrgnlGrpInfAndSts>
<OrgnlPmtInfAndSts><OrgnlPmtInfId>P</OrgnlPmtInfId><PmtInfSts>PART</PmtInfSts>
<TxInfAndSts><OrgnlEndToEndId>%s</OrgnlEndToEndId><TxSts>ACSC</TxSts></TxInfAndSts>
<TxInfAndSts><OrgnlEndToEndId>%s</OrgnlEndToEndId><TxSts>RJCT</TxSts><StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf></TxInfAndSts>
</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>`

// booking is what it says weeks later: the payment has come back.
const booking = `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.054.001.08"><BkToCstmrDbtCdtNtfctn>
<GrpHdr><MsgId>B1</MsgId><CreDtTm>2026-12-20T07:00:00Z</CreDtTm></GrpHdr>
<Ntfctn><Id>1</Id><Acct><Id><Othr><Id>123456789</Id></Othr></Id></Acct>
<Ntry><Amt Ccy="USD">1.01</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-12-20</Dt></BookgDt><BkTxCd/>
<NtryDtls><TxDtls><Refs><EndToEndId>%s</EndToEndId></Refs><Amt Ccy="USD">1.01</Amt><RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf></TxDtls></NtryDtls></Ntry>
</Ntfctn></BkToCstmrDbtCdtNtfctn></Document>`

// takesToTheBank confirms the one payment file of the period.
func (h *house) takesToTheBank(rail string) store.PaymentFile {
	h.t.Helper()
	ctx := h.t.Context()
	var files []store.PaymentFile
	require.Eventually(h.t, func() (done bool) {
		var err error
		files, err = h.store.PaymentFiles(ctx, period, 1, "", 100)
		require.NoError(h.t, err)
		return len(files) == 1
	}, time.Minute, 20*time.Millisecond)
	handle, err := h.client.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: activities.DisburseID(period, 1, rail), UpdateName: workflows.ConfirmFileUpdate, WaitForStage: client.WorkflowUpdateStageCompleted,
		Args: []any{workflows.ConfirmFileInput{Actor: "fin2", FileID: files[0].ID}},
	})
	require.NoError(h.t, err)
	var a workflows.Answer
	require.NoError(h.t, handle.Get(ctx, &a))
	require.Empty(h.t, a.Code, a.Message)
	return files[0]
}

// endToEnd is the bank's reference of a payout.
func endToEnd(o store.Payout) string { return strings.ReplaceAll(o.ID, "-", "") }

// TestABankThatAnswersEarly settles a period by what a bank answers before anybody has said that
// its file was taken there: nothing waits for that any more.
func TestABankThatAnswersEarly(t *testing.T) {
	t.Parallel()
	h, rail := startISO20022(t, 2)
	h.release(2)
	ctx := t.Context()
	var files []store.PaymentFile
	require.Eventually(t, func() bool {
		var err error
		files, err = h.store.PaymentFiles(ctx, period, 1, "", 100)
		require.NoError(t, err)
		return len(files) == 1
	}, time.Minute, 20*time.Millisecond)
	payouts, err := h.store.Payouts(ctx, period, 1, nil, "", 10)
	require.NoError(t, err)
	text := strings.ReplaceAll(strings.ReplaceAll(report, "RJCT</TxSts><StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf>", "ACSC</TxSts>"), "PART", "ACSC")
	f, err := h.store.KeepStatusFile(ctx, store.StatusFile{Rail: rail.Name(), Name: "bank.xml", UploadedBy: "fin2"}, fmt.Appendf(nil, text, files[0].MessageID, endToEnd(payouts[0]), endToEnd(payouts[1])))
	require.NoError(t, err)
	require.NoError(t, workflows.ApplyStatusFile(ctx, h.client, f.ID))
	h.await(period, incentive.Settling)
	require.NoError(t, h.client.GetWorkflow(ctx, activities.DisburseID(period, 1, rail.Name()), "").Get(ctx, nil))
	p, err := h.store.PeriodRevision(ctx, period, 1)
	require.NoError(t, err)
	list, err := h.store.Checklist(ctx, p)
	require.NoError(t, err)
	for _, item := range list {
		if item.Item == store.ItemPaymentFiles {
			require.Equal(t, store.ItemDone, item.State, "it is of no use to confirm the file now")
			require.Zero(t, item.Count)
		}
	}
	h.closed(2)
}

// startISO20022 starts a company that pays so many reps by the general files of ISO 20022.
func startISO20022(t *testing.T, reps int) (*house, *iso20022.Rail) {
	t.Helper()
	rail, err := iso20022.New(iso20022.Config{Scheme: iso20022.General, Debtor: iso20022.Debtor{Name: "Test company"}, Now: time.Now,
		Accounts: map[incentive.Currency]iso20022.Account{"USD": {Number: "123456789", Bank: "USABA021000021"}}})
	require.NoError(t, err)
	h := start(t, rail)
	h.company(reps, rail.Name(), func(id string) map[string]string {
		return map[string]string{"holder": "Name " + id, "account": "987654321", "bank": "USABA021000021"}
	})
	return h, rail
}

// TestWhatTheBankAnswers settles a period by the files that a bank sends back. A return
// after the close is an exception; the period stays closed, and is still proved.
func TestWhatTheBankAnswers(t *testing.T) {
	t.Parallel()
	h, rail := startISO20022(t, 2)
	h.release(2)
	ctx := t.Context()
	file := h.takesToTheBank(rail.Name())
	h.await(period, incentive.Settling)

	payouts, err := h.store.Payouts(ctx, period, 1, nil, "", 10)
	require.NoError(t, err)
	if payouts[0].ParticipantID != "rep0001" {
		payouts[0], payouts[1] = payouts[1], payouts[0]
	}
	answer := func(text string) (effects []string) {
		for range 2 { // what is handed in twice is applied once
			f, err := h.store.KeepStatusFile(ctx, store.StatusFile{Rail: rail.Name(), Name: "bank.xml", UploadedBy: "fin2"}, []byte(text))
			require.NoError(t, err)
			require.NoError(t, workflows.ApplyStatusFile(ctx, h.client, f.ID))
			applied, err := h.store.Outcomes(ctx, f.ID)
			require.NoError(t, err)
			effects = nil
			for _, o := range applied {
				effects = append(effects, o.Effect)
			}
		}
		return effects
	}
	require.Equal(t, []string{"paid", "failed"}, answer(fmt.Sprintf(report, file.MessageID, endToEnd(payouts[0]), endToEnd(payouts[1]))))
	require.Equal(t, store.CodePayoutsOpen, h.do(period, incentive.Close, "fin", nil, "").Code)
	reason, err := h.store.WriteText(ctx, "fin", "the account is closed")
	require.NoError(t, err)
	require.NoError(t, h.store.CancelPayout(ctx, "fin", payouts[1].ID, reason))
	require.NoError(t, h.client.SignalWorkflow(ctx, activities.DisburseID(period, 1, rail.Name()), "", activities.RetrySignal, nil))
	require.NoError(t, h.client.GetWorkflow(ctx, activities.DisburseID(period, 1, rail.Name()), "").Get(ctx, nil), "nothing is left to settle")
	require.Equal(t, incentive.Closed, h.do(period, incentive.Close, "fin", nil, "").State)

	require.Equal(t, []string{"returned"}, answer(fmt.Sprintf(booking, endToEnd(payouts[0]))))
	returned, err := h.store.Payout(ctx, payouts[0].ID)
	require.NoError(t, err)
	require.Equal(t, []string{"returned", "AC04"}, []string{returned.State, returned.Reason})
	p, err := h.store.PeriodRevision(ctx, period, 1)
	require.NoError(t, err)
	require.Equal(t, incentive.Closed, p.State)
	proof, err := activities.Verify(ctx, h.store, period, 1)
	require.NoError(t, err)
	require.Equal(t, 2+2+1+1+1, proof.JournalEntries, "two approved and submitted, one paid, one refused, one returned")
	balances, err := h.store.Balances(ctx, "", 0)
	require.NoError(t, err)
	for _, b := range balances {
		switch b.Kind {
		case store.CommissionExpense:
			require.EqualValues(t, 302, b.Minor)
		case store.Payable:
			require.EqualValues(t, -302, b.Minor, "both are owed again")
		default:
			require.Zero(t, b.Minor, "%s", b.Kind)
		}
	}
	recordOf(t, h.client, "bank-status-file", "StatusFile")
}

// TestAFileThatTheBankRefuses pays everybody in the same period all the same: the bank refuses the first file as a whole,
// what it did not pay is released on another list, and the second file is carried out.
func TestAFileThatTheBankRefuses(t *testing.T) {
	t.Parallel()
	h, rail := startISO20022(t, 2)
	h.release(2)
	ctx := t.Context()
	first := h.takesToTheBank(rail.Name())
	h.await(period, incentive.Settling)
	says := func(messageID, status, reason string) {
		f, err := h.store.KeepStatusFile(ctx, store.StatusFile{Rail: rail.Name(), Name: "bank.xml", UploadedBy: "fin2"}, fmt.Appendf(nil, `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.11"><CstmrPmtStsRpt>
<GrpHdr><MsgId>R</MsgId><CreDtTm>2026-11-24T06:15:00Z</CreDtTm></GrpHdr>
<OrgnlGrpInfAndSts><OrgnlMsgId>%s</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId><GrpSts>%s</GrpSts>%s</OrgnlGrpInfAndSts></CstmrPmtStsRpt></Document>`, messageID, status, reason))
		require.NoError(t, err)
		require.NoError(t, workflows.ApplyStatusFile(ctx, h.client, f.ID))
	}
	says(first.MessageID, "RJCT", "<StsRsnInf><Rsn><Cd>FF01</Cd></Rsn></StsRsnInf>")
	reason, err := h.store.WriteText(ctx, "fin", "the bank wants another version")
	require.NoError(t, err)
	_, err = h.store.PayAgain(ctx, "fin", first.ID, reason)
	require.NoError(t, err)
	require.NoError(t, workflows.TellDisbursement(ctx, h.client, period, 1, rail.Name()))
	list, err := h.store.PayoutList(ctx, period, 1)
	require.NoError(t, err)
	require.Equal(t, incentive.Released, h.do(period, incentive.Release, "fin2", list.Digest, "").State)
	var second store.PaymentFile
	require.Eventually(t, func() bool {
		files, err := h.store.PaymentFiles(ctx, period, 1, first.ID, 100)
		require.NoError(t, err)
		if len(files) == 1 {
			second = files[0]
		}
		return len(files) == 1
	}, time.Minute, 20*time.Millisecond)
	require.Equal(t, []any{1, 2, int64(302)}, []any{second.Supplement, second.Payouts, second.TotalMinor})
	require.NotEqual(t, first.MessageID, second.MessageID, "which a bank would refuse as one that it has")
	says(second.MessageID, "ACSC", "")
	says(first.MessageID, "RJCT", "<StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf>")
	h.await(period, incentive.Settling)
	require.Equal(t, incentive.Closed, h.do(period, incentive.Close, "fin", nil, "").State)
	_, err = activities.Verify(ctx, h.store, period, 1)
	require.NoError(t, err)
	balances, err := h.store.Balances(ctx, "", 0)
	require.NoError(t, err)
	for _, b := range balances {
		require.Equal(t, map[store.AccountKind]int64{store.CommissionExpense: 302, store.Cash: -302}[b.Kind], b.Minor, "%s", b.Kind)
	}
}

// TestAListOfAnswers writes a payment file as a bank wants it, and settles the period by the list in which the bank
// answers it: one payment is made, one refused, and one, of another amount, is for a person.
func TestAListOfAnswers(t *testing.T) {
	t.Parallel()
	wants, err := paymentfile.Parse([]byte(`{payment: ["{reference}", "{holder}", "{bank}", "{account}", "{amount}"], trailer: ["{count}", "{total}", "{checksum}"]}`))
	require.NoError(t, err)
	template, err := answers.Parse([]byte("reference: Ref\nstatus: Status\nreason: Remarks\namount: Amount\ncurrency: Ccy\npaid: [Done]\nrefused: [Failed]\n"))
	require.NoError(t, err)
	rail, err := answers.Reads(paymentfile.New("payment-file", "Test").By(paymentfile.Written{Template: wants, Zone: time.UTC, Now: time.Now}), template)
	require.NoError(t, err)
	h := start(t, rail)
	h.company(3, rail.Name(), func(id string) map[string]string {
		return map[string]string{"holder": "Name " + id, "account": "987654321", "bank": "021000021"}
	})
	today := h.day()
	h.release(3)
	f, err := h.store.PaymentFile(t.Context(), h.takesToTheBank(rail.Name()).ID)
	require.NoError(t, err)
	h.await(period, incentive.Settling)
	lines := strings.Split(string(f.Content), "\r\n")
	require.Regexp(t, `^3,6\.03,[0-9a-f]{64}$`, lines[3])
	slices.SortFunc(lines[:3], func(a, b string) int { return strings.Compare(strings.Split(a, ",")[1], strings.Split(b, ",")[1]) })
	list := "Ref,Status,Remarks,Amount,Ccy\n"
	for i, line := range lines[:3] {
		payout, rest, _ := strings.Cut(line, ",")
		require.Equal(t, fmt.Sprintf("Name rep000%d,021000021,987654321,%d.01", i+1, i+1), rest)
		list += payout + []string{",Done,,1.01,USD\n", ",Failed,Account closed,2.01,USD\n", ",Done,,9,USD\n"}[i]
	}
	for range 2 {
		f, err := h.store.KeepStatusFile(t.Context(), store.StatusFile{Rail: rail.Name(), Name: "list.csv", UploadedBy: "fin2"}, []byte(list))
		require.NoError(t, err)
		require.NoError(t, workflows.ApplyStatusFile(t.Context(), h.client, f.ID))
	}
	require.Equal(t, []string{"rep0001 paid ", "rep0002 failed Failed", "rep0003 submitted bank-unclear"}, h.texts(`SELECT participant_id || ' ' || state || ' ' || reason FROM guerdon.payout ORDER BY participant_id`))
	_, err = h.store.VerifyLedger(t.Context())
	require.NoError(t, err)
	_, _, differences := h.reconciled(rail.Name(), today)
	require.Len(t, differences, 1, "what is for a person differs")
}
