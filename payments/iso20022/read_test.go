package iso20022_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
)

const (
	first   = "6b2f0a34-0000-4000-8000-000000000000"
	second  = "6b2f0a34-0000-4000-8000-000000000001"
	third   = "6b2f0a34-0000-4000-8000-000000000002"
	ourFile = "GRD-00112233445566778899aabbccdd"
)

func money(amount string, currency incentive.Currency) incentive.Money {
	value, err := incentive.ParseDecimal(amount)
	if err != nil {
		panic(err)
	}
	m, err := incentive.MoneyOf(value, currency)
	if err != nil {
		panic(err)
	}
	return m
}

func bankFile(t testing.TB, message string) []byte {
	content, err := os.ReadFile(filepath.Join("testdata", message+".xml"))
	require.NoError(t, err)
	return content
}

func read(t require.TestingT, content []byte) ([]payments.Outcome, error) {
	return newRail(t, sepa()).ReadStatus(context.Background(), bytes.NewReader(content))
}

func TestWhatTheBankSays(t *testing.T) {
	t.Parallel()
	on24, on25, on26 := incentive.MustParseDate("2026-11-24"), incentive.MustParseDate("2026-11-25"), incentive.MustParseDate("2026-11-26")
	for message, expected := range map[string][]payments.Outcome{
		"pain.002.001.11": {
			{Reference: first, State: payments.Refused, Class: payments.RecipientAction, Code: "AC04", Reason: `the account is closed, in the bank's words: "Konto erloschen seit 2026"`, Amount: money("765.16", "EUR"), On: on24, MessageID: ourFile},
			// Not refused: the payment that the bank takes this one for may have been made.
			{Reference: second, Class: payments.Alarm, Code: "AM05", Reason: "the bank takes it for a duplicate of one that it has", On: on24, MessageID: ourFile},
			{Reference: third, State: payments.Paid, Code: "ACSC", Reason: "the bank has debited and settled it", Amount: money("765.18", "EUR"), On: on24, MessageID: ourFile},
			{Reference: "payout-4", State: payments.Submitted, Code: "PDNG", Reason: "the bank has yet to check or release it", On: on24, MessageID: ourFile},
			{Reference: "payout-5", State: payments.Refused, Class: payments.Definite, Code: "4711", Reason: "the bank gives a reason of its own", On: on24, MessageID: ourFile},
			{Reference: "payout-6", State: payments.Refused, Class: payments.Definite, Code: "RJCT", Reason: "the bank gives no reason", On: on24, MessageID: ourFile},
			{Reference: "payout-7", Class: payments.Alarm, Code: "ZZZZ", Reason: "the bank gives a status that is not known here", On: on24, MessageID: ourFile},
			// The eighth is not named, and nothing is said of it.
		},
		"camt.053.001.08": {
			{Reference: first, State: payments.Paid, Code: "BOOK", Reason: "the bank has booked the debit", Amount: money("765.16", "EUR"), On: on25, MessageID: ourFile},
			{Reference: second, State: payments.Paid, Code: "BOOK", Reason: "the bank has booked the debit", Amount: money("765.17", "EUR"), On: on25, MessageID: ourFile},
			{Reference: third, State: payments.Paid, Code: "BOOK", Reason: "the bank has booked the debit", Amount: money("765.18", "USD"), On: on25},
			{Reference: first, State: payments.Returned, Class: payments.RecipientAction, Code: "AC04", Reason: "the account is closed", Amount: money("760.16", "EUR"), On: on25},
			{Reference: second, Class: payments.Alarm, Code: "booking-unexplained", Reason: "the bank booked something with the payment's id that is neither the payment nor marked as its return", Amount: money("0.01", "EUR"), On: on25},
			{State: payments.Paid, Code: "BOOK", Reason: "the bank has booked the debit", Amount: money("2295.51", "EUR"), On: on25, MessageID: "GRD-ffeeddccbbaa99887766554433aa"},
		},
		"camt.054.001.08": {
			{Reference: second, State: payments.Returned, Class: payments.Definite, Reason: "the bank gives no reason", Amount: money("765.17", "EUR"), On: on26},
			{Reference: third, State: payments.Returned, Class: payments.Definite, Code: "914", Reason: `the bank gives a reason of its own, in the bank's words: "IBAN fehlerhaft"`, Amount: money("765.18", "EUR"), On: on26},
		},
	} {
		t.Run(message, func(t *testing.T) {
			t.Parallel()
			content := bankFile(t, message)
			outcomes, err := read(t, content)
			require.NoError(t, err)
			require.Equal(t, expected, outcomes)
			requireValid(t, message, content)
		})
	}
}

