package iso20022

import (
	"bufio"
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/guerdon/guerdon/incentive"
)

// namespace comes before the name of a message in the namespace of its elements.
const namespace = "urn:iso:std:iso:20022:tech:xsd:"

// limits are what is read of a file at most: its bytes, its elements, and how deep they
// lie in each other.
type limits struct {
	bytes    int64
	elements int
	depth    int
}

// most has room for the statement of 20,000 payments several times over.
var most = limits{bytes: 64 << 20, elements: 2_000_000, depth: 40}

// element is an element of a message. A nil element has no child and no value.
type element struct {
	name     string
	text     string // of an element without children, without white space around it
	currency string // the attribute Ccy
	line     int
	parent   *element
	children []*element
	faults   *faults
}

// faults keeps the first thing that is wrong with a message, so that a reader can ask for
// all it needs and look once at the end.
type faults struct{ first error }

// parse reads a whole message and returns its root. Document type declarations, and with
// them all entities but those of XML itself, are refused; elements of other namespaces
// than the root's are left out.
func parse(ctx context.Context, file io.Reader, most limits) (root *element, space string, err error) {
	source := &notedReader{Reader: file}
	limited := &io.LimitedReader{R: source, N: most.bytes + 1}
	buffered := bufio.NewReader(limited)
	if mark, _ := buffered.Peek(3); bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		_, _ = buffered.Discard(3)
	}
	decoder := xml.NewDecoder(buffered)
	decoder.CharsetReader = func(charset string, _ io.Reader) (io.Reader, error) {
		return nil, fmt.Errorf("the encoding is %q; UTF-8 is expected", charset)
	}
	var at *element
	var text strings.Builder
	found := &faults{}
	names := map[string]string{} // one copy of each name
	elements, depth, foreign := 0, 0, 0
	faulty := func(format string, arguments ...any) (*element, string, error) {
		line, _ := decoder.InputPos()
		return nil, "", faultAt(line, at, format, arguments...)
	}
	for tokens := 0; ; tokens++ {
		if err := ctx.Err(); tokens%1024 == 0 && err != nil {
			return nil, "", err
		}
		token, err := decoder.Token()
		if limited.N == 0 {
			return faulty("the file has more than %d bytes", most.bytes)
		}
		if errors.Is(err, io.EOF) {
			if root == nil {
				return faulty("there is no element in the file")
			}
			return root, space, nil
		}
		if source.failed != nil {
			return nil, "", fmt.Errorf("read the file: %w", source.failed)
		}
		if err != nil {
			what := err.Error()
			if syntax, ok := errors.AsType[*xml.SyntaxError](err); ok {
				what = syntax.Msg
			}
			return faulty("the file is not well-formed XML: %s", what)
		}
		switch token := token.(type) {
		case xml.Directive:
			return faulty("a document type declaration is not accepted")
		case xml.StartElement:
			if depth, elements = depth+1, elements+1; depth > most.depth || elements > most.elements {
				return faulty("more than %d elements, or %d within each other, are not accepted", most.elements, most.depth)
			}
			if root == nil {
				space = token.Name.Space
			}
			if foreign > 0 || token.Name.Space != space {
				foreign++
				continue
			}
			if root != nil && at == nil {
				return faulty("nothing may follow the first element")
			}
			name, known := names[token.Name.Local]
			if !known {
				name = strings.Clone(token.Name.Local)
				names[name] = name
			}
			line, _ := decoder.InputPos()
			e := &element{name: name, line: line, parent: at, faults: found}
			for _, a := range token.Attr {
				if a.Name.Local == "Ccy" {
					e.currency = a.Value
				}
			}
			if root == nil {
				root = e
			} else {
				at.children = append(at.children, e)
			}
			at = e
			text.Reset()
		case xml.CharData:
			if foreign == 0 {
				text.Write(token)
			}
			if at == nil && len(bytes.TrimSpace(token)) > 0 {
				return faulty("there is text outside the elements")
			}
		case xml.EndElement:
			depth--
			if foreign > 0 {
				foreign--
				continue
			}
			if len(at.children) == 0 {
				at.text = strings.TrimSpace(text.String())
			}
			text.Reset()
			at = at.parent
		}
	}
}

// notedReader notes why reading failed, to tell that from a file that is wrong.
type notedReader struct {
	io.Reader
	failed error
}

func (r *notedReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		r.failed = err
	}
	return n, err
}

func faultAt(line int, at *element, format string, arguments ...any) error {
	place := fmt.Sprintf("line %d", line)
	if path := at.path(); path != "" {
		place += ", " + path
	}
	return incentive.Errorf(incentive.CodeInvalid, "%s: %s", place, fmt.Sprintf(format, arguments...))
}

// path is how people find the element: Document/CstmrPmtStsRpt/GrpHdr.
func (e *element) path() string {
	if e == nil {
		return ""
	}
	if e.parent == nil {
		return e.name
	}
	return e.parent.path() + "/" + e.name
}

// fail notes that something is wrong with the element.
func (e *element) fail(format string, arguments ...any) {
	if e.faults.first == nil {
		e.faults.first = faultAt(e.line, e, format, arguments...)
	}
}

// child returns the element at a path below e, nil where there is none. Two of a name are
// a fault: nobody could say which one counts.
func (e *element) child(path ...string) *element {
	for _, name := range path {
		if e == nil {
			return nil
		}
		var found *element
		for _, c := range e.children {
			if c.name != name {
				continue
			}
			if found != nil {
				c.fail("the element stands here twice")
				break
			}
			found = c
		}
		e = found
	}
	return e
}

// need returns the element at a path below e. Where there is none that is a fault, and
// what is returned is empty.
func (e *element) need(path ...string) *element {
	for _, name := range path {
		found := e.child(name)
		if found == nil {
			e.fail("the element %s is missing", name)
			found = &element{name: name, line: e.line, parent: e, faults: e.faults}
		}
		e = found
	}
	return e
}

// all returns the children of a name.
func (e *element) all(name string) []*element {
	var found []*element
	for _, c := range e.children {
		if c.name == name {
			found = append(found, c)
		}
	}
	return found
}

// value returns the text of the element, "" where there is none.
func (e *element) value() string {
	if e == nil {
		return ""
	}
	return e.text
}

// needed returns the text of an element that must have one.
func (e *element) needed() string {
	if e.text == "" {
		e.fail("the element is empty")
	}
	return e.text
}

// money reads an amount with its currency, which must be whole in its minor units.
func (e *element) money() incentive.Money {
	currency, err := incentive.ParseCurrency(e.currency)
	if err != nil {
		e.fail("%q is not the code of a currency", e.currency)
		return incentive.Money{}
	}
	amount, err := incentive.ParseDecimal(e.text)
	if err == nil {
		var money incentive.Money
		if money, err = incentive.MoneyOf(amount, currency); err == nil {
			return money
		}
	}
	e.fail("%q is not an amount in %s", e.text, currency)
	return incentive.Money{}
}

// date reads a day, which may stand with a time or a zone.
func (e *element) date() incentive.Date {
	text := e.text
	if len(text) > 10 && strings.IndexByte("TZ+-", text[10]) >= 0 {
		text = text[:10]
	}
	day, err := incentive.ParseDate(text)
	if err != nil {
		e.fail("%q is not a day such as 2026-11-23", e.text)
	}
	return day
}
