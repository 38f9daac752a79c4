package web

import (
	"errors"
	"strings"

	"github.com/guerdon/guerdon/incentive/document"
	"github.com/guerdon/guerdon/incentive/form"
)

// filledIn is a document that is being filled in as a form.
type filledIn struct {
	Document string
	Filled   *form.Part // nil where the document is no YAML
	Unkept   bool       // it was filled in, and is not kept yet
}

// inForm shows a document in a form, with what is wrong with it where it is.
func (t texts) inForm(text string, shape form.Shape, unkept bool, problems []document.Problem) filledIn {
	shown := filledIn{Document: text, Unkept: unkept}
	if part, err := form.Read([]byte(text), shape); err == nil {
		for _, p := range problems {
			part.Blame(p.Line, p.Column, t.Translate(p.Message))
		}
		shown.Filled = &part
	}
	return shown
}

// fill returns the document of the form that was sent, filled in, and whether it is to be
// kept.
func (v *visit) fill(shapeOf func([]byte) form.Shape) (text string, keep bool, err error) {
	text = strings.ReplaceAll(v.r.PostFormValue("document"), "\r\n", "\n")
	act := v.r.PostFormValue("do")
	keep = act == "keep"
	if keep || act == "check" {
		act = ""
	}
	filled, err := form.Fill([]byte(text), shapeOf([]byte(text)), v.r.PostForm, act)
	if err != nil {
		return text, false, err
	}
	return string(filled), keep, nil
}

// problems are what is wrong with a document, by place.
func problems(err error) []document.Problem {
	var all document.Problems
	errors.As(err, &all)
	return all
}

// aggregate is what a measure adds up, in words: a key and its value, as a form has them.
func (t texts) aggregate(written string) (string, error) {
	key, value, _ := strings.Cut(written, " ")
	switch {
	case written == "sum credits":
		return t.Get("form.credits.sum"), nil
	case written == "count credits":
		return t.Get("form.credits.count"), nil
	case written == "ratio":
		return t.Get("form.credits.ratio"), nil
	case written == "objective":
		return t.Get("form.credits.objective"), nil
	case written == "objectives all":
		return t.Get("form.credits.objectives"), nil
	case key == "sum":
		return t.Say("form.of.sum", "attribute", value)
	case key == "distinct":
		return t.Say("form.of.distinct", "attribute", value)
	}
	return written, nil
}