// Older versions write the state of a booking as text.
func TestOlderVersions(t *testing.T) {
	t.Parallel()
	for newer, older := range map[string][]string{
		"camt.053.001.08": {"camt.053.001.02", "camt.053.001.04", "camt.053.001.06"}, "camt.054.001.08": {"camt.054.001.02", "camt.054.001.04", "camt.054.001.06"}, "pain.002.001.11": {"pain.002.001.03", "pain.002.001.10", "pain.002.001.12"},
	} {
		content := string(bankFile(t, newer))
		expected, err := read(t, []byte(content))
		require.NoError(t, err)
		for _, version := range older {
			old := strings.NewReplacer(newer, version, "<Cd>BOOK</Cd>", "BOOK", "<Cd>PDNG</Cd>", "PDNG").Replace(content)
			outcomes, err := read(t, []byte(old))
			require.NoError(t, err, version)
			require.Equal(t, expected, outcomes, version)
		}
	}
}

// report is a payment status report with a status and reasons at each level.
func report(group, blocks string) []byte {
	return []byte(`<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.11"><CstmrPmtStsRpt><GrpHdr><MsgId>1</MsgId><CreDtTm>2026-11-24T06:15:00</CreDtTm></GrpHdr>` +
		`<OrgnlGrpInfAndSts><OrgnlMsgId>` + ourFile + `</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>` + group + `</OrgnlGrpInfAndSts>` + blocks + `</CstmrPmtStsRpt></Document>`)
}

func block(status string) string {
	return `<OrgnlPmtInfAndSts><OrgnlPmtInfId>` + ourFile + `-1</OrgnlPmtInfId>` + status + `</OrgnlPmtInfAndSts>`
}

const transaction = `<TxInfAndSts><OrgnlEndToEndId>a</OrgnlEndToEndId></TxInfAndSts>`

// What is said of the whole file has no reference, and holds for every payment that is
// not named.
func TestReportsOnWholeFiles(t *testing.T) {
	t.Parallel()
	var reports [][]byte
	refused := `<StsRsnInf><Rsn><Cd>DU01</Cd></Rsn></StsRsnInf>`
	for _, c := range []struct {
		group, blocks string
		expected      string // reference state class code, of each outcome
	}{
		{`<GrpSts>ACTC</GrpSts>`, "", " submitted  ACTC"},
		{`<GrpSts>ACSC</GrpSts>`, "", " paid  ACSC"},
		{`<GrpSts>RJCT</GrpSts>`, "", " refused definite RJCT"},
		{`<GrpSts>RJCT</GrpSts><StsRsnInf><Rsn><Cd>FF01</Cd></Rsn></StsRsnInf>`, "", " refused configuration FF01"},
		{`<GrpSts>RJCT</GrpSts>` + refused, "", "  alarm DU01"},
		{`<GrpSts>CANC</GrpSts>`, "", " refused definite CANC"},
		{`<GrpSts>BLCK</GrpSts>`, "", "  alarm BLCK"},
		{`<GrpSts>PART</GrpSts>`, "", ""},
		{"", "", ""},
		{"", block(`<PmtInfSts>ACCP</PmtInfSts>`), " submitted  ACCP"},
		{`<GrpSts>PART</GrpSts>`, block(`<PmtInfSts>RJCT</PmtInfSts><StsRsnInf><Rsn><Cd>AM04</Cd></Rsn></StsRsnInf>`), " refused insufficient_funds AM04"},
		{`<GrpSts>ACTC</GrpSts>`, block(transaction), " submitted  ACTC; a submitted  ACTC"},
		{`<GrpSts>RJCT</GrpSts>`, block(strings.Replace(transaction, "</TxInf", "<TxSts>RJCT</TxSts></TxInf", 1)), " refused definite RJCT; a refused definite RJCT"},
		// A reason holds for all below it; that of a duplicate is never lost.
		{`<GrpSts>RJCT</GrpSts>` + refused, block(`<PmtInfSts>RJCT</PmtInfSts>`), "  alarm DU01"},
		{`<GrpSts>RJCT</GrpSts>` + refused, block(strings.Replace(transaction, "</TxInf", "<TxSts>RJCT</TxSts></TxInf", 1)), "  alarm DU01; a  alarm DU01"},
		{`<GrpSts>RJCT</GrpSts>`, block(`<PmtInfSts>RJCT</PmtInfSts>` + refused + transaction), "  alarm DU01; a  alarm DU01"},
		{`<GrpSts>RJCT</GrpSts>`, block(strings.Replace(transaction, "</TxInf", refused+"</TxInf", 1)), "  alarm DU01; a  alarm DU01"},
		{`<GrpSts>RJCT</GrpSts><StsRsnInf><Rsn><Cd>NARR</Cd></Rsn></StsRsnInf>`, block(strings.Replace(transaction, "</TxInf", `<StsRsnInf><Rsn><Cd>AC01</Cd></Rsn></StsRsnInf></TxInf`, 1)), " refused definite NARR; a refused recipient_action AC01"},
		{`<GrpSts>ACTC</GrpSts>`, block(`<PmtInfSts>PDNG</PmtInfSts>`) + block(`<PmtInfSts>PDNG</PmtInfSts>`), " submitted  ACTC"},
	} {
		content := report(c.group, c.blocks)
		outcomes, err := read(t, content)
		require.NoError(t, err, c)
		var said []string
		for _, o := range outcomes {
			require.Equal(t, ourFile, o.MessageID)
			said = append(said, o.Reference+" "+string(o.State)+" "+string(o.Class)+" "+o.Code)
		}
		require.Equal(t, c.expected, strings.Join(said, "; "))
		reports = append(reports, content)
	}
	requireValid(t, "pain.002.001.11", reports...)
}

