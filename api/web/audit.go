package web

import (
	"encoding/csv"
	"errors"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/oapi-codegen/runtime/types"
	"github.com/xuri/excelize/v2"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

type auditPage struct {
	Workflow string // where Temporal shows what was done; "" where that is not known
	Back     string // the page of what was acted on; "" where it has none
	Periods  []client.Period
	Acts     []string // that may be asked for

	Subject, Actor, Act, From, To string
	Parts, Oldest                 bool

	Query  template.URL // what was asked for, for other pages of it and its file
	Events []client.AuditEvent
	Next   int64
	First  bool
	Called map[string]string
}

// auditFilters are the names of what can be asked for.
var auditFilters = []string{"subject", "parts", "actor", "act", "from", "to", "order"}

// audit shows the audit chain: who did what to what, and when.
func (v *visit) audit() error {
	query := v.r.URL.Query()
	asked := url.Values{}
	for _, name := range auditFilters {
		if value := strings.TrimSpace(query.Get(name)); value != "" {
			asked.Set(name, value)
		}
	}
	body := auditPage{Subject: asked.Get("subject"), Actor: asked.Get("actor"), Act: asked.Get("act"), From: asked.Get("from"), To: asked.Get("to"), Parts: asked.Has("parts"), Oldest: asked.Get("order") == "oldest", Query: template.URL(asked.Encode()), First: query.Get("after") == ""}
	from, to, err := v.span()
	if err != nil {
		return err
	}
	order := client.ListAuditEventsParamsOrderNewest
	if body.Oldest {
		order = client.ListAuditEventsParamsOrderOldest
	}
	parameters := client.ListAuditEventsParams{Subject: given(body.Subject), Parts: &body.Parts, Actor: given(body.Actor), Act: given(body.Act), From: from, To: to, Order: &order}
	if after, err := strconv.ParseInt(query.Get("after"), 10, 64); err == nil {
		parameters.After = &after
	}
	list, err := client.Read[client.AuditEvents](v.api.ListAuditEvents(v.r.Context(), &parameters))
	if err != nil {
		return err
	}
	body.Events = list.Events
	if list.Next != nil {
		body.Next = *list.Next
	}
	body.Workflow, body.Back = v.workflowOf(body.Subject), pageOf(body.Subject)
	body.Acts = v.doable()
	if body.Called, err = v.called(); err != nil {
		return err
	}
	if body.Periods, err = v.opened(); err != nil {
		return err
	}
	return v.show("audit", "audit.title", body)
}

// workflowOf is where Temporal shows the workflow that did what there is to a subject; "" where
// that is not known.
func (v *visit) workflowOf(subject string) string {
	kind, rest, _ := strings.Cut(subject, "/")
	if v.Temporal == "" {
		return ""
	}
	switch kind {
	case "pay-period", "dispute", "verification": // the subject is the workflow's id
	case "statement": // what became of it, its period did
		parts := strings.SplitN(rest, "/", 3)
		if len(parts) < 2 {
			return ""
		}
		subject = "pay-period/" + parts[0] + "/" + parts[1]
	default:
		return ""
	}
	return v.Temporal + "/" + url.PathEscape(subject)
}

// pageOf is the page of what was acted on; "" where it has none.
func pageOf(subject string) string {
	kind, rest, _ := strings.Cut(subject, "/")
	parts := strings.SplitN(rest, "/", 3)
	switch {
	case rest == "":
		return ""
	case kind == "pay-period":
		return "/periods/" + url.PathEscape(parts[0])
	case kind == "statement" && len(parts) == 3:
		return "/periods/" + url.PathEscape(parts[0]) + "/statements/" + url.PathEscape(parts[2])
	case kind == "dispute":
		return "/disputes/" + url.PathEscape(rest)
	case kind == "deal":
		return "/deals/" + url.PathEscape(rest)
	case kind == "rail":
		return "/rails/" + url.PathEscape(rest)
	}
	return ""
}

// doable lists what may have been done, in the order of its words.
func (v *visit) doable() []string {
	acts := v.texts.Family("did")
	slices.SortFunc(acts, func(a, b string) int {
		return strings.Compare(v.texts.Term("did", a), v.texts.Term("did", b))
	})
	return acts
}

// span returns the first and the last day that are asked for; nil where none is.
func (v *visit) span() (from, to *types.Date, err error) {
	for name, into := range map[string]**types.Date{"from": &from, "to": &to} {
		text := strings.TrimSpace(v.r.URL.Query().Get(name))
		if text == "" {
			continue
		}
		day, err := incentive.ParseDate(text)
		if err != nil {
			return nil, nil, err
		}
		*into = &types.Date{Time: day.UTC()}
	}
	return from, to, nil
}

// auditFile hands over what is asked for as a file.
func (v *visit) auditFile() error {
	query := v.r.URL.Query()
	from, to, err := v.span()
	if err != nil {
		return err
	}
	parts, order := query.Get("parts") != "", client.GetAuditFileParamsOrderNewest
	if query.Get("order") == "oldest" {
		order = client.GetAuditFileParamsOrderOldest
	}
	parameters := &client.GetAuditFileParams{Subject: given(query.Get("subject")), Parts: &parts, Actor: given(query.Get("actor")), Act: given(query.Get("act")), From: from, To: to, Order: &order}
	if query.Get("file") == "xlsx" {
		return v.auditSheet(parameters)
	}
	return v.download(client.NewGetAuditFileRequest(within, parameters))
}

// auditSheet hands the same file over as XLSX.
func (v *visit) auditSheet(parameters *client.GetAuditFileParams) error {
	answer, err := v.api.GetAuditFile(v.r.Context(), parameters)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }() // it has been read
	if answer.StatusCode != http.StatusOK {
		_, err := client.Read[client.AuditEvents](answer, nil)
		return err
	}
	var rows [][]cell
	for lines := csv.NewReader(answer.Body); ; {
		line, err := lines.Read()
		if errors.Is(err, io.EOF) {
			return v.sendFile("audit", "xlsx", rows)
		}
		if err != nil {
			return err
		}
		if len(rows) == excelize.TotalRows {
			return incentive.Errorf(incentive.CodeInvalid, "a sheet holds %d rows: ask for fewer, or take the CSV", excelize.TotalRows)
		}
		row := []cell{{text: line[0], number: len(rows) > 0}}
		for _, text := range line[1:] {
			row = append(row, cell{text: text})
		}
		rows = append(rows, row)
	}
}
