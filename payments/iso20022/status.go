package iso20022

import (
	"cmp"
	"context"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
)

// readable holds the messages that are read, by their names. What is read of them is the
// same in all versions named.
var readable = map[string]func(root *element) []payments.Outcome{
	"pain.002.001.03": readReport, "pain.002.001.10": readReport, "pain.002.001.11": readReport, "pain.002.001.12": readReport,
	"camt.053.001.02": readStatement, "camt.053.001.04": readStatement, "camt.053.001.06": readStatement, "camt.053.001.08": readStatement,
	"camt.054.001.02": readNotification, "camt.054.001.04": readNotification, "camt.054.001.06": readNotification, "camt.054.001.08": readNotification,
}

// ReadStatus reads a payment status report (pain.002), an account statement (camt.053) or
// a notification of bookings (camt.054), of the versions that banks send today. Of
// statements only bookings that carry an end-to-end id, or that are of a whole file of
// ours, are outcomes.
func (*Rail) ReadStatus(ctx context.Context, file io.Reader) ([]payments.Outcome, error) {
	root, space, err := parse(ctx, file, most)
	if err != nil {
		return nil, refuseStatus(err)
	}
	read, known := readable[strings.TrimPrefix(space, namespace)]
	if !known || !strings.HasPrefix(space, namespace) || root.name != "Document" {
		root.fail("the file is of %q; %s are read here", space, strings.Join(slices.Sorted(maps.Keys(readable)), ", "))
		return nil, refuseStatus(root.faults.first)
	}
	outcomes := read(root)
	if root.faults.first != nil {
		return nil, refuseStatus(root.faults.first)
	}
	return outcomes, nil
}

// refuseStatus shows what is wrong with a file; what kept it from being read it leaves.
func refuseStatus(err error) error {
	if incentive.ErrorCode(err) != incentive.CodeInvalid {
		return err
	}
	return incentive.Errorf(payments.CodeStatusFileRefused, "the bank's file cannot be read: %s", incentive.ErrorMessage(err))
}

// readReport reads a payment status report. Its statuses stand at three levels: the file,
// its payment information blocks, the transactions. A transaction that is not named has
// the status of the levels above unless that is PART, which says nothing of it.
func readReport(root *element) []payments.Outcome {
	report := root.need("CstmrPmtStsRpt")
	on := report.need("GrpHdr").need("CreDtTm").date()
	group := report.need("OrgnlGrpInfAndSts")
	messageID := group.need("OrgnlMsgId").needed()
	if name := group.need("OrgnlMsgNmId"); !strings.HasPrefix(name.text, "pain.001") {
		name.fail("the report is on %q; reports on credit transfers, pain.001, are read here", name.text)
	}
	// What is said of all payments of the file: by its only block, otherwise by the group.
	ofGroup := group.judge("GrpSts", judgement{})
	whole := ofGroup
	blocks := report.all("OrgnlPmtInfAndSts")
	var named []payments.Outcome
	for _, block := range blocks {
		above := block.judge("PmtInfSts", ofGroup)
		if len(blocks) == 1 {
			whole = above
		}
		for _, transaction := range block.all("TxInfAndSts") {
			own := transaction.judge("TxSts", above)
			outcome := own.outcome()
			if own.status == "" || own.status == partly {
				transaction.fail("the transaction has no status of its own, nor from what it belongs to")
			}
			if contradicts(above.outcome().State, outcome.State) {
				transaction.fail("the status %s contradicts %s of what it belongs to", own.status, above.status)
			}
			outcome.Reference, outcome.MessageID, outcome.On = payoutID(transaction.need("OrgnlEndToEndId").needed()), messageID, on
			if instructed := transaction.child("OrgnlTxRef", "Amt", "InstdAmt"); instructed != nil {
				outcome.Amount = instructed.money()
			}
			if whole.status == rejected && outcome.Class == payments.Alarm {
				whole.reasons = own.reasons // what may have been paid once may be the whole file
			}
			named = append(named, outcome)
		}
	}
	if whole.status == "" || whole.status == partly {
		return named
	}
	outcome := whole.outcome()
	outcome.MessageID, outcome.On = messageID, on
	return append([]payments.Outcome{outcome}, named...)
}

const (
	partly   = "PART" // of a file whose payments have different statuses
	rejected = "RJCT"
)

// contradicts reports whether a payment cannot have the state that it has where all
// payments have the state above. What is "" contradicts nothing: a person looks.
func contradicts(above, own payments.State) bool {
	final := above == payments.Refused || above == payments.Paid
	return final && own != "" && own != above
}

// judgement is a status with the reasons for it: its own, then those of the levels above.
type judgement struct {
	status  string
	reasons []*element
}

// judge reads the status of e, which is the one above where e has none.
func (e *element) judge(statusElement string, above judgement) judgement {
	return judgement{
		status:  cmp.Or(e.child(statusElement).value(), above.status),
		reasons: append(e.all("StsRsnInf"), above.reasons...),
	}
}

// outcome is what a judgement means, without saying of what.
func (j judgement) outcome() payments.Outcome {
	known, ok := statuses[j.status]
	outcome := payments.Outcome{State: known.state, Code: j.status, Reason: known.meaning}
	switch {
	case !ok:
		outcome.Class, outcome.Reason = payments.Alarm, "the bank gives a status that is not known here"
	case known.state == "":
		outcome.Class = payments.Alarm
	case known.state == payments.Refused:
		class, why, words := because(j.reasons)
		outcome.Class, outcome.Code, outcome.Reason = class, cmp.Or(why, j.status), words
		if class == payments.Alarm {
			outcome.State = "" // the other one may have been paid
		}
	}
	return outcome
}

var ourMessage = regexp.MustCompile(`^(GRD-[0-9a-f]{28})(-1)?$`)

// messageOf returns the message id that a bank's reference to a file of ours names, or "".
func messageOf(reference string) string {
	if m := ourMessage.FindStringSubmatch(reference); m != nil {
		return m[1]
	}
	return ""
}