func TestFilesThatAreRefused(t *testing.T) {
	t.Parallel()
	statement, result := string(bankFile(t, "camt.053.001.08")), string(bankFile(t, "pain.002.001.11"))
	alter := func(content, old, replacement string) string {
		require.Contains(t, content, old)
		return strings.Replace(content, old, replacement, 1)
	}
	for _, c := range []struct{ name, content, named string }{
		{"nothing", "", "line 1: there is no element"},
		{"no XML", "HDR,1,GRD", "line 1: there is text outside"},
		{"another message", alter(result, "pain.002.001.11", "pain.002.001.99"), `Document: the file is of "urn:iso:std:iso:20022:tech:xsd:pain.002.001.99"; camt.053.001.02`},
		{"no namespace", `<Document/>`, "Document: the file is of"},
		{"another root", `<Dokument xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.11"/>`, "line 1, Dokument"},
		{"cut short", result[:len(result)/2], "not well-formed XML"},
		{"twice", statement + statement, "nothing may follow"},
		{"a document type", alter(result, "<Document ", `<!DOCTYPE Document [<!ENTITY a "b">]><Document `), "line 2: a document type declaration"},
		{"an entity", alter(result, "BANK-REPORT-1", "&a;"), "line 5, Document/CstmrPmtStsRpt/GrpHdr/MsgId: the file is not well-formed XML"},
		{"another encoding", alter(result, "UTF-8", "ISO-8859-1"), `"ISO-8859-1"; UTF-8 is expected`},
		{"bytes that are no UTF-8", alter(result, "erloschen", "\xe4"), "line 24, Document/CstmrPmtStsRpt/OrgnlPmtInfAndSts/TxInfAndSts/StsRsnInf/AddtlInf: the file is not well-formed XML: invalid UTF-8"},
		{"too deep", `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.11">` + strings.Repeat("<a>", 40), "within each other"},
		{"missing", alter(result, "<TxSts>PDNG</TxSts>", ""), "Document/CstmrPmtStsRpt/OrgnlPmtInfAndSts/TxInfAndSts: the transaction has no status"},
		{"no id", alter(result, "<OrgnlEndToEndId>payout-4</OrgnlEndToEndId>", ""), "TxInfAndSts: the element OrgnlEndToEndId is missing"},
		{"an empty id", alter(result, "payout-4", ""), "TxInfAndSts/OrgnlEndToEndId: the element is empty"},
		{"twice the status", alter(result, "<TxSts>PDNG</TxSts>", "<TxSts>PDNG</TxSts><TxSts>ACSC</TxSts>"), "TxSts: the element stands here twice"},
		{"no amount", alter(result, "765.16", "7,65"), `InstdAmt: "7,65" is not an amount in EUR`},
		{"half a cent", alter(result, "765.16", "765.165"), `InstdAmt: "765.165" is not an amount in EUR`},
		{"no currency", alter(result, `Ccy="EUR"`, `Ccy="EURO"`), `InstdAmt: "EURO" is not the code of a currency`},
		{"no day", alter(result, "2026-11-24T", "2026-02-30T"), `GrpHdr/CreDtTm: "2026-02-30T06:15:00+01:00" is not a day`},
		{"on direct debits", alter(result, "pain.001.001.09", "pain.008.001.02"), `OrgnlMsgNmId: the report is on "pain.008.001.02"`},
		{"refused and paid", alter(result, "<PmtInfSts>PART", "<PmtInfSts>RJCT"), "TxInfAndSts: the status ACSC contradicts RJCT"},
		{"paid and refused", alter(result, "<PmtInfSts>PART", "<PmtInfSts>ACSC"), "TxInfAndSts: the status RJCT contradicts ACSC"},
		{"neither side", alter(statement, "DBIT", "BOTH"), `Ntry/CdtDbtInd: "BOTH" is neither`},
		{"a statement without statements", `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt/></Document>`, "Document/BkToCstmrStmt: the element Stmt is missing"},
		{"a notification of a statement", alter(statement, "camt.053.001.08", "camt.054.001.08"), "Document: the element BkToCstmrDbtCdtNtfctn is missing"},
	} {
		outcomes, err := read(t, []byte(c.content))
		require.Equal(t, payments.CodeStatusFileRefused, incentive.ErrorCode(err), c.name)
		require.ErrorContains(t, err, c.named, c.name)
		require.Nil(t, outcomes, c.name)
	}
}

