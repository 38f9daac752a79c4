package iso20022_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/payments/iso20022"
)

func TestInspectTellsWhatAFileSays(t *testing.T) {
	t.Parallel()
	contents, err := iso20022.Inspect(bankFile(t, "general.pain.001.001.03"))
	require.NoError(t, err)
	require.Equal(t, iso20022.Contents{
		Version: iso20022.Version03, Scheme: iso20022.General, MessageID: contents.MessageID, CreatedOn: incentive.MustParseDate("2026-11-23"), ExecuteOn: incentive.MustParseDate("2026-11-23"),
		Debtor: "Acme, Inc.", Account: iso20022.Account{Number: "9876543210", Bank: "USABA021000021"}, Currency: "USD", Total: money("2295.51", "USD"),
		Transfers: []iso20022.Transfer{
			{EndToEndID: "6b2f0a34000040008000000000000000", Amount: money("765.16", "USD"), Holder: "Ann Lee + Sons", Account: iso20022.Account{Number: "0012345678", Bank: "USABA011401533"}},
			{EndToEndID: "6b2f0a34000040008000000000000001", Amount: money("765.17", "USD"), Holder: "Ravi Kumar", Account: iso20022.Account{Number: "50100012345678", Bank: "HDFCINBB"}},
			{EndToEndID: "6b2f0a34000040008000000000000002", Amount: money("765.18", "USD"), Holder: "Zoe O'Brien", Account: iso20022.Account{Number: "GB29NWBK60161331926819", Bank: "NWBKGB2L"}},
		},
	}, contents)
	require.Regexp(t, `^GRD-[0-9a-f]{28}$`, contents.MessageID)
}

