package iso20022

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/payments/bankaccount"
)

// CodeFileFaulty is the code of a credit transfer file that a bank would misread.
const CodeFileFaulty incentive.Code = "file-faulty"

// Contents is what a credit transfer file says.
type Contents struct {
	Version   Version
	Scheme    Scheme // SEPA where the file asks for its service level
	MessageID string
	CreatedOn incentive.Date
	ExecuteOn incentive.Date
	Debtor    string
	Account   Account
	Currency  incentive.Currency
	Transfers []Transfer
	Total     incentive.Money
}

// Transfer is one payment of a file.
type Transfer struct {
	EndToEndID string
	Amount     incentive.Money
	Holder     string
	Account    Account
}

// Inspect reads a credit transfer file and checks what a schema cannot: that counts and
// control sums are those of the transfers, at both levels; that amounts are above zero
// and fit their currency's decimals; that ids are unique and well made; that accounts and
// banks have right check digits and shapes; that all text is of the characters that banks
// take; that the day is a banking day and not before the file's; and for SEPA the
// currency, the charge bearer and the reach. It reads the bytes afresh, and shares with the
// writing only the set of characters and the checks of accounts. Its
// error is of code CodeFileFaulty and names the line and the element.
func Inspect(content []byte) (Contents, error) {
	root, space, err := parse(context.Background(), bytes.NewReader(content), most)
	if err != nil {
		return Contents{}, incentive.Errorf(CodeFileFaulty, "%s", incentive.ErrorMessage(err))
	}
	c := Contents{Version: Version(strings.TrimPrefix(space, namespace))}
	if c.Version != Version09 && c.Version != Version03 || !strings.HasPrefix(space, namespace) {
		root.fail("the file is of %q; %s and %s are known here", space, Version09, Version03)
	} else {
		c.inspect(root)
	}
	if root.faults.first != nil {
		return Contents{}, incentive.Errorf(CodeFileFaulty, "%s", incentive.ErrorMessage(root.faults.first))
	}
	return c, nil
}

func (c *Contents) inspect(root *element) {
	var err error
	root.inspectText()
	initiation := root.need("CstmrCdtTrfInitn")
	header, block := initiation.need("GrpHdr"), initiation.need("PmtInf")
	c.MessageID = header.need("MsgId").id()
	created := header.need("CreDtTm")
	c.CreatedOn = created.date()
	if _, err := time.Parse("2006-01-02T15:04:05", created.text); err != nil {
		created.fail("%q is not a time such as 2026-11-23T09:30:00", created.text)
	}
	header.need("InitgPty").need("Nm").needed()

	block.need("PmtInfId").id()
	if method := block.need("PmtMtd"); method.text != "TRF" {
		method.fail("the method must be TRF, a transfer")
	}
	c.Scheme = General
	if block.child("PmtTpInf", "SvcLvl", "Cd").value() == "SEPA" {
		c.Scheme = SEPA
	}
	day := block.need("ReqdExctnDt")
	if c.Version == Version09 {
		day = day.need("Dt")
	}
	c.ExecuteOn = day.date()
	c.inspectDay(day)
	c.Debtor = block.need("Dbtr", "Nm").needed()
	c.Account = block.need("DbtrAcct").account(c, block.need("DbtrAgt"))
	paying := block.need("DbtrAcct").need("Ccy")
	if c.Currency, err = incentive.ParseCurrency(paying.text); err != nil {
		paying.fail("%s", incentive.ErrorMessage(err))
		return
	}
	if c.Scheme == SEPA && c.Currency != "EUR" {
		paying.fail("SEPA pays EUR alone")
	}
	bearers := []string{"SHAR", "DEBT", "CRED"}
	if c.Scheme == SEPA {
		bearers = []string{"SLEV"}
	}
	if bearer := block.need("ChrgBr"); !slices.Contains(bearers, bearer.text) {
		bearer.fail("the charge bearer must be %s", strings.Join(bearers, " or "))
	}

	transfers := block.all("CdtTrfTxInf")
	sum := decimal.Zero
	seen := map[string]bool{}
	for _, t := range transfers {
		sum = sum.Add(c.inspectTransfer(t, seen))
	}
	for _, level := range []*element{header, block} {
		if count := level.need("NbOfTxs"); count.text != strconv.Itoa(len(transfers)) || len(transfers) == 0 {
			count.fail("%q transfers are announced; there are %d, and there must be one", count.text, len(transfers))
		}
		announced := level.need("CtrlSum")
		if value, err := incentive.ParseDecimal(announced.text); err != nil || !value.Equal(sum) || digits(announced.text) > 18 {
			announced.fail("the control sum is %q; the transfers add up to %s", announced.text, sum)
		}
	}
	if c.Total, err = incentive.MoneyOf(sum, c.Currency); err != nil {
		block.fail("the transfers add up to %s, which is no sum in %s", sum, c.Currency)
	}
}