func TestReadingEnds(t *testing.T) {
	t.Parallel()
	rail := newRail(t, sepa())
	over, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := rail.ReadStatus(over, bytes.NewReader(bankFile(t, "pain.002.001.11")))
	require.ErrorIs(t, err, context.Canceled)

	broken := errors.New("the disk is gone")
	_, err = rail.ReadStatus(t.Context(), io.MultiReader(strings.NewReader("<Document>"), iotest.ErrReader(broken)))
	require.ErrorIs(t, err, broken)
	require.Equal(t, incentive.CodeInternal, incentive.ErrorCode(err))
}

// A byte order mark, comments, other namespaces and white space change nothing.
func TestHowTheFileIsWrittenDoesNotMatter(t *testing.T) {
	t.Parallel()
	content := string(bankFile(t, "pain.002.001.11"))
	expected, err := read(t, []byte(content))
	require.NoError(t, err)
	for name, other := range map[string]string{
		"byte order mark": "\xef\xbb\xbf" + content,
		"one line":        strings.ReplaceAll(content, "\n", ""),
		"windows":         strings.ReplaceAll(content, "\n", "\r\n"),
		"prefix":          strings.NewReplacer("<?", "<?", "</", "</p:", "<", "<p:", "xmlns=", "xmlns:p=").Replace(content),
		"white space":     strings.ReplaceAll(content, "<TxSts>RJCT<", "<TxSts> RJCT\n<"),
		"comment":         strings.ReplaceAll(content, "<TxSts>RJ", "<TxSts>RJ<!-- a -->"),
		"foreign":         strings.ReplaceAll(content, "<TxSts>", `<TxSts xmlns="urn:other"><TxSts>PDNG</TxSts></TxSts><TxSts>`),
		"bare day":        strings.ReplaceAll(content, "2026-11-24T06:15:00+01:00", "2026-11-24+01:00"),
	} {
		outcomes, err := read(t, []byte(other))
		require.NoError(t, err, name)
		require.Equal(t, expected, outcomes, name)
	}
}

// children says what may stand in an element, for messages that no bank would write.
var children = map[string][]string{
	"CstmrPmtStsRpt": {"GrpHdr", "OrgnlGrpInfAndSts", "OrgnlPmtInfAndSts", "OrgnlPmtInfAndSts"}, "GrpHdr": {"CreDtTm"},
	"OrgnlGrpInfAndSts": {"OrgnlMsgId", "OrgnlMsgNmId", "GrpSts", "StsRsnInf"}, "OrgnlPmtInfAndSts": {"PmtInfSts", "StsRsnInf", "TxInfAndSts", "TxInfAndSts"},
	"TxInfAndSts": {"OrgnlEndToEndId", "TxSts", "StsRsnInf", "StsRsnInf", "OrgnlTxRef"}, "StsRsnInf": {"Rsn", "AddtlInf"}, "Rsn": {"Cd", "Prtry"}, "OrgnlTxRef": {"Amt"},
	"BkToCstmrStmt": {"Stmt", "Stmt"}, "Stmt": {"Ntry", "Ntry"}, "BkToCstmrDbtCdtNtfctn": {"Ntfctn"}, "Ntfctn": {"Ntry", "Ntry"},
	"Ntry": {"Amt", "CdtDbtInd", "RvslInd", "Sts", "BookgDt", "ValDt", "BkTxCd", "NtryDtls", "NtryDtls"}, "BookgDt": {"Dt"}, "ValDt": {"DtTm"}, "BkTxCd": {"Domn"}, "Domn": {"Fmly"}, "Fmly": {"SubFmlyCd"},
	"NtryDtls": {"Btch", "TxDtls", "TxDtls"}, "Btch": {"MsgId", "PmtInfId", "TtlAmt"}, "TxDtls": {"Refs", "Amt", "CdtDbtInd", "AmtDtls", "RtrInf", "BkTxCd"},
	"Refs": {"MsgId", "PmtInfId", "EndToEndId"}, "AmtDtls": {"TxAmt"}, "RtrInf": {"Rsn", "AddtlInf"},
}

