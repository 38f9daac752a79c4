package iso20022

import (
	"fmt"
	"strings"

	"github.com/guerdon/guerdon/payments"
)

// status is what a status of the external code sets (payment group, payment information
// and transaction status) means.
type status struct {
	state   payments.State // "" of a status by which nothing can be concluded
	meaning string
}

// statuses is the one table of statuses. PART, which says that payments differ, is none
// of a payment. A status that is not here means that a person must look.
var statuses = map[string]status{
	"RCVD": {payments.Submitted, "the bank has received it"},
	"PDNG": {payments.Submitted, "the bank has yet to check or release it"},
	"PATC": {payments.Submitted, "further people have to authorise it at the bank"},
	"ACTC": {payments.Submitted, "the bank found it well made"},
	"ACCP": {payments.Submitted, "the bank has checked the payer"},
	"ACFC": {payments.Submitted, "the bank has checked the funds"},
	"ACSP": {payments.Submitted, "the bank is carrying it out"},
	"ACWC": {payments.Submitted, "the bank carries it out with a change, such as another day"},
	"ACWP": {payments.Submitted, "the recipient's bank has it and has not booked it"},
	"ACSC": {payments.Paid, "the bank has debited and settled it"},
	"ACCC": {payments.Paid, "the recipient's bank has booked it"},
	"RJCT": {payments.Refused, "the bank has refused it"},
	"CANC": {payments.Refused, "it was cancelled before the bank carried it out"},
	"BLCK": {"", "the bank holds the money, and neither pays nor returns it"},
}

// reason is what a reason of the external code sets (status and return reasons) means.
type reason struct {
	class   payments.Class
	meaning string
}

