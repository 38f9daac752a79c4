package plan

import (
	"gopkg.in/yaml.v3"

	"github.com/guerdon/guerdon/incentive/document"
	"github.com/guerdon/guerdon/incentive/language"
)

// Holdback puts a share of what a component pays for each credit off, until a time or a
// condition.
type Holdback struct {
	Share    Value
	Months   int     // after the period that earned it
	Where    *Filter // what releases it before Months have passed; nil: nothing does
	Forfeits bool    // what Where has not released after Months is lost
}

// HeldBack names the line of what a component puts off, and of what is paid of it later.
func HeldBack(component string) string { return component + ", held back" }

// Forfeited names the line of what was put off and is lost.
func Forfeited(component string) string { return component + ", forfeited" }

func (r *reader) holdback(node *yaml.Node) *Holdback {
	h := &Holdback{}
	var share *Value
	var otherwise string
	r.Mapping(node, "a holdback", fields{
		"share":          document.Needed(r.value(&share)),
		"for_months":     document.Needed(r.months(&h.Months)),
		"released_where": document.Optional(r.filter(&h.Where)),
		"otherwise":      document.Optional(document.Choice(&r.Reader, &otherwise, "released", "forfeited")),
	})
	if share != nil {
		h.Share = *share
	}
	h.Forfeits = otherwise == "forfeited"
	switch {
	case h.Where == nil && otherwise != "":
		r.On(node, "\"otherwise\" says what becomes of what \"released_where\" has not released")
	case h.Where != nil && otherwise == "":
		r.On(node, "say whether what \"released_where\" has not released in time is then released or forfeited, as in \"otherwise: forfeited\"")
	case h.Where != nil && h.Where.readsCredit:
		r.On(node, "\"released_where\" is asked long after the credit: it reads transaction and participant")
	}
	return h
}

func (h Holdback) describe(l language.Language) string {
	months := l.Sprintf("%d months", h.Months)
	if h.Months == 1 {
		months = l.Word("a month")
	}
	until := l.Sprintf("and paid %s after the period that earned it", months)
	if h.Where != nil {
		late := l.Word("paid")
		if h.Forfeits {
			late = l.Word("lost")
		}
		until = l.Sprintf("and paid once %s; after %s it is %s", h.Where.describe(l), months, late)
	}
	return l.Sprintf("Of what it pays for each credit, %s is held back %s.", h.Share.describeShare(l), until)
}