// Most of these a schema lets pass.
func TestFaultyFiles(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ file, name, old, replacement, named string }{
		{"sepa.pain.001.001.09", "count of the file", "<NbOfTxs>3<", "<NbOfTxs>9<", `GrpHdr/NbOfTxs: "9" transfers are announced; there are 3`},
		{"sepa.pain.001.001.09", "sum of the file", "<CtrlSum>2295.51<", "<CtrlSum>2295.52<", `GrpHdr/CtrlSum: the control sum is "2295.52"; the transfers add up to 2295.51`},
		{"sepa.pain.001.001.09", "sum without the block's", "<CtrlSum>2295.51</CtrlSum>\n   <Pmt", "<Pmt", "PmtInf: the element CtrlSum is missing"},
		{"sepa.pain.001.001.09", "sum with an exponent", "<CtrlSum>2295.51<", "<CtrlSum>2.29551E3<", "CtrlSum"},
		{"sepa.pain.001.001.09", "half a cent", ">765.16<", ">765.160<", ""},
		{"sepa.pain.001.001.09", "less than a cent", ">765.16<", ">765.161<", `InstdAmt: "765.161" is not an amount in EUR`},
		{"sepa.pain.001.001.09", "nothing", ">765.16<", ">0.00<", "is not above zero"},
		{"sepa.pain.001.001.09", "too much", ">765.16<", ">1000000000.00<", "SEPA pays 999999999.99 EUR at most"},
		{"sepa.pain.001.001.09", "check digits", "FR1420041", "FR1520041", "CdtrAcct: the check digits of the IBAN"},
		{"sepa.pain.001.001.09", "debtor's check digits", "DE89370", "DE88370", "DbtrAcct: the check digits of the IBAN"},
		{"sepa.pain.001.001.09", "beyond SEPA", "FR1420041010050500013M02606", "SA0380000000608010167519", "SEPA does not reach"},
		{"sepa.pain.001.001.09", "BIC", "BNPAFRPP", "BNPAFRPPX", "a BIC has 8 or 11"},
		{"sepa.pain.001.001.09", "other currency", `Ccy="EUR">765.16`, `Ccy="USD">765.16`, `the account pays "EUR", not USD`},
		{"sepa.pain.001.001.09", "the account's currency", `<Ccy>EUR<`, `<Ccy>USD<`, `DbtrAcct/Ccy: SEPA pays EUR alone`},
		{"sepa.pain.001.001.09", "no currency", `<Ccy>EUR<`, `<Ccy>BUR<`, `DbtrAcct/Ccy: "BUR"`},
		{"sepa.pain.001.001.09", "no currency of the account", `<Ccy>EUR</Ccy>`, ``, `DbtrAcct: the element Ccy is missing`},
		{"sepa.pain.001.001.09", "charges", "SLEV", "SHAR", "ChrgBr: the charge bearer must be SLEV"},
		{"sepa.pain.001.001.09", "method", ">TRF<", ">CHK<", "PmtMtd: the method must be TRF"},
		{"sepa.pain.001.001.09", "ids twice", "000001</EndToEndId>", "000000</EndToEndId>", "EndToEndId: \"6b2f0a34000040008000000000000000\" stands in the file twice"},
		{"sepa.pain.001.001.09", "id with a slash", "6b2f0a34000040008000000000000000", "/b2f", "an id has 1 to 35 characters"},
		{"sepa.pain.001.001.09", "id of 36", "6b2f0a34000040008000000000000000", strings.Repeat("a", 36), "an id has 1 to 35 characters"},
		{"sepa.pain.001.001.09", "no id", "<EndToEndId>6b2f0a34000040008000000000000000</EndToEndId>", "", "PmtId: the element EndToEndId is missing"},
		{"sepa.pain.001.001.09", "message id", "<MsgId>GRD-", "<MsgId>GRD-GRD-GRD-", "MsgId: an id has 1 to 35"},
		{"sepa.pain.001.001.09", "umlaut", "Muller", "Müller", `InitgPty/Nm: the character 'ü' is not one that banks take`},
		{"sepa.pain.001.001.09", "bracket", "Payout sales", "Payout [sales", `Ustrd: the character '[' is not`},
		{"sepa.pain.001.001.09", "long name", "Zoe O'Brien-Nunez", strings.Repeat("x", 71), "a name has 70 characters"},
		{"sepa.pain.001.001.09", "no name", "Zoe O'Brien-Nunez", "", "Cdtr/Nm: the element is empty"},
		{"sepa.pain.001.001.09", "long remittance", "Payout sales", strings.Repeat("x", 140), "remittance text has 140"},
		{"sepa.pain.001.001.09", "Saturday", "2026-11-24", "2026-11-28", "ReqdExctnDt/Dt: 2026-11-28 is not a banking day"},
		{"sepa.pain.001.001.09", "Christmas", "2026-11-24", "2026-12-25", "2026-12-25 is not a banking day"},
		{"sepa.pain.001.001.09", "the past", "2026-11-24", "2026-11-20", "2026-11-20 is before the day of the file, 2026-11-23"},
		{"sepa.pain.001.001.09", "no day", "2026-11-24", "2026-11-31", "is not a day"},
		{"sepa.pain.001.001.09", "no time", "2026-11-23T13:30:19", "2026-11-23T25:30:19", "CreDtTm: \"2026-11-23T25:30:19\" is not a time"},
		{"sepa.pain.001.001.09", "another version's day", "<Dt>2026-11-24</Dt>", "2026-11-24", "ReqdExctnDt: the element Dt is missing"},
		{"sepa.pain.001.001.03", "another version's BIC", "<BIC>BNPAFRPP</BIC>", "<BICFI>BNPAFRPP</BICFI>", "BICFI: the element is named BIC in pain.001.001.03"},
		{"sepa.pain.001.001.09", "another message", "pain.001.001.09", "pain.001.001.12", `the file is of "urn:iso:std:iso:20022:tech:xsd:pain.001.001.12"`},
		{"sepa.pain.001.001.09", "a second block", "</PmtInf>", "</PmtInf><PmtInf/>", "CstmrCdtTrfInitn/PmtInf: the element stands here twice"},
		{"sepa.pain.001.001.09", "no XML", "</PmtInf>", "", "not well-formed XML"},
		{"general.pain.001.001.09", "charges", "SHAR", "SLEV", "ChrgBr: the charge bearer must be SHAR or DEBT or CRED"},
		{"general.pain.001.001.09", "IBAN as another account", "<Id>0012345678</Id>", "<Id>DE89370400440532013000</Id>", "must be an IBAN and stand in the element IBAN"},
		{"general.pain.001.001.09", "another account as IBAN", "<IBAN>GB29NWBK60161331926819</IBAN>", "<IBAN>50100012345678</IBAN>", "what stands here is no IBAN"},
		{"general.pain.001.001.09", "routing number", "011401533", "011401534", "a clearing code such as"},
		{"general.pain.001.001.09", "no bank", "<BICFI>HDFCINBB</BICFI>", "", "the bank must be a BIC"},
		{"general.pain.001.001.09", "country", "<Ctry>US</Ctry>", "<Ctry>USA</Ctry>", "an address has a town and a country"},
		{"general.pain.001.001.09", "19 digits", ">765.16<", ">90000000000000000.00<", "InstdAmt"},
	} {
		content := string(bankFile(t, c.file))
		require.Contains(t, content, c.old, c.name)
		_, err := iso20022.Inspect([]byte(strings.Replace(content, c.old, c.replacement, 1)))
		if c.named == "" {
			require.NoError(t, err, c.name)
			continue
		}
		require.Equal(t, iso20022.CodeFileFaulty, incentive.ErrorCode(err), c.name)
		require.ErrorContains(t, err, c.named, c.name)
		require.Contains(t, err.Error(), "line ", c.name)
	}
}