func (c *Contents) inspectDay(day *element) {
	date := c.ExecuteOn
	weekday := date.UTC().Weekday()
	switch {
	case date.IsZero():
	case date.Before(c.CreatedOn):
		day.fail("%s is before the day of the file, %s", date, c.CreatedOn)
	case weekday == time.Saturday || weekday == time.Sunday || c.Scheme == SEPA && slices.Contains(TargetHolidays(date.Year), date):
		day.fail("%s is not a banking day", date)
	}
}

// inspectTransfer returns the amount as it is written.
func (c *Contents) inspectTransfer(t *element, seen map[string]bool) decimal.Decimal {
	id := t.need("PmtId").need("EndToEndId")
	if seen[id.id()] {
		id.fail("%q stands in the file twice", id.text)
	}
	seen[id.text] = true
	instructed := t.need("Amt").need("InstdAmt")
	paid := instructed.money()
	switch {
	case paid.Minor <= 0:
		instructed.fail("%q is not above zero", instructed.text)
	case digits(instructed.text) > 18:
		instructed.fail("%q has more than 18 digits", instructed.text)
	case paid.Currency != c.Currency:
		instructed.fail("the account pays %q, not %s", c.Currency, paid.Currency)
	case c.Scheme == SEPA && paid.Minor > 999_999_999_99:
		instructed.fail("SEPA pays 999999999.99 EUR at most")
	}
	holder := t.need("Cdtr", "Nm")
	if name := holder.needed(); len(name) > longestName {
		holder.fail("a name has %d characters at most", longestName)
	}
	if address := t.child("Cdtr", "PstlAdr"); address != nil && (address.need("TwnNm").needed() == "" || !countryCode.MatchString(address.need("Ctry").text)) {
		address.fail("an address has a town and a country")
	}
	if text := t.child("RmtInf", "Ustrd"); len(text.value()) > 140 {
		text.fail("remittance text has 140 characters at most")
	}
	c.Transfers = append(c.Transfers, Transfer{EndToEndID: id.text, Amount: paid, Holder: holder.text, Account: t.need("CdtrAcct").account(c, t.child("CdtrAgt"))})
	value, _ := incentive.ParseDecimal(instructed.text) // a fault is noted above
	return value
}

// account reads an account with its bank, and checks both.
func (e *element) account(c *Contents, bank *element) Account {
	id, institution := e.need("Id"), bank.child("FinInstnId")
	var a Account
	if iban := id.child("IBAN"); iban != nil {
		if a.Number = iban.text; !a.isIBAN() {
			iban.fail("what stands here is no IBAN")
		}
	} else if a.Number = id.need("Othr").need("Id").text; a.isIBAN() || c.Scheme == SEPA {
		id.fail("the account must be an IBAN and stand in the element IBAN")
	}
	name, other := "BICFI", "BIC"
	if c.Version == Version03 {
		name, other = other, name
	}
	if wrong := institution.child(other); wrong != nil {
		wrong.fail("the element is named %s in %s", name, c.Version)
	}
	a.Bank = institution.child(name).value()
	if member := institution.child("ClrSysMmbId"); member != nil {
		a.Bank = member.need("ClrSysId", "Cd").text + member.need("MmbId").text
	}
	if err := c.Scheme.checkAccount(a); err != nil {
		e.fail("%s", incentive.ErrorMessage(err))
	}
	return a
}

// id returns an identification, which is the bank's key to a message or a payment.
func (e *element) id() string {
	if text := e.needed(); len(text) > 35 || strings.HasPrefix(text, "/") || strings.HasSuffix(text, "/") || strings.Contains(text, "//") {
		e.fail("an id has 1 to 35 characters and neither starts nor ends with a slash, nor has two together")
	}
	return e.text
}

// inspectText checks the characters of every element.
func (e *element) inspectText() {
	for _, r := range e.text {
		if !strings.ContainsRune(bankaccount.Characters, r) {
			e.fail("the character %q is not one that banks take", r)
		}
	}
	for _, c := range e.children {
		c.inspectText()
	}
}

func digits(number string) int {
	n := 0
	for _, r := range number {
		if r >= '0' && r <= '9' {
			n++
		}
	}
	return n
}

// confirm inspects a file that was built and compares it with what was asked for.
func (r *Rail) confirm(content []byte, asked []payments.FilePayment, total incentive.Money) error {
	c, err := Inspect(content)
	if err != nil {
		return err
	}
	payer := r.config.Accounts[total.Currency]
	if c.Scheme != r.config.Scheme || c.Version != r.config.Version || c.Total != total || c.Account != payer || len(c.Transfers) != len(asked) {
		return fmt.Errorf("the file is of %s %s for %s, not of %s %s for %s", c.Version, c.Scheme, c.Total, r.config.Version, r.config.Scheme, total)
	}
	for i, t := range c.Transfers {
		p := asked[i]
		if payoutID(t.EndToEndID) != p.PayoutID || t.Amount != p.Amount || t.Account.Number != p.Destination[AccountDetail] || t.Account.Bank != p.Destination[BankDetail] {
			return fmt.Errorf("transfer %d is not the payout %s", i+1, p.PayoutID)
		}
	}
	return nil
}
