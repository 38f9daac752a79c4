package iso20022

import (
	"bytes"
	"encoding/xml"
	"time"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/payments/bankaccount"
)

// document is a pain.001 as it is written. The elements stand in the order of the schema.
type document struct {
	XMLName    xml.Name `xml:"Document"`
	Namespace  string   `xml:"xmlns,attr"`
	Initiation struct {
		Header  groupHeader        `xml:"GrpHdr"`
		Payment paymentInformation `xml:"PmtInf"`
	} `xml:"CstmrCdtTrfInitn"`
}

type groupHeader struct {
	MessageID  string `xml:"MsgId"`
	CreatedAt  string `xml:"CreDtTm"`
	Count      int    `xml:"NbOfTxs"`
	Sum        string `xml:"CtrlSum"`
	Initiating party  `xml:"InitgPty"`
}

type paymentInformation struct {
	ID           string        `xml:"PmtInfId"`
	Method       string        `xml:"PmtMtd"`
	BatchBooking bool          `xml:"BtchBookg"`
	Count        int           `xml:"NbOfTxs"`
	Sum          string        `xml:"CtrlSum"`
	Type         *paymentType  `xml:"PmtTpInf"`
	ExecuteOn    executionDate `xml:"ReqdExctnDt"`
	Debtor       party         `xml:"Dbtr"`
	Account      account       `xml:"DbtrAcct"`
	Bank         bank          `xml:"DbtrAgt"`
	ChargeBearer string        `xml:"ChrgBr"`
	Transfers    []transfer    `xml:"CdtTrfTxInf"`
}

type paymentType struct {
	ServiceLevel    *code `xml:"SvcLvl"`
	CategoryPurpose *code `xml:"CtgyPurp"`
}

type code struct {
	Code string `xml:"Cd"`
}

// executionDate is text in version .03 and an element in .09.
type executionDate struct {
	Text string `xml:",chardata"`
	Day  string `xml:"Dt,omitempty"`
}

type transfer struct {
	EndToEndID string  `xml:"PmtId>EndToEndId"`
	Amount     amount  `xml:"Amt>InstdAmt"`
	Bank       *bank   `xml:"CdtrAgt"`
	Creditor   party   `xml:"Cdtr"`
	Account    account `xml:"CdtrAcct"`
	Remittance string  `xml:"RmtInf>Ustrd"`
}

type amount struct {
	Currency incentive.Currency `xml:"Ccy,attr"`
	Amount   string             `xml:",chardata"`
}

type party struct {
	Name    string   `xml:"Nm"`
	Address *address `xml:"PstlAdr"`
	ID      *partyID `xml:"Id"`
}

type address struct {
	Town    string `xml:"TwnNm"`
	Country string `xml:"Ctry"`
}

type partyID struct {
	ID string `xml:"OrgId>Othr>Id"`
}

type account struct {
	IBAN     string             `xml:"Id>IBAN,omitempty"`
	Other    *other             `xml:"Id>Othr"`
	Currency incentive.Currency `xml:"Ccy,omitempty"`
}

type other struct {
	ID string `xml:"Id"`
}

// bank has one of its fields.
type bank struct {
	BICFI  string          `xml:"FinInstnId>BICFI,omitempty"` // .09
	BIC    string          `xml:"FinInstnId>BIC,omitempty"`   // .03
	Member *clearingMember `xml:"FinInstnId>ClrSysMmbId"`
	Other  *other          `xml:"FinInstnId>Othr"`
}

type clearingMember struct {
	System string `xml:"ClrSysId>Cd"`
	Member string `xml:"MmbId"`
}

