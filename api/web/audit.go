package web

import (
	"encoding/csv"
	"errors"
	"fmt"
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
	Events   []client.AuditEvent
	Table    table
	Called   map[string]string
}

// audit shows the audit chain: who did what to what, and when.
func (v *visit) audit() error {
	if file := v.asked("file"); file != nil {
		return v.auditFile(*file)
	}
	from, to, err := v.span()
	if err != nil {
		return err
	}
	periods, err := v.opened()
	if err != nil {
		return err
	}
	var subjects []option
	for _, p := range periods {
		subjects = append(subjects, option{fmt.Sprintf("pay-period/%s/%d", p.Id, p.Revision), v.texts.period(p)})
	}
	parts, subject := v.asked("parts") != nil, v.asked("subject")
	body := auditPage{Workflow: v.workflowOf(text(subject)), Back: pageOf(text(subject))}
	body.Events, body.Table, err = listed(v, listing[client.AuditEvent]{
		name: "audit",
		columns: []column[client.AuditEvent]{
			{head: "column.number", sort: "number", class: "amount"}, {head: "column.when"}, {head: "column.who"}, {head: "column.what"}, {head: "column.subject"}, {head: "column.link"},
		},
		choices: []choice{
			{Name: "subject", Label: "column.subject", Type: "text", Options: subjects},
			{Name: "parts", Label: "audit.parts", Type: "checkbox"},
			{Name: "actor", Label: "column.who", Type: "text"},
			{Name: "act", Label: "column.what", All: "filter.everything", Options: v.doable()},
			{Name: "from", Label: "column.from-day", Type: "date"}, {Name: "to", Label: "column.to-day", Type: "date"},
		},
		sort: "-number",
		read: func(of wanted) ([]client.AuditEvent, *string, error) {
			order := client.ListAuditEventsParamsOrderNewest
			if text(of.sort) == "number" {
				order = client.ListAuditEventsParamsOrderOldest
			}
			parameters := client.ListAuditEventsParams{
				Subject: subject,
				Parts:   &parts,
				Actor:   v.asked("actor"),
				Act:     v.asked("act"),
				From:    from,
				To:      to,
				Order:   &order,
				Limit:   of.limit,
			}
			if after, err := strconv.ParseInt(text(of.after), 10, 64); err == nil {
				parameters.After = &after
			}
			list, err := client.Read[client.AuditEvents](v.api.ListAuditEvents(v.r.Context(), &parameters))
			if err != nil || list.Next == nil {
				return list.Events, nil, err
			}
			next := strconv.FormatInt(*list.Next, 10)
			return list.Events, &next, nil
		},
	})
	if err != nil {
		return err
	}
	if body.Called, err = v.called(); err != nil {
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
	case kind == "relief":
		return "/reliefs"
	case kind == "rail":
		return "/rails/" + url.PathEscape(rest)
	}
	return ""
}

// doable offers what may have been done, in the order of its words.
func (v *visit) doable() []option {
	acts := termOptions(v, "did", v.texts.Family("did")...)
	slices.SortFunc(acts, func(a, b option) int { return strings.Compare(a.Text, b.Text) })
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

// auditFile hands over what is asked for as a file of a kind, of which the API keeps who took it.
func (v *visit) auditFile(kind string) error {
	from, to, err := v.span()
	if err != nil {
		return err
	}
	parts, order := v.asked("parts") != nil, client.GetAuditFileParamsOrderNewest
	if text(v.asked("sort")) == "number" {
		order = client.GetAuditFileParamsOrderOldest
	}
	parameters := &client.GetAuditFileParams{Subject: v.asked("subject"), Parts: &parts, Actor: v.asked("actor"), Act: v.asked("act"), From: from, To: to, Order: &order}
	switch kind {
	case "csv":
		return v.download(client.NewGetAuditFileRequest(within, parameters))
	case "xlsx":
		return v.auditSheet(parameters)
	}
	return v.nowhere()
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
