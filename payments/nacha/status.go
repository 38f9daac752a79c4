package nacha

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/moov-io/ach"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
)

const largestStatus = 64 << 20

// reading is how strictly a bank's file is read: some leave the file's first or last record out,
// and give reasons of their own.
func reading(lines [][]byte) *ach.ValidateOpts {
	kinds := map[byte]bool{}
	for _, line := range lines {
		if len(line) > 0 && len(bytes.Trim(line, "9 ")) > 0 {
			kinds[line[0]] = true
		}
	}
	return &ach.ValidateOpts{AllowMissingFileHeader: !kinds['1'], AllowMissingFileControl: !kinds['9'], CustomReturnCodes: true,
		BypassOriginValidation: true, BypassDestinationValidation: true, SkipFileCreationValidation: true}
}

// ReadStatus reads a file of returns and notifications of change. Every count, hash and total that is in
// it must fit; where the file's first or last record is missing, those of its batches.
func (r *Rail) ReadStatus(ctx context.Context, file io.Reader) ([]payments.Outcome, error) {
	refuse := func(format string, arguments ...any) ([]payments.Outcome, error) {
		return nil, incentive.Errorf(payments.CodeStatusFileRefused, "the bank's file cannot be read: %s", fmt.Sprintf(format, arguments...))
	}
	content, err := io.ReadAll(io.LimitReader(file, largestStatus+1))
	if err != nil {
		return nil, fmt.Errorf("read the bank's file: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(content) > largestStatus {
		return refuse("it is larger than %d MB", largestStatus>>20)
	}
	var lines [][]byte
	for i, line := range bytes.Split(content, []byte("\n")) {
		line = bytes.TrimSuffix(line, []byte("\r"))
		switch {
		case len(line) == 0:
			continue
		case len(line) != record:
			return refuse("line %d has %d characters, and records have %d", i+1, len(line), record)
		case !strings.ContainsRune("156789", rune(line[0])):
			return refuse("line %d is no record of an ACH file", i+1)
		}
		for _, c := range line {
			if c < ' ' || c > '~' {
				return refuse("line %d has a character that no ACH file may have", i+1)
			}
		}
		lines = append(lines, line)
	}
	if len(lines) == 0 {
		return refuse("it is empty")
	}
	opts := reading(lines)
	reader := ach.NewReader(bytes.NewReader(append(bytes.Join(lines, []byte("\n")), '\n')))
	reader.SetValidation(opts)
	reader.SetMaxLines(len(lines))
	f, err := reader.Read()
	if err != nil {
		return refuse("%s", firstLine(err))
	}
	if len(f.Batches) == 0 && len(f.IATBatches) == 0 {
		return refuse("there is no batch in it")
	}
	if opts.AllowMissingFileControl {
		for _, batch := range f.Batches {
			if err = batch.Validate(); err != nil {
				return refuse("%s", firstLine(err))
			}
		}
	} else if err := f.ValidateWith(opts); err != nil {
		return refuse("%s", firstLine(err))
	} else if last := len(lines) % 10; last == 0 && f.Control.BlockCount*10 != len(lines) {
		return refuse("%d blocks are announced, and there are %d", f.Control.BlockCount, len(lines)/10)
	}
	var outcomes []payments.Outcome
	for _, batch := range f.Batches {
		on := dateOf(batch.GetHeader().EffectiveEntryDate)
		if on.IsZero() {
			on = dateOf(f.Header.FileCreationDate)
		}
		for _, entry := range batch.GetEntries() {
			o, said := outcome(entry)
			if !said {
				return refuse("the entry %s neither comes back nor is corrected: is it one of our own files?", entry.TraceNumberField())
			}
			o.On = on
			outcomes = append(outcomes, o)
		}
	}
	return outcomes, nil
}

// outcome is what an entry that a bank sent means for the one that it names.
func outcome(entry *ach.EntryDetail) (o payments.Outcome, said bool) {
	o.Amount = incentive.Money{Minor: int64(entry.Amount), Currency: "USD"}
	switch {
	case entry.Addenda99 != nil:
		o.Trace, o.Code = entry.Addenda99.OriginalTraceField(), entry.Addenda99.ReturnCode
		known, ok := reasons[o.Code]
		if !ok {
			known = reason{payments.Definite, "the bank gives a reason of its own"}
		}
		o.Class, o.Reason = known.class, known.meaning
		if o.Class != payments.Alarm {
			o.State = payments.Returned
		}
		switch entry.TransactionCode {
		case ach.CheckingReturnNOCCredit, ach.SavingsReturnNOCCredit:
		default:
			o.Class, o.State, o.Reason = payments.Alarm, "", "the bank sends back what was no credit"
		}
	case entry.Addenda98 != nil:
		o.Trace, o.Code = entry.Addenda98.OriginalTraceField(), entry.Addenda98.ChangeCode
		what, ours := changes[o.Code]
		o.Correction = correction(entry.Addenda98)
		if o.Reason = fmt.Sprintf("the bank corrects %s", what); !ours || o.Correction == nil {
			o.Class, o.Reason = payments.Alarm, "the bank corrects what no destination has, or does not say to what"
		}
	case entry.Addenda99Dishonored != nil:
		o.Class, o.Trace, o.Code, o.Reason = payments.Alarm, entry.Addenda99Dishonored.OriginalEntryTraceNumberField(), entry.Addenda99Dishonored.DishonoredReturnReasonCode, "a bank does not accept what another sent back"
	case entry.Addenda99Contested != nil:
		o.Class, o.Trace, o.Code, o.Reason = payments.Alarm, entry.Addenda99Contested.OriginalEntryTraceNumberField(), entry.Addenda99Contested.ContestedReturnCode, "the banks do not agree on what one of them sent back"
	case entry.Addenda98Refused != nil:
		o.Class, o.Trace, o.Code, o.Reason = payments.Alarm, entry.Addenda98Refused.OriginalTraceField(), entry.Addenda98Refused.RefusedChangeCode, "a correction was refused"
	default:
		return o, false
	}
	return o, true
}

// correction holds the details that a notification of change has, nil where it says none that
// can be right.
func correction(noc *ach.Addenda98) payments.Destination {
	said := noc.ParseCorrectedData()
	if said == nil {
		return nil
	}
	d := payments.Destination{}
	if said.AccountNumber != "" {
		if d[AccountDetail] = said.AccountNumber; len(said.AccountNumber) > longestAccount || !account.MatchString(said.AccountNumber) {
			return nil
		}
	}
	if said.RoutingNumber != "" {
		d[RoutingDetail] = said.RoutingNumber
	}
	switch said.TransactionCode {
	case 0:
	case ach.CheckingCredit, ach.CheckingPrenoteCredit:
		d[KindDetail] = Checking
	case ach.SavingsCredit, ach.SavingsPrenoteCredit:
		d[KindDetail] = Savings
	default:
		return nil
	}
	if len(d) == 0 {
		return nil
	}
	return d
}

func dateOf(yymmdd string) incentive.Date {
	day, err := time.Parse("060102", yymmdd)
	if err != nil {
		return incentive.Date{}
	}
	return incentive.DateOf(day)
}
