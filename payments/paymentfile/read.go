package paymentfile

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strconv"

	"github.com/guerdon/guerdon/incentive"
)

// CodeFileAltered is the code of a file that is not as it was built.
const CodeFileAltered incentive.Code = "file-altered"

// columns is how many fields every line has.
const columns = 7

// Read reads a payment file back. It takes exactly the bytes that BuildFile writes:
// anything else is an *incentive.Error of code CodeFileAltered that names the line.
func Read(content []byte) (Contents, error) {
	var c Contents
	line := 0
	altered := func(format string, arguments ...any) (Contents, error) {
		return Contents{}, incentive.Errorf(CodeFileAltered, "line %d of the payment file: "+format, append([]any{line}, arguments...)...)
	}
	reader := csv.NewReader(bytes.NewReader(content))
	reader.FieldsPerRecord = columns
	var trailer []string
	for {
		fields, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		line++
		if err != nil {
			return altered("%d fields separated by commas are expected", columns)
		}
		switch mark := fields[0]; {
		case trailer != nil:
			return altered("nothing may follow the trailer")
		case line == 1 && mark == headerMark:
			if fields[1] != version {
				return altered("version %q is not known here; version %s is", fields[1], version)
			}
			c.MessageID, c.PeriodID, c.Company = fields[2], fields[3], fields[6]
			if c.Revision, err = strconv.Atoi(fields[4]); err != nil {
				return altered("%q is not the number of a revision", fields[4])
			}
			if c.Currency, err = incentive.ParseCurrency(fields[5]); err != nil {
				return altered("%s", incentive.ErrorMessage(err))
			}
		case line == 1:
			return altered("a payment file starts with %s", headerMark)
		case mark == paymentMark:
			p, err := readPayment(fields)
			if err != nil {
				return altered("%s", incentive.ErrorMessage(err))
			}
			if reason := p.refusal(c.Currency); reason != "" {
				return altered("%s", reason)
			}
			if n := len(c.Payments); n > 0 && c.Payments[n-1].PayoutID >= p.PayoutID {
				return altered("payments are sorted by payout id, each once")
			}
			c.Payments = append(c.Payments, p)
		case mark == trailerMark:
			trailer = fields
		default:
			return altered("a line starts with %s, %s or %s", headerMark, paymentMark, trailerMark)
		}
	}
	if trailer == nil {
		return altered("the file ends without its trailer: it is cut short")
	}
	header := c.MessageID
	if err := c.seal(); err != nil {
		return altered("%s", incentive.ErrorMessage(err))
	}
	switch {
	case header != c.MessageID || trailer[1] != c.MessageID:
		return altered("the message id does not belong to these payments")
	case trailer[2] != strconv.Itoa(len(c.Payments)):
		return altered("the trailer counts %q payments; there are %d", trailer[2], len(c.Payments))
	case trailer[3] != c.Total.Amount() || trailer[4] != string(c.Currency):
		return altered("the trailer's total is %q %q; the payments add up to %s", trailer[3], trailer[4], c.Total)
	case !bytes.Equal(c.encode(), content):
		return altered("the checksum, or how a line is written, differs")
	}
	return c, nil
}

func readPayment(fields []string) (Payment, error) {
	p := Payment{PayoutID: fields[1], Holder: fields[2], Bank: fields[3], Account: fields[4]}
	currency, err := incentive.ParseCurrency(fields[6])
	if err != nil {
		return p, err
	}
	amount, err := incentive.ParseDecimal(fields[5])
	if err != nil {
		return p, err
	}
	p.Amount, err = incentive.MoneyOf(amount, currency)
	return p, err
}
