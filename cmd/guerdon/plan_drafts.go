package main

import (
	"context"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"

	"github.com/guerdon/guerdon/api/client"
)

// planDraft is about plans that are being written, and are not in force.
type planDraft struct {
	List    draftList    `cmd:"" help:"List the drafts."`
	Show    draftShow    `cmd:"" help:"Print a draft."`
	Begin   draftBegin   `cmd:"" help:"Begin a draft with a file, which need not be right yet."`
	Put     draftPut     `cmd:"" help:"Keep a file as the next version of a draft."`
	Discard draftDiscard `cmd:"" help:"Discard a draft; what it was stays on record."`
}

func showDraft(w *tabwriter.Writer, one client.PlanDraft) {
	row(w, one.Id, one.Plan, fmt.Sprintf("version %d", one.Version), one.SavedBy, one.SavedAt.Format(time.RFC3339))
}

type draftList struct{}

func (draftList) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	all, err := client.Read[client.PlanDrafts](c.ListPlanDrafts(ctx))
	if err != nil {
		return err
	}
	return d.show(all, func(w *tabwriter.Writer) {
		for _, one := range all.Drafts {
			showDraft(w, one)
		}
	})
}

type draftShow struct {
	Draft uuid.UUID `arg:""`
}

func (s draftShow) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	one, err := client.Read[client.PlanDraft](c.GetPlanDraft(ctx, s.Draft))
	if err != nil {
		return err
	}
	return d.show(one, func(w *tabwriter.Writer) { fmt.Fprint(w, one.Document) })
}

type draftBegin struct {
	File string `arg:"" type:"existingfile"`
}

func (s draftBegin) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	text, err := os.ReadFile(s.File)
	if err != nil {
		return err
	}
	one, err := client.Read[client.PlanDraft](c.BeginPlanDraft(ctx, &client.BeginPlanDraftParams{IdempotencyKey: client.NewKey()}, client.PlanCheckRequest{Document: string(text)}))
	if err != nil {
		return err
	}
	return d.show(one, func(w *tabwriter.Writer) { showDraft(w, one) })
}

type draftPut struct {
	Draft   uuid.UUID `arg:""`
	File    string    `arg:"" type:"existingfile"`
	Version int       `required:"" help:"The version that you have read: what somebody else kept since is not lost."`
}

func (s draftPut) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	text, err := os.ReadFile(s.File)
	if err != nil {
		return err
	}
	one, err := client.Read[client.PlanDraft](c.PutPlanDraft(ctx, s.Draft, &client.PutPlanDraftParams{IdempotencyKey: client.NewKey()}, client.PlanDraftRequest{Version: s.Version, Document: string(text)}))
	if err != nil {
		return err
	}
	return d.show(one, func(w *tabwriter.Writer) { showDraft(w, one) })
}

type draftDiscard struct {
	Draft uuid.UUID `arg:""`
}

func (s draftDiscard) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	_, err = client.Read[client.PlanDraft](c.DiscardPlanDraft(ctx, s.Draft, &client.DiscardPlanDraftParams{IdempotencyKey: client.NewKey()}))
	return err
}
