package main

import (
	"crypto/sha256"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/deploy/local/processes"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments/india"
	"github.com/guerdon/guerdon/payments/paymentfile"
)

// fileBank is the bank to which people take payment files. It carries each out once,
// however often it is brought, and says what became of it where its rail reads that.
type fileBank struct {
	mu    sync.Mutex
	files map[string]map[string]incentive.Money // what each message pays, by payout; a payout is in it without hyphens
	debit map[string]int                        // how often each payout was paid
	books map[string]int64                      // what was paid, by rail and currency
	tried map[string]bool                       // accounts that a prenote has tried
	known map[string]bool                       // of these, those that may be paid
}

func openBank() *fileBank {
	return &fileBank{
		files: map[string]map[string]incentive.Money{},
		debit: map[string]int{},
		books: map[string]int64{},
		tried: map[string]bool{},
		known: map[string]bool{},
	}
}

// plain is a payout as banks write it.
func plain(payout string) string { return strings.ReplaceAll(payout, "-", "") }

// entered is a payout as the bank of a rail writes it: in an ACH entry there is less room.
func entered(rail, payout string) string {
	if rail == processes.NACHA || rail == processes.NACHATried {
		return plain(payout)[:15]
	}
	return plain(payout)
}

// takes carries a file out, but for the payouts that it refuses. The same message again
// changes nothing.
func (b *fileBank) takes(rail string, content []byte, refuses func(payout string) bool) error {
	message, payments, err := read(rail, content)
	if err == nil && rail == processes.NACHATried {
		err = b.unknown(content)
	}
	if err != nil {
		return fmt.Errorf("the bank cannot take a file of %s: %w", rail, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.files[message] != nil {
		return nil
	}
	b.files[message] = payments
	for payout, amount := range payments {
		if !refuses(payout) {
			b.debit[payout]++
			b.books[rail+" "+string(amount.Currency)] += amount.Minor
		}
	}
	return nil
}

// read reads a payment file as its bank does.
func read(rail string, content []byte) (message string, payments map[string]incentive.Money, err error) {
	payments = map[string]incentive.Money{}
	put := func(payout, amount string, currency incentive.Currency) error {
		if payments[plain(payout)].Currency != "" {
			return fmt.Errorf("payout %s is in it twice", payout)
		}
		exact, err := incentive.ParseDecimal(amount)
		if err == nil {
			payments[plain(payout)], err = incentive.MoneyOf(exact, currency)
		}
		return err
	}
	switch rail {
	case processes.PaymentFile:
		file, err := paymentfile.Read(content)
		if err != nil {
			return "", nil, err
		}
		for _, p := range file.Payments {
			payments[plain(p.PayoutID)] = p.Amount
		}
		return file.MessageID, payments, nil
	case processes.ISO20022, processes.SEPA:
		var file struct {
			Message  string `xml:"CstmrCdtTrfInitn>GrpHdr>MsgId"`
			Payments []struct {
				Payout string `xml:"PmtId>EndToEndId"`
				Amount struct {
					Currency incentive.Currency `xml:"Ccy,attr"`
					Text     string             `xml:",chardata"`
				} `xml:"Amt>InstdAmt"`
			} `xml:"CstmrCdtTrfInitn>PmtInf>CdtTrfTxInf"`
		}
		if err := xml.Unmarshal(content, &file); err != nil {
			return "", nil, err
		}
		for _, p := range file.Payments {
			if err := put(p.Payout, p.Amount.Text, p.Amount.Currency); err != nil {
				return "", nil, err
			}
		}
		return file.Message, payments, nil
	case india.Name: // by the template of package processes
		for line := range strings.Lines(string(content)) {
			cells := strings.Split(strings.TrimSpace(line), ",")
			if cells[0] == "H" {
				message = cells[1]
				continue
			}
			if err := put(cells[0], cells[5], "INR"); err != nil {
				return "", nil, err
			}
		}
		return message, payments, nil
	case processes.NACHA, processes.NACHATried:
		entries, err := entriesOf(content)
		if err != nil {
			return "", nil, err
		}
		for _, entry := range entries {
			if err := put(strings.TrimSpace(entry.IdentificationNumber), decimal.New(int64(entry.Amount), -2).String(), "USD"); err != nil {
				return "", nil, err
			}
		}
		return fmt.Sprintf("%x", sha256.Sum256(content)), payments, nil
	}
	return "", nil, fmt.Errorf("no bank reads files of %s here", rail)
}

// report is what a bank says of payments of a message, in ISO 20022.
func report(message, number string, says map[string]string) []byte {
	var text strings.Builder
	fmt.Fprintf(&text, `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.11"><CstmrPmtStsRpt>
<GrpHdr><MsgId>%s</MsgId><CreDtTm>2026-11-24T06:15:00Z</CreDtTm></GrpHdr>
<OrgnlGrpInfAndSts><OrgnlMsgId>%s</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId><GrpSts>PART</GrpSts></OrgnlGrpInfAndSts>
<OrgnlPmtInfAndSts><OrgnlPmtInfId>P</OrgnlPmtInfId><PmtInfSts>PART</PmtInfSts>`, number, message)
	for _, payout := range sorted(says) {
		reason := ""
		if says[payout] == "RJCT" {
			reason = "<StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf>"
		}
		fmt.Fprintf(&text, "\n<TxInfAndSts><OrgnlEndToEndId>%s</OrgnlEndToEndId><TxSts>%s</TxSts>%s</TxInfAndSts>", payout, says[payout], reason)
	}
	text.WriteString("\n</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>\n")
	return []byte(text.String())
}

// list is what a bank says of payments, in a list.
func list(payments map[string]incentive.Money, says map[string]string) []byte {
	text := "Reference,Status,Amount,Currency\n"
	for _, payout := range sorted(says) {
		amount := payments[payout]
		text += fmt.Sprintf("%s,%s,%s,%s\n", payout, map[string]string{"ACSC": "PAID", "RJCT": "REFUSED"}[says[payout]], amount.Amount(), amount.Currency)
	}
	return []byte(text)
}

// reports are what a bank says of a file of a rail, as it is planned: in parts, twice, the last first.
func (b *fileBank) reports(rail, message string, as answers, refuses func(payout string) bool) (files [][]byte) {
	b.mu.Lock()
	payments := b.files[message]
	payouts := sorted(payments)
	b.mu.Unlock()
	for part := range as.Parts {
		says := map[string]string{}
		for i, payout := range payouts {
			if i%as.Parts != part {
				continue
			}
			if says[payout] = "ACSC"; refuses(payout) {
				says[payout] = "RJCT"
			}
		}
		switch {
		case len(says) == 0:
		case rail == processes.ISO20022, rail == processes.SEPA:
			files = append(files, report(message, fmt.Sprintf("R%d", part+1), says))
		default:
			files = append(files, list(payments, says))
		}
	}
	if as.Doubled {
		files = append(files, files...)
	}
	if as.Turned {
		slices.Reverse(files)
	}
	return files
}
