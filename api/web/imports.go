package web

import (
	"slices"
	"strconv"
	"strings"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/mapping"
)

type importsPage struct {
	Imports   []client.Import
	Table     table
	Called    map[string]string
	MayImport bool
}

// imports lists what was imported, and asks for files and the mapping that reads them.
func (v *visit) imports() error {
	if v.may(incentive.ImportData) == incentive.None && v.may(incentive.ReadRecords) == incentive.None {
		return v.forbidden()
	}
	body := importsPage{MayImport: v.may(incentive.ImportData) > incentive.None}
	var err error
	if body.Called, err = v.called(); err != nil {
		return err
	}
	body.Imports, body.Table, err = listed(v, listing[client.Import]{
		name: "imports", path: "/imports", size: perPage,
		choices: []choice{{Name: "waiting", Label: "imports.which", All: "filter.everything", Options: []option{{"yes", v.texts.Get("imports.waiting")}}}},
		columns: []column[client.Import]{
			{head: "column.file", value: func(i client.Import) any { return i.File }},
			{head: "column.type", value: func(i client.Import) any { return v.texts.records(i.Kind) }},
			{head: "column.when", value: func(i client.Import) any { return i.ImportedAt }},
			{head: "column.who", value: func(i client.Import) any { return name(body.Called, i.ImportedBy) }},
			{head: "imports.taken", class: "amount"},
			{head: "imports.added", file: true, value: func(i client.Import) any { return i.Added }},
			{head: "imports.changed", file: true, value: func(i client.Import) any { return i.Changed }},
			{head: "import.waiting", class: "amount", value: func(i client.Import) any { return i.Waiting }},
		},
		read: func(of wanted) ([]client.Import, *string, error) {
			waiting := v.asked("waiting") != nil
			list, err := client.Read[client.Imports](v.api.ListImports(v.r.Context(), &client.ListImportsParams{After: of.after, Waiting: &waiting, Limit: of.limit}))
			return list.Imports, list.Next, err
		},
	})
	if err != nil {
		return err
	}
	return v.show("imports", "imports.title", body)
}

// perPage is how many imports, or rows to be mended, a page shows.
var perPage = 25

// importFiles passes an upload on to the API as it comes.
func (v *visit) importFiles() error {
	defer v.names.forget()
	done, err := command[client.Import](v.api.ImportFilesWithBody(v.r.Context(), &client.ImportFilesParams{IdempotencyKey: v.r.URL.Query().Get("key")}, v.r.Header.Get("Content-Type"), v.r.Body))
	if err != nil {
		v.problem = err
		return v.imports()
	}
	return v.redirect("/imports/" + done.Id)
}

type importPage struct {
	client.Import
	Held    []heldRow // rows that wait, in their order
	Next    int       // the position where the list goes on; 0 where it ends
	First   bool
	Ended   []endedRow // rows that something became of, the first ones
	MayMend bool
}

type endedRow struct {
	client.Quarantined
	Outcome client.QuarantinedOutcome
	By      string
}

// heldRow is a quarantined row as a form.
type heldRow struct {
	client.Quarantined
	Cells []heldCell // one for each column
	Open  bool       // it was just tried
}

type heldCell struct {
	Column, Value string
	Wrong         bool
}

// importResult shows an import, with the rows that wait in quarantine as forms.
func (v *visit) importResult() error { return v.importWith(nil) }

// importWith also says of rows that were tried why they still cannot be taken.
func (v *visit) importWith(refused []client.Quarantined) error {
	yes, from := true, 0
	if at, err := strconv.Atoi(v.r.URL.Query().Get("after")); err == nil {
		from = max(0, at)
	}
	id := v.r.PathValue("import")
	done, err := client.Read[client.Import](v.api.GetImport(v.r.Context(), id, &client.GetImportParams{Waiting: &yes, After: &from, Limit: &perPage}))
	if err != nil {
		return err
	}
	body := importPage{Import: done, First: from == 0, MayMend: v.may(incentive.ImportData) > incentive.None && len(done.Columns) > 0}
	for _, q := range done.Rows {
		open := false
		if at := slices.IndexFunc(refused, func(r client.Quarantined) bool { return r.Position == q.Position }); at >= 0 {
			q, open = refused[at], len(refused) == 1
		}
		body.Held = append(body.Held, held(done.Columns, q, open))
	}
	if n := len(done.Rows); n == perPage {
		body.Next = done.Rows[n-1].Position + 1
	}
	if done.Waiting < done.Quarantined {
		all, err := client.Read[client.Import](v.api.GetImport(v.r.Context(), id, &client.GetImportParams{Limit: &most}))
		if err != nil {
			return err
		}
		called, err := v.called()
		if err != nil {
			return err
		}
		for _, q := range all.Rows {
			if q.Outcome != nil && q.DecidedBy != nil {
				body.Ended = append(body.Ended, endedRow{q, *q.Outcome, called[*q.DecidedBy]})
			}
		}
	}
	return v.show("import", "import.title", body, "file", done.File)
}

func held(columns []string, q client.Quarantined, open bool) heldRow {
	row := heldRow{Quarantined: q, Open: open}
	for i, column := range columns {
		one := heldCell{Column: column, Wrong: slices.Contains(strings.Split(q.Column, ", "), column)}
		if q.Cells != nil && i < len(*q.Cells) {
			one.Value = (*q.Cells)[i]
		}
		row.Cells = append(row.Cells, one)
	}
	return row
}

// mendImport takes one of the forms of an import's page: a row to be read again, all that
// wait, or a row to be left out.
func (v *visit) mendImport() error {
	if v.may(incentive.ImportData) == incentive.None {
		return v.forbidden()
	}
	id := v.r.PathValue("import")
	here := local(v.r.URL.RequestURI())
	position, _ := strconv.Atoi(v.r.PostFormValue("row")) // 0 is what forms of all send
	request := client.RetryRequest{}
	switch v.r.PostFormValue("form") {
	case "leave-out":
		_, err := command[client.Import](v.api.LeaveRowOut(v.r.Context(), id, position, &client.LeaveRowOutParams{IdempotencyKey: v.key()}, client.LeaveOutRequest{Reason: v.r.PostFormValue("reason")}))
		return v.done(err, here, message{Key: "done.left-out"}, (*visit).importResult)
	case "row":
		cells := v.r.PostForm["cell"]
		request.Rows = &[]client.RetriedRow{{Position: position, Cells: &cells}}
	case "all":
	default:
		return v.nowhere()
	}
	defer v.names.forget()
	done, err := command[client.Retried](v.api.RetryRows(v.r.Context(), id, &client.RetryRowsParams{IdempotencyKey: v.key()}, request))
	if err != nil || len(done.Refused) == 0 {
		return v.done(err, here, message{Key: "done.rows-taken", With: map[string]any{"count": done.Taken}}, (*visit).importResult)
	}
	if request.Rows == nil && done.Taken > 0 {
		v.say(message{Key: "done.rows-taken", With: map[string]any{"count": done.Taken}})
		return v.redirect(here)
	}
	v.problem = incentive.Errorf(mapping.CodeRefused, "%s", done.Refused[0].Reason)
	return v.importWith(done.Refused)
}