// values are what stands in the elements without children.
var values = map[string][]string{
	"CreDtTm": {"2026-11-24T06:15:00Z"}, "Dt": {"2026-11-24"}, "DtTm": {"2026-11-24T06:15:00"}, "OrgnlMsgId": {ourFile}, "MsgId": {ourFile, "x"}, "PmtInfId": {ourFile + "-1", "y"}, "OrgnlMsgNmId": {"pain.001.001.09"},
	"GrpSts": {"ACTC", "RJCT", "PART", "ACSC"}, "PmtInfSts": {"PART", "RJCT", "PDNG"}, "TxSts": {"ACSP", "RJCT", "ACSC", "BLCK", "WHAT"}, "Cd": {"AC01", "AM05", "AM04", "XX99"}, "Prtry": {"own words"},
	"OrgnlEndToEndId": {"6b2f0a34000040008000000000000000", "a"}, "EndToEndId": {"6b2f0a34000040008000000000000000", "a", "NOTPROVIDED"}, "Sts": {"BOOK", "PDNG"}, "RvslInd": {"true", "false"}, "CdtDbtInd": {"CRDT", "DBIT"},
	"SubFmlyCd": {"RRTN", "CHRG", "ESCT"}, "Amt": {"765.16"}, "TtlAmt": {"765.16"}, "TxAmt": {""}, "AddtlInf": {"words"},
}

func drawElement(t *rapid.T, name string) string {
	content := ""
	for _, child := range children[name] {
		if rapid.IntRange(0, 9).Draw(t, child) > 0 {
			content += drawElement(t, child)
		}
	}
	if pool := values[name]; pool != nil {
		content = rapid.SampledFrom(pool).Draw(t, name)
	}
	switch name {
	case "TxAmt":
		content = `<Amt Ccy="EUR">765.16</Amt>`
	case "Amt", "TtlAmt":
		return "<" + name + ` Ccy="EUR">` + content + "</" + name + ">"
	}
	return "<" + name + ">" + content + "</" + name + ">"
}

// Whatever is in a message or missing from it, it is refused, or what is concluded holds
// together.
func TestAnyMessage(t *testing.T) {
	t.Parallel()
	understood := 0
	rapid.Check(t, func(t *rapid.T) {
		top := rapid.SampledFrom([][2]string{{"pain.002.001.11", "CstmrPmtStsRpt"}, {"camt.053.001.02", "BkToCstmrStmt"}, {"camt.054.001.04", "BkToCstmrDbtCdtNtfctn"}}).Draw(t, "message")
		content := `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:` + top[0] + `">` + drawElement(t, top[1]) + "</Document>"
		outcomes, err := read(t, []byte(content))
		requireSound(t, outcomes, err)
		understood += len(outcomes)
	})
	require.NotZero(t, understood)
}

func requireSound(t require.TestingT, outcomes []payments.Outcome, err error) {
	if err != nil {
		require.Equal(t, payments.CodeStatusFileRefused, incentive.ErrorCode(err))
		require.Empty(t, outcomes)
	}
	for _, o := range outcomes {
		require.True(t, o.Reference != "" || o.MessageID != "", "an outcome of nothing")
		require.Contains(t, []payments.State{"", payments.Submitted, payments.Paid, payments.Returned, payments.Refused}, o.State)
		require.Equal(t, o.State == payments.Submitted || o.State == payments.Paid, o.Class == "", "%+v", o)
		if o.State == "" {
			require.Equal(t, payments.Alarm, o.Class, "a person must look")
		}
		require.NotEmpty(t, o.Reason)
	}
}

func FuzzReadStatus(f *testing.F) {
	for _, message := range []string{"pain.002.001.11", "camt.053.001.08", "camt.054.001.08", "sepa.pain.001.001.09"} {
		f.Add(bankFile(f, message))
	}
	f.Add(report(`<GrpSts>RJCT</GrpSts>`, block(transaction)))
	f.Fuzz(func(t *testing.T, content []byte) {
		outcomes, err := read(t, content)
		again, errAgain := read(t, content)
		require.Equal(t, outcomes, again)
		require.Equal(t, err, errAgain)
		requireSound(t, outcomes, err)
	})
}