// Whatever digit of an amount, a sum, a count or an IBAN is another one, the file is faulty.
func TestEveryDigitIsUnderGuard(t *testing.T) {
	t.Parallel()
	guarded := regexp.MustCompile(`>([A-Z0-9.]+)</(InstdAmt|CtrlSum|NbOfTxs|IBAN)>`)
	for _, file := range []string{"sepa.pain.001.001.09", "sepa.pain.001.001.03", "general.pain.001.001.09", "general.pain.001.001.03"} {
		content := bankFile(t, file)
		places := guarded.FindAllSubmatchIndex(content, -1)
		require.GreaterOrEqual(t, len(places), 8)
		for _, place := range places {
			for i := place[2]; i < place[3]; i++ {
				if content[i] < '0' || content[i] > '9' {
					continue
				}
				changed := []byte(string(content))
				changed[i] = '0' + (content[i]-'0'+1)%10
				_, err := iso20022.Inspect(changed)
				require.Equal(t, iso20022.CodeFileFaulty, incentive.ErrorCode(err), "%s at byte %d", file, i)
			}
		}
	}
}

func TestNamesInTheFile(t *testing.T) {
	t.Parallel()
	rail := newRail(t, sepa())
	for holder, expected := range map[string]string{
		"Zoë Ångström":        "Zoe Angstrom",
		"Jürgen Groß":         "Jurgen Gross",
		"Łukasz Żółć":         "Lukasz Zolc",
		"Ștefan Țepeș":        "Stefan Tepes",
		"Ærø Ødegård":         "AEro Odegard",
		"Þórður Ðað":          "THordur Dad",
		"Đorđe Čađ":           "Dorde Cad",
		"Iĳ Œuvre ıǧ":         "Iij OEuvre ig",
		"Γιώργος Ψαράς":       "Giorgos Psaras",
		"ΘΕΟΔΩΡΟΣ ΧΑΤΖΗΣ":     "ThEODOROS ChATZIS",
		"Живко Щерев-Йонков":  "Zhivko Shterev-Yonkov",
		"O’Neil & Sons – “A”": "O'Neil + Sons - 'A'",
		"J. P. (Sr.), x/y":    "J. P. (Sr.), x/y",
		" Zoe\u0308 \t Lee ":  "Zoe Lee",
	} {
		clean, _, err := rail.ValidateDestination(destination(holder, "DE89370400440532013000"))
		require.NoError(t, err, holder)
		file, err := rail.BuildFile(t.Context(), request("EUR", clean))
		require.NoError(t, err)
		contents, err := iso20022.Inspect(file.Content)
		require.NoError(t, err)
		require.Equal(t, expected, contents.Transfers[0].Holder)
	}
	for _, holder := range []string{"", "  ", "123", "株式会社", "Ann*", "A=B", "a\x00b", "a\u202eb", "a\xffb", "Анна Ы", "a<b", "½ Ann", strings.Repeat("x", 71), strings.Repeat("ß", 36)} {
		_, _, err := rail.ValidateDestination(destination(holder, "DE89370400440532013000"))
		require.Equal(t, payments.CodeDestinationInvalid, incentive.ErrorCode(err), "%q", holder)
	}
}

func FuzzInspect(f *testing.F) {
	for _, name := range []string{"sepa.pain.001.001.09", "sepa.pain.001.001.03", "general.pain.001.001.09", "general.pain.001.001.03", "pain.002.001.11"} {
		f.Add(bankFile(f, name))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		contents, err := iso20022.Inspect(content)
		if err != nil {
			require.Equal(t, iso20022.CodeFileFaulty, incentive.ErrorCode(err))
			return
		}
		require.NotEmpty(t, contents.Transfers)
		total, seen := incentive.Money{Currency: contents.Currency}, map[string]bool{}
		for _, transfer := range contents.Transfers {
			require.Positive(t, transfer.Amount.Minor)
			require.False(t, seen[transfer.EndToEndID])
			seen[transfer.EndToEndID] = true
			total.Minor += transfer.Amount.Minor
		}
		require.Equal(t, contents.Total, total)
		require.False(t, contents.ExecuteOn.Before(contents.CreatedOn))
	})
}