// reasons is the one table of reasons for refusals and returns. Alarm stands for those
// after which a payment may have been made although this one was refused. A reason that
// is not here is Definite.
var reasons = map[string]reason{
	"AC01": {payments.RecipientAction, "the account number is wrong"},
	"AC02": {payments.Configuration, "the debtor's account number is wrong"},
	"AC03": {payments.RecipientAction, "the recipient's account number is wrong or missing"},
	"AC04": {payments.RecipientAction, "the account is closed"},
	"AC05": {payments.Configuration, "the debtor's account is closed"},
	"AC06": {payments.RecipientAction, "the account is blocked"},
	"AC07": {payments.RecipientAction, "the recipient's account is closed"},
	"AC09": {payments.RecipientAction, "the account is not kept in this currency"},
	"AC13": {payments.Configuration, "the debtor's account is of the wrong kind"},
	"AC14": {payments.RecipientAction, "the recipient's account is of the wrong kind"},
	"AG01": {payments.RecipientAction, "transfers to this account are forbidden"},
	"AG02": {payments.Configuration, "the bank does not know this kind of transaction"},
	"AG03": {payments.Configuration, "the bank does not offer this kind of transaction"},
	"AM01": {payments.Definite, "the amount is zero"},
	"AM02": {payments.Definite, "the amount is larger than allowed"},
	"AM03": {payments.Configuration, "the currency is not allowed"},
	"AM04": {payments.InsufficientFunds, "the debtor's account does not hold enough"},
	"AM05": {payments.Alarm, "the bank takes it for a duplicate of one that it has"},
	"AM06": {payments.Definite, "the amount is smaller than allowed"},
	"AM07": {payments.Definite, "the authorities have blocked the amount"},
	"AM09": {payments.Definite, "the amount is not the one agreed"},
	"AM10": {payments.Configuration, "the control sum is wrong"},
	"AM14": {payments.Definite, "the amount is above the limit agreed with the bank"},
	"AM18": {payments.Configuration, "the number of transfers is wrong"},
	"AM23": {payments.Definite, "the amount is above the settlement limit"},
	"BE01": {payments.RecipientAction, "the name is not that of the account"},
	"BE04": {payments.RecipientAction, "the recipient's address is missing or wrong"},
	"BE05": {payments.Configuration, "the bank does not know the party that sent the file"},
	"BE06": {payments.RecipientAction, "the recipient's bank does not know the recipient"},
	"BE07": {payments.Configuration, "the debtor's address is missing or wrong"},
	"BE22": {payments.RecipientAction, "the recipient's name is missing"},
	"CH03": {payments.Configuration, "the day asked for is too far ahead"},
	"CH04": {payments.Configuration, "the day asked for is too long past"},
	"CNOR": {payments.RecipientAction, "the recipient's bank is not registered for such payments"},
	"CUST": {payments.Definite, "the debtor asked for it"},
	"DNOR": {payments.Configuration, "the debtor's bank is not registered for such payments"},
	"DS02": {payments.Definite, "a person who may do so has cancelled the order"},
	"DT01": {payments.Configuration, "the day asked for is wrong"},
	"DU01": {payments.Alarm, "the bank already has a file of this message id"},
	"DU02": {payments.Alarm, "the bank already has a block of this payment information id"},
	"DU03": {payments.Alarm, "the bank already has this transaction"},
	"DU04": {payments.Alarm, "the bank already has a payment of this end-to-end id"},
	"DU05": {payments.Alarm, "the bank already has a payment of this instruction id"},
	"DUPL": {payments.Alarm, "the bank takes it for a duplicate of one that it has"},
	"ED05": {payments.Definite, "the settlement failed"},
	"FF01": {payments.Configuration, "the bank cannot read the file"},
	"FF03": {payments.Configuration, "the payment type is wrong"},
	"FOCR": {payments.Definite, "it came back because it was asked back"},
	"LEGL": {payments.Definite, "a legal decision stands against it"},
	"MD07": {payments.Definite, "the recipient has died"},
	"MS02": {payments.RecipientAction, "the recipient refused it without a reason"},
	"MS03": {payments.Definite, "the recipient's bank refused it without a reason"},
	"NARR": {payments.Definite, "the bank gives the reason in words"},
	"NOAS": {payments.Definite, "nobody answered"},
	"RC01": {payments.RecipientAction, "the bank's code is wrong"},
	"RC03": {payments.Configuration, "the code of the debtor's bank is wrong"},
	"RC04": {payments.RecipientAction, "the code of the recipient's bank is wrong"},
	"RR01": {payments.Configuration, "regulation asks for the debtor's account or identification"},
	"RR02": {payments.Configuration, "regulation asks for the debtor's name or address"},
	"RR03": {payments.RecipientAction, "regulation asks for the recipient's name or address"},
	"RR04": {payments.Definite, "a regulation stands against it"},
	"TECH": {payments.Definite, "a technical fault at the bank"},
	"TM01": {payments.Configuration, "it came after the bank's closing time"},
}

// longestQuote is how much of a bank's own words is kept.
const longestQuote = 300

// because reads the reason that a bank gives: a code of the standard or its own, and
// words. Of several reasons an Alarm counts, otherwise the first.
func because(information []*element) (class payments.Class, code, words string) {
	class, words = payments.Definite, "the bank gives no reason"
	for i, e := range information {
		r := e.child("Rsn")
		c := r.child("Cd").value() + r.child("Prtry").value()
		known, ok := reasons[c]
		if !ok {
			known = reason{payments.Definite, "the bank gives a reason of its own"}
			if c == "" {
				known.meaning = "the bank gives no reason"
			}
		}
		if i > 0 && known.class != payments.Alarm || class == payments.Alarm {
			continue
		}
		var said []string
		for _, line := range e.all("AddtlInf") {
			said = append(said, line.text)
		}
		class, code, words = known.class, c, known.meaning
		if quote := []rune(strings.Join(said, " ")); len(quote) > 0 {
			words = fmt.Sprintf("%s, in the bank's words: %q", words, string(quote[:min(len(quote), longestQuote)]))
		}
	}
	return class, code, words
}
