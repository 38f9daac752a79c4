package iso20022

import (
	"cmp"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
)

func readStatement(root *element) []payments.Outcome {
	return readEntries(root.need("BkToCstmrStmt"), "Stmt")
}

func readNotification(root *element) []payments.Outcome {
	return readEntries(root.need("BkToCstmrDbtCdtNtfctn"), "Ntfctn")
}

func readEntries(message *element, reports string) []payments.Outcome {
	var outcomes []payments.Outcome
	message.need(reports)
	for _, report := range message.all(reports) {
		for _, entry := range report.all("Ntry") {
			status := entry.need("Sts")
			if cmp.Or(status.child("Cd").value(), status.value()) != "BOOK" {
				continue // announced, and may yet not come
			}
			outcomes = append(outcomes, entry.readEntry()...)
		}
	}
	return outcomes
}

// readEntry reads one booking. A debit is a payment made; a credit that the bank marks as
// a return or a reversal is one come back.
func (e *element) readEntry() []payments.Outcome {
	var outcomes []payments.Outcome
	on := e.bookedOn()
	details := e.all("NtryDtls")
	for _, detail := range details {
		transactions := detail.all("TxDtls")
		named := false
		for _, transaction := range transactions {
			id := transaction.child("Refs", "EndToEndId").value()
			if id == "" || id == "NOTPROVIDED" {
				continue
			}
			named = true
			outcome, concerns := e.judgeBooking(transaction, uuidDigit.MatchString(id))
			if !concerns {
				continue
			}
			outcome.Reference, outcome.On = payoutID(id), on
			outcome.MessageID = fileOf(transaction.child("Refs"))
			outcome.Amount = transaction.bookedAmount(outcome.State)
			if outcome.Amount == (incentive.Money{}) && len(details) == 1 && len(transactions) == 1 {
				outcome.Amount = e.need("Amt").money()
			}
			outcomes = append(outcomes, outcome)
		}
		if named {
			continue
		}
		// One booking for a whole file, without what is in it.
		messageID := fileOf(detail.child("Btch"))
		for _, transaction := range transactions {
			messageID = cmp.Or(messageID, fileOf(transaction.child("Refs")))
		}
		outcome, concerns := e.judgeBooking(nil, true)
		if messageID == "" || !concerns {
			continue
		}
		outcome.MessageID, outcome.On = messageID, on
		if total := detail.child("Btch", "TtlAmt"); total != nil {
			outcome.Amount = total.money()
		} else if len(details) == 1 {
			outcome.Amount = e.need("Amt").money()
		}
		outcomes = append(outcomes, outcome)
	}
	return outcomes
}

// fileOf returns the message id of our file that references name, or "".
func fileOf(references *element) string {
	return cmp.Or(messageOf(references.child("MsgId").value()), messageOf(references.child("PmtInfId").value()))
}

// charges are bookings that a payment caused and that are not the payment.
var charges = map[string]bool{"CHRG": true, "COMM": true, "FEES": true}

// judgeBooking says what the booking e, and within it a transaction, means for a payment.
// A booking that is neither a payment nor a marked return is nothing to us, unless it
// carries an id that can only be ours: then a person must look.
func (e *element) judgeBooking(transaction *element, ours bool) (payments.Outcome, bool) {
	side := e.need("CdtDbtInd").side()
	if own := transaction.child("CdtDbtInd"); own != nil {
		side = own.side()
	}
	kind := cmp.Or(transaction.child("BkTxCd", "Domn", "Fmly", "SubFmlyCd").value(), e.child("BkTxCd", "Domn", "Fmly", "SubFmlyCd").value())
	reversal := e.child("RvslInd").value()
	reversed := reversal == "true" || reversal == "1"
	returned := transaction.child("RtrInf")
	switch {
	case charges[kind]:
		return payments.Outcome{}, false
	case side == "DBIT" && !reversed && returned == nil && kind != "RRTN":
		return payments.Outcome{State: payments.Paid, Code: "BOOK", Reason: "the bank has booked the debit"}, true
	case side == "CRDT" && (reversed || returned != nil || kind == "RRTN"):
		outcome := payments.Outcome{State: payments.Returned}
		var information []*element
		if returned != nil {
			information = append(information, returned)
		}
		outcome.Class, outcome.Code, outcome.Reason = because(information)
		return outcome, true
	}
	return payments.Outcome{
		Class:  payments.Alarm,
		Code:   "booking-unexplained",
		Reason: "the bank booked something with the payment's id that is neither the payment nor marked as its return",
	}, ours
}

// side is the side of the account: CRDT or DBIT.
func (e *element) side() string {
	if e.text != "CRDT" && e.text != "DBIT" {
		e.fail("%q is neither CRDT nor DBIT", e.text)
	}
	return e.text
}

// bookedAmount is the amount of a transaction: of a payment what was asked for, of
// anything else what moved on the account. It is zero where the bank does not say.
func (e *element) bookedAmount(state payments.State) incentive.Money {
	instructed, moved, before := e.child("AmtDtls", "InstdAmt", "Amt"), e.child("Amt"), e.child("AmtDtls", "TxAmt", "Amt")
	order := []*element{moved, before, instructed}
	if state == payments.Paid {
		order = []*element{instructed, moved, before}
	}
	for _, amount := range order {
		if amount != nil {
			return amount.money()
		}
	}
	return incentive.Money{}
}

// bookedOn is the day of the booking, or of its value.
func (e *element) bookedOn() incentive.Date {
	for _, name := range []string{"BookgDt", "ValDt"} {
		if day := cmp.Or(e.child(name, "Dt"), e.child(name, "DtTm")); day != nil {
			return day.date()
		}
	}
	return incentive.Date{}
}
