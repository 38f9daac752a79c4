package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

// quarantine is about rows that imports could not take.
type quarantine struct {
	List     quarantineList     `cmd:"" help:"List the imports with rows that wait."`
	Show     quarantineShow     `cmd:"" help:"Show the rows of an import that wait, each with the reason."`
	Retry    quarantineRetry    `cmd:"" help:"Read rows again: all that wait, or one, as it stands or mended."`
	LeaveOut quarantineLeaveOut `cmd:"" help:"Leave a row out; it waits no more."`
}

type quarantineList struct{}

func (quarantineList) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	waiting, all := true, client.Imports{}
	all.Imports, err = every(func(after *string) ([]client.Import, *string, error) {
		page, err := client.Read[client.Imports](c.ListImports(ctx, &client.ListImportsParams{Waiting: &waiting, After: after}))
		return page.Imports, page.Next, err
	})
	if err != nil {
		return err
	}
	return d.show(all, func(w *tabwriter.Writer) {
		for _, i := range all.Imports {
			row(w, i.Id, i.Kind, i.File, i.ImportedBy, fmt.Sprintf("%d wait", i.Waiting))
		}
	})
}

// waitingRows reads every row of an import that waits.
func waitingRows(ctx context.Context, c *client.Client, id string) (of client.Import, err error) {
	waiting, limit, from := true, 500, 0
	for {
		page, err := client.Read[client.Import](c.GetImport(ctx, id, &client.GetImportParams{Waiting: &waiting, After: &from, Limit: &limit}))
		if err != nil {
			return of, err
		}
		rows := append(of.Rows, page.Rows...)
		of, of.Rows = page, rows
		if len(page.Rows) < limit {
			return of, nil
		}
		from = page.Rows[len(page.Rows)-1].Position + 1
	}
}

type quarantineShow struct {
	Import string `arg:""`
}

func (q quarantineShow) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	found, err := waitingRows(ctx, c, q.Import)
	if err != nil {
		return err
	}
	return d.show(found, func(w *tabwriter.Writer) { showRows(w, found.Columns, found.Rows) })
}

func showRows(w *tabwriter.Writer, columns []string, rows []client.Quarantined) {
	for _, q := range rows {
		fmt.Fprintf(w, "row %d, %s:%d: ", q.Position, q.File, q.Line)
		if q.Column != "" {
			fmt.Fprintf(w, "column %s, %q: ", q.Column, q.Value)
		}
		fmt.Fprintf(w, "%s (%s)\n", q.Reason, q.Code)
		if q.Cells == nil {
			fmt.Fprintf(w, "  %s\n", q.Raw)
			continue
		}
		for i, cell := range *q.Cells {
			if i < len(columns) {
				fmt.Fprintf(w, "  %s=%s\n", columns[i], cell)
			}
		}
	}
}

type quarantineRetry struct {
	Import string   `arg:""`
	Row    *int     `help:"One row, by its number; all that wait when absent."`
	Set    []string `sep:"none" placeholder:"COLUMN=VALUE" help:"What the row is to say in a column; may be there several times."`
}

func (q quarantineRetry) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	if q.Row == nil && len(q.Set) > 0 {
		return incentive.Errorf(incentive.CodeInvalid, "say which row is to be mended: guerdon quarantine retry IMPORT --row ROW --set COLUMN=VALUE")
	}
	request := client.RetryRequest{}
	found, err := waitingRows(ctx, c, q.Import)
	if err != nil {
		return err
	}
	if q.Row != nil {
		one := client.RetriedRow{Position: *q.Row}
		if one.Cells, err = mended(found, *q.Row, q.Set); err != nil {
			return err
		}
		request.Rows = &[]client.RetriedRow{one}
	}
	done, err := client.Read[client.Retried](c.RetryRows(ctx, q.Import, &client.RetryRowsParams{IdempotencyKey: client.NewKey()}, request))
	if err != nil {
		return err
	}
	err = d.show(done, func(w *tabwriter.Writer) {
		fmt.Fprintf(w, "%d taken, %d still wait\n", done.Taken, len(done.Refused))
		showRows(w, found.Columns, done.Refused)
	})
	if err == nil && len(done.Refused) > 0 {
		return errAlreadyTold
	}
	return err
}

// mended returns the cells of a row with some of them changed; nil where none is.
func mended(of client.Import, position int, changes []string) (*[]string, error) {
	at := slices.IndexFunc(of.Rows, func(r client.Quarantined) bool { return r.Position == position })
	if at < 0 {
		return nil, incentive.Errorf(incentive.CodeNotFound, "no row %d of the import waits", position)
	}
	if len(changes) == 0 {
		return nil, nil
	}
	if of.Rows[at].Cells == nil {
		return nil, incentive.Errorf(incentive.CodeInvalid, "row %d cannot be taken apart: mend the file and import it again", position)
	}
	cells := slices.Clone(*of.Rows[at].Cells)
	for _, change := range changes {
		column, value, _ := strings.Cut(change, "=")
		i := slices.Index(of.Columns, column)
		if i < 0 || i >= len(cells) || !strings.Contains(change, "=") {
			return nil, incentive.Errorf(incentive.CodeInvalid, "%q changes no column: write COLUMN=VALUE, with one of %s", change, strings.Join(of.Columns, ", "))
		}
		cells[i] = value
	}
	return &cells, nil
}

type quarantineLeaveOut struct {
	Import string `arg:""`
	Row    int    `arg:""`
	Reason string `required:"" help:"Why; it stays on record."`
}

func (q quarantineLeaveOut) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	left, err := client.Read[client.Import](c.LeaveRowOut(ctx, q.Import, q.Row, &client.LeaveRowOutParams{IdempotencyKey: client.NewKey()}, client.LeaveOutRequest{Reason: q.Reason}))
	if err != nil {
		return err
	}
	return d.show(left, func(w *tabwriter.Writer) { fmt.Fprintf(w, "%d still wait\n", left.Waiting) })
}
