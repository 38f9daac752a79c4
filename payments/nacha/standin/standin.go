// Package standin answers ACH files as a bank does: it sends entries back and tells of changes,
// for tests.
package standin

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/moov-io/ach"

	"github.com/guerdon/guerdon/incentive"
)

// Answer is what becomes of an entry.
type Answer struct {
	Trace string // the entry's
	Code  string // of a return, such as R03, or of a change, such as C01
	Data  string // of a change: what is right
}

// SendBack returns the file by which the company's bank passes on what the banks of the recipients
// answer, on a day, to a file of credits: a batch for each answer.
func SendBack(sent []byte, on incentive.Date, answers ...Answer) ([]byte, error) {
	opts := &ach.ValidateOpts{CustomReturnCodes: true, BypassOriginValidation: true, BypassDestinationValidation: true}
	reader := ach.NewReader(bytes.NewReader(sent))
	reader.SetValidation(opts)
	original, err := reader.Read()
	if err != nil {
		return nil, fmt.Errorf("read the file that was sent: %w", err)
	}
	back := ach.NewFile()
	header := ach.NewFileHeader()
	header.ImmediateDestination, header.ImmediateOrigin = original.Header.ImmediateOrigin, original.Header.ImmediateDestination
	header.ImmediateDestinationName, header.ImmediateOriginName = original.Header.ImmediateOriginName, original.Header.ImmediateDestinationName
	day := time.Date(on.Year, on.Month, on.Day, 0, 0, 0, 0, time.UTC).Format("060102")
	header.FileCreationDate = day
	back.SetHeader(header)
	back.SetValidation(opts)
	for _, batch := range original.Batches {
		for _, entry := range batch.GetEntries() {
			for _, answer := range answers {
				if answer.Trace != entry.TraceNumberField() {
					continue
				}
				of := *batch.GetHeader()
				of.EffectiveEntryDate, of.ODFIIdentification, of.BatchNumber = day, entry.RDFIIdentification, len(back.Batches)+1
				if strings.HasPrefix(answer.Code, "C") {
					of.StandardEntryClassCode = ach.COR
				}
				answered, err := ach.NewBatch(&of)
				if err != nil {
					return nil, err
				}
				answered.SetValidation(opts)
				answered.AddEntry(answerTo(entry, batch.GetHeader().ODFIIdentification, answer, len(back.Batches)+1))
				if err := answered.Create(); err != nil {
					return nil, fmt.Errorf("answer a batch: %w", err)
				}
				back.AddBatch(answered)
			}
		}
	}
	if err := back.Create(); err != nil {
		return nil, fmt.Errorf("answer the file: %w", err)
	}
	var content bytes.Buffer
	w := ach.NewWriter(&content)
	if err := w.Write(back); err != nil {
		return nil, err
	}
	return content.Bytes(), w.Flush()
}

// answerTo is the entry by which the bank of a recipient, which is from then on the one that sends,
// answers one.
func answerTo(entry *ach.EntryDetail, originator string, answer Answer, number int) *ach.EntryDetail {
	e := ach.NewEntryDetail()
	e.TransactionCode = ach.CheckingReturnNOCCredit
	if entry.TransactionCode == ach.SavingsCredit || entry.TransactionCode == ach.SavingsPrenoteCredit {
		e.TransactionCode = ach.SavingsReturnNOCCredit
	}
	e.SetRDFI(originator + strconv.Itoa(ach.CalculateCheckDigit(originator)))
	e.DFIAccountNumber, e.Amount, e.IdentificationNumber, e.IndividualName = entry.DFIAccountNumber, entry.Amount, entry.IdentificationNumber, entry.IndividualName
	e.SetTraceNumber(entry.RDFIIdentification, number)
	e.AddendaRecordIndicator = 1
	if strings.HasPrefix(answer.Code, "C") {
		addenda := ach.NewAddenda98()
		addenda.ChangeCode, addenda.OriginalTrace, addenda.OriginalDFI, addenda.CorrectedData, addenda.TraceNumber = answer.Code, answer.Trace, entry.RDFIIdentification, answer.Data, e.TraceNumber
		e.Addenda98, e.Category, e.Amount = addenda, ach.CategoryNOC, 0
		return e
	}
	addenda := ach.NewAddenda99()
	addenda.ReturnCode, addenda.OriginalTrace, addenda.OriginalDFI, addenda.TraceNumber = answer.Code, answer.Trace, entry.RDFIIdentification, e.TraceNumber
	addenda.SetValidation(&ach.ValidateOpts{CustomReturnCodes: true})
	e.Addenda99, e.Category = addenda, ach.CategoryReturn
	return e
}