// document lays out the file of a request whose payments were checked and sorted, without
// its id, time and day.
func (r *Rail) document(request payments.FileRequest, sorted []payments.FilePayment, total incentive.Money) *document {
	c := r.config
	payer := c.Accounts[request.Currency]
	d := &document{Namespace: namespace + string(c.Version)}
	d.Initiation.Header = groupHeader{Count: len(sorted), Sum: total.Amount(), Initiating: party{Name: written(c.Debtor.Name)}}
	if c.Debtor.BankReference != "" {
		d.Initiation.Header.Initiating.ID = &partyID{c.Debtor.BankReference}
	}
	p := paymentInformation{
		Method: "TRF", BatchBooking: c.BatchBooking, Count: len(sorted), Sum: total.Amount(), ChargeBearer: c.ChargeBearer,
		Debtor: newParty(c.Debtor.Name, c.Debtor.Town, c.Debtor.Country), Account: newAccount(payer), Transfers: make([]transfer, 0, len(sorted)),
	}
	p.Account.Currency = request.Currency
	if b := newBank(c.Version, payer.Bank); b != nil {
		p.Bank = *b
	} else {
		p.Bank.Other = &other{"NOTPROVIDED"}
	}
	var kind paymentType
	if c.Scheme == SEPA {
		p.ChargeBearer = "SLEV"
		kind.ServiceLevel = &code{"SEPA"}
	}
	if c.CategoryPurpose != "" {
		kind.CategoryPurpose = &code{c.CategoryPurpose}
	}
	if kind != (paymentType{}) {
		p.Type = &kind
	}
	remittance := written(c.Remittance + " " + request.PeriodID)
	for _, payment := range sorted {
		to := payment.Destination
		p.Transfers = append(p.Transfers, transfer{
			EndToEndID: endToEndID(payment.PayoutID),
			Amount:     amount{Currency: payment.Amount.Currency, Amount: payment.Amount.Amount()},
			Bank:       newBank(c.Version, to[BankDetail]),
			Creditor:   newParty(to[HolderDetail], to[TownDetail], to[CountryDetail]),
			Account:    newAccount(Account{Number: to[AccountDetail]}),
			Remittance: remittance,
		})
	}
	d.Initiation.Payment = p
	return d
}

// written transliterates a text that was checked.
func written(text string) string {
	w, _, _ := bankaccount.Transliterate(text)
	return w
}

func newParty(name, town, country string) party {
	p := party{Name: written(name)}
	if town != "" {
		p.Address = &address{Town: written(town), Country: country}
	}
	return p
}

func newAccount(a Account) account {
	if a.isIBAN() {
		return account{IBAN: a.Number}
	}
	return account{Other: &other{a.Number}}
}

// newBank returns nil for a bank that is not given.
func newBank(version Version, code string) *bank {
	if code == "" {
		return nil
	}
	if system, member, err := bankaccount.SplitClearingCode(code); err == nil {
		return &bank{Member: &clearingMember{System: system, Member: member}}
	}
	if version == Version03 {
		return &bank{BIC: code}
	}
	return &bank{BICFI: code}
}

// execute sets the day on which the bank is to pay.
func (d *document) execute(version Version, day incentive.Date) {
	if version == Version03 {
		d.Initiation.Payment.ExecuteOn.Text = day.String()
	} else {
		d.Initiation.Payment.ExecuteOn.Day = day.String()
	}
}

// blockMark follows the message id in the id of the only payment information block.
const blockMark = "-1"

// name sets the file's id and time.
func (d *document) name(messageID string, at time.Time) {
	d.Initiation.Header.MessageID = messageID
	d.Initiation.Header.CreatedAt = at.Format("2006-01-02T15:04:05")
	d.Initiation.Payment.ID = messageID + blockMark
}

func (d *document) encode() ([]byte, error) {
	content, err := xml.MarshalIndent(d, "", " ")
	if err != nil {
		return nil, err
	}
	// The apostrophe needs no escape in text, and not every bank's reader undoes this one.
	content = bytes.ReplaceAll(content, []byte("&#39;"), []byte("'"))
	return append([]byte(xml.Header), append(content, '\n')...), nil
}
