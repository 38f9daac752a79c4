package nacha

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/moov-io/ach"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
)

// CodeFileFaulty is the code of an ACH file that a bank would refuse or misread.
const CodeFileFaulty incentive.Code = "file-faulty"

// record is the length of a line.
const record = 94

// Inspect reads an ACH file of credits: every count, hash and total at both levels is that of
// the entries, their numbers rise and are of the bank, and written anew the file is the same to
// the last byte, so that no field says what the rules do not let it say. Its error is of code
// CodeFileFaulty and names the place.
func Inspect(content []byte) (*ach.File, error) {
	faulty := func(format string, arguments ...any) (*ach.File, error) {
		return nil, incentive.Errorf(CodeFileFaulty, "the ACH file is faulty: %s", fmt.Sprintf(format, arguments...))
	}
	lines := bytes.Split(bytes.TrimSuffix(content, []byte("\n")), []byte("\n"))
	for i, line := range lines {
		if len(line) != record {
			return faulty("line %d has %d characters, and needs %d", i+1, len(line), record)
		}
	}
	if len(lines)%10 != 0 {
		return faulty("its %d lines are not whole blocks of 10", len(lines))
	}
	reader := ach.NewReader(bytes.NewReader(content))
	reader.SetValidation(options)
	reader.SetMaxLines(len(lines))
	f, err := reader.Read()
	if err != nil {
		return faulty("%s", firstLine(err))
	}
	f.SetValidation(options)
	if err := f.Validate(); err != nil {
		return faulty("%s", firstLine(err))
	}
	for _, batch := range f.Batches {
		if batch.GetHeader().OriginatorStatusCode != 1 {
			return faulty("the originator of a batch is no customer of a bank")
		}
		for _, e := range batch.GetEntries() { // which the options leave unchecked
			if e.AddendaRecordIndicator != 0 {
				return faulty("the entry %s announces an addenda record", e.TraceNumberField())
			}
			if bank := batch.GetHeader().ODFIIdentificationField(); !strings.HasPrefix(e.TraceNumberField(), bank) {
				return faulty("the trace number %s is not of the bank %s", e.TraceNumberField(), bank)
			}
		}
	}
	if f.Control.BlockCount*10 != len(lines) {
		return faulty("%d blocks are announced, and there are %d", f.Control.BlockCount, len(lines)/10)
	}
	again, err := encode(&f)
	if err != nil {
		return faulty("%s", firstLine(err))
	}
	if i := differs(content, again); i >= 0 {
		return faulty("line %d, character %d is not as the rules have it", i/(record+1)+1, i%(record+1)+1)
	}
	return &f, nil
}

func differs(a, b []byte) int {
	for i := range max(len(a), len(b)) {
		if i >= len(a) || i >= len(b) || a[i] != b[i] {
			return i
		}
	}
	return -1
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// confirm reads a file back that was built, and compares it with what was asked for.
func (r *Rail) confirm(content []byte, asked []payments.FilePayment, total incentive.Money, of entries) error {
	f, err := Inspect(content)
	if err != nil {
		return err
	}
	if int64(f.Control.TotalCreditEntryDollarAmountInFile) != total.Minor || f.Control.TotalDebitEntryDollarAmountInFile != 0 {
		return fmt.Errorf("the file is of %d, not of %s", f.Control.TotalCreditEntryDollarAmountInFile, total)
	}
	i := 0
	for _, batch := range f.Batches {
		header := batch.GetHeader()
		for _, e := range batch.GetEntries() {
			if i == len(asked) {
				return fmt.Errorf("there are more entries than the %d payouts", len(asked))
			}
			p := asked[i]
			if i++; header.StandardEntryClassCode != class(p) || header.ServiceClassCode != ach.CreditsOnly || class(p) == ach.PPD && header.CompanyEntryDescription != payroll ||
				e.TransactionCode != of.codes[p.Destination[KindDetail]] || int64(e.Amount) != p.Amount.Minor || e.RDFIIdentification+e.CheckDigit != p.Destination[RoutingDetail] ||
				strings.TrimSpace(e.DFIAccountNumber) != p.Destination[AccountDetail] || strings.TrimSpace(e.IdentificationNumber) != identification(p.PayoutID) {
				return fmt.Errorf("entry %d is not the payout %s", i, p.PayoutID)
			}
		}
	}
	if i != len(asked) {
		return fmt.Errorf("there are %d entries for %d payouts", i, len(asked))
	}
	return nil
}
