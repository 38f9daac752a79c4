package endtoend

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	enums "go.temporal.io/api/enums/v1"
	history "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/guerdon/guerdon/workflows/historytest"
)

// tellsNothing looks through the histories of all workflows for what the database holds
// and Temporal must not know. Each test does so at its end, whatever it was about.
func (h *house) tellsNothing() {
	h.t.Helper()
	if h.t.Failed() {
		return
	}
	ctx := context.Background()
	secrets := append(h.secrets(ctx), `mount":`, `inor":`, `"email"`, `"details"`)
	var texts []string
	var page []byte
	for {
		answer, err := h.client.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{PageSize: 200, NextPageToken: page})
		require.NoError(h.t, err)
		for _, run := range answer.Executions {
			whole := &history.History{}
			for events := h.client.GetWorkflowHistory(ctx, run.Execution.WorkflowId, run.Execution.RunId, false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); events.HasNext(); {
				event, err := events.Next()
				require.NoError(h.t, err)
				whole.Events = append(whole.Events, event)
			}
			found, err := historytest.Texts(whole)
			require.NoError(h.t, err)
			texts = append(texts, found...)
		}
		if page = answer.NextPageToken; len(page) == 0 {
			break
		}
	}
	require.NotEmpty(h.t, texts)
	require.Empty(h.t, historytest.Told(texts, secrets), "the histories tell it")
}

// secrets are people's names and addresses, texts and files that they wrote, amounts, and
// where people are paid: of each kind so many that the search is quick.
func (h *house) secrets(ctx context.Context) []string {
	h.t.Helper()
	connection, err := pgx.Connect(ctx, h.databaseURL)
	require.NoError(h.t, err)
	defer connection.Close(ctx)
	// A name that is the person's id, and an amount of few digits, stand anywhere.
	_, err = connection.Exec(ctx, `SET search_path TO guerdon`)
	require.NoError(h.t, err)
	rows, err := connection.Query(ctx, `
		(SELECT DISTINCT name FROM participant_fact WHERE name <> participant_id AND length(name) > 4 LIMIT 100)
		UNION (SELECT DISTINCT email FROM participant_fact WHERE email <> '' LIMIT 100)
		UNION (SELECT body FROM free_text LIMIT 100)
		UNION (SELECT name FROM evidence) UNION (SELECT convert_from(content, 'UTF8') FROM evidence)
		UNION (SELECT text FROM (
			SELECT (total_minor / 100.0)::numeric(20, 2)::text FROM statement UNION SELECT (amount_minor / 100.0)::numeric(20, 2)::text FROM payout
			UNION SELECT (amount_minor / 100.0)::numeric(20, 2)::text FROM adjustment UNION SELECT amount::text FROM transaction) AS amounts (text)
			WHERE length(text) > 5 LIMIT 100)`)
	require.NoError(h.t, err)
	secrets, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(h.t, err)
	rows, err = connection.Query(ctx, `SELECT id FROM guerdon.destination ORDER BY id LIMIT 100`)
	require.NoError(h.t, err)
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	require.NoError(h.t, err)
	destinations, err := h.store.Destinations(ctx, ids)
	require.NoError(h.t, err)
	for _, d := range destinations {
		for _, value := range d.Details {
			if len(value) > 4 {
				secrets = append(secrets, value)
			}
		}
	}
	require.NotEmpty(h.t, secrets, fmt.Sprintf("the company of %s has secrets", h.t.Name()))
	return secrets
}
