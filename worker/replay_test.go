package worker_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/store/storetest"
	"github.com/guerdon/guerdon/worker"
)

const period = "monthly-2026-10"

// events are a recorded history that a test may change.
type events []map[string]any

func recorded(t *testing.T, name string) (all events) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "workflows", "testdata", "histories", name))
	require.NoError(t, err)
	var history struct{ Events events }
	require.NoError(t, json.Unmarshal(content, &history))
	return history.Events
}

// ends is a history whose last event is another one.
func (e events) ends(kind, attributes string, with map[string]any) events {
	last := e[len(e)-1]
	return append(e[:len(e)-1:len(e)-1], map[string]any{"eventId": last["eventId"], "eventTime": last["eventTime"], "eventType": kind, attributes: with})
}

// TestReplay proves an archive, and names what a broken one lacks.
func TestReplay(t *testing.T) {
	t.Parallel()
	disburse, approval := activities.DisburseID(period, 1, "payment-file"), activities.ApprovalID(period, 1, "boss")
	const disbursed = "01a20883-6ff3-7f16-9a7f-a54e79512451" // the run that the period's history names
	for name, c := range map[string]struct {
		change   func(periods, approvals, disbursed events) (events, events, events)
		cutShort []string
		says     string
	}{
		"whole": {change: func(p, a, d events) (events, events, events) { return p, a, d }},
		"a queue that was told to stop": {change: func(p, a, d events) (events, events, events) {
			return p, a.ends("EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED", "workflowExecutionCanceledEventAttributes", map[string]any{}), d
		}},
		"a queue that somebody terminated": {change: func(p, a, d events) (events, events, events) {
			return p, a[:8].ends("EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED", "workflowExecutionTerminatedEventAttributes", map[string]any{"reason": "x"}), d
		}, cutShort: []string{approval}},
		"a queue whose other run is missing": {change: func(p, a, d events) (events, events, events) {
			a[3]["workflowTaskStartedEventAttributes"].(map[string]any)["suggestContinueAsNew"] = true
			return p, a[:7].ends("EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW", "workflowExecutionContinuedAsNewEventAttributes", map[string]any{"newExecutionRunId": "next", "workflowType": map[string]any{"name": "Approval"}}), d
		}, says: "does not hold the history of " + approval + " (run next)"},
		"a queue without its end": {change: func(p, a, d events) (events, events, events) { return p, a[:len(a)-1], d },
			says: "the archived history of " + approval + " has no closing event: it ends with event 34, WorkflowTaskCompleted"},
		"a queue without anything": {change: func(p, a, d events) (events, events, events) { return p, events{}, d }, says: "the archived history of " + approval + " has no closing event"},
		"a queue without its middle": {change: func(p, a, d events) (events, events, events) { return p, append(a[:5:5], a[6:]...), d },
			says: "the archived history of " + approval + " lacks event 6"},
		"the period without its end": {change: func(p, a, d events) (events, events, events) { return p[:len(p)-1], a, d },
			says: "the archived history of pay-period/monthly-2026-10/1 has no closing event"},
		"a queue that took another way": {change: func(p, a, d events) (events, events, events) {
			a[5]["eventType"], a[5]["timerStartedEventAttributes"] = "EVENT_TYPE_TIMER_STARTED", map[string]any{"timerId": "6"}
			delete(a[5], "upsertWorkflowSearchAttributesEventAttributes")
			return p, a, d
		}, says: "the recorded history of " + approval + " does not replay"},
		"no period":       {change: func(_, a, d events) (events, events, events) { return nil, a, d }, says: "the archive of monthly-2026-10 does not hold the end of pay-period/monthly-2026-10/1"},
		"no disbursement": {change: func(p, a, _ events) (events, events, events) { return p, a, nil }, says: "does not hold the history of " + disburse + " (run " + disbursed + ")"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, url := storetest.NewWithURL(t)
			storetest.Exec(t, url, `SET search_path TO guerdon; INSERT INTO calendar (id) VALUES ('monthly'); INSERT INTO pay_period (id, calendar_id, code, starts_on, ends_on) VALUES ('monthly-2026-10', 'monthly', '2026-10', '2026-10-01', '2026-10-31')`)
			periods, approvals, disbursements := c.change(recorded(t, "payment-file-pay-period.json"), recorded(t, "payment-file-approval.json"), recorded(t, "payment-file-disburse.json"))
			kept := 0
			for id, of := range map[string]struct {
				run string
				events
			}{activities.PayPeriodID(period, 1): {"p", periods}, approval: {"a", approvals}, disburse: {disbursed, disbursements}} {
				if of.events == nil {
					continue
				}
				kept++
				content, err := json.Marshal(map[string]any{"events": of.events})
				require.NoError(t, err)
				require.NoError(t, s.KeepHistory(t.Context(), store.Archived{PeriodID: period, Revision: 1}, store.History{WorkflowID: id, RunID: of.run, JSON: content}))
			}
			none, err := worker.Replay(t.Context(), s, period, 1)
			require.NoError(t, err)
			require.Zero(t, none.Histories, "the archive is not complete yet")
			require.NoError(t, s.FinishArchive(t.Context(), store.System, store.Archived{PeriodID: period, Revision: 1}))
			found, err := worker.Replay(t.Context(), s, period, 1)
			if c.says != "" {
				require.Equal(t, activities.CodeNotProved, incentive.ErrorCode(err))
				require.ErrorContains(t, err, c.says)
				return
			}
			require.NoError(t, err)
			require.Equal(t, kept, found.Histories)
			require.ElementsMatch(t, c.cutShort, found.CutShort)
		})
	}
}

// TestReplayDisputes proves the archive of a dispute, and says which are not archived yet.
func TestReplayDisputes(t *testing.T) {
	t.Parallel()
	const dispute = "8642b03a-c941-56c4-8311-07c144c532a3"
	for name, c := range map[string]struct {
		state  incentive.DisputeState
		events func(events) events // nil where nothing is archived
		want   activities.Replayed
		says   string
	}{
		"whole":            {state: incentive.DisputeAccepted, events: func(all events) events { return all }, want: activities.Replayed{Disputes: 1, Unarchived: []string{}, CutShort: []string{}}},
		"open":             {state: incentive.DisputeOpen, want: activities.Replayed{OpenDisputes: 1, Unarchived: []string{}, CutShort: []string{}}},
		"not archived yet": {state: incentive.DisputeRejected, want: activities.Replayed{Unarchived: []string{dispute}, CutShort: []string{}}},
		"without its end":  {state: incentive.DisputeAccepted, events: func(all events) events { return all[:len(all)-1] }, says: "the archived history of dispute/" + dispute + " has no closing event"},
		"terminated": {state: incentive.DisputeAccepted, events: func(all events) events {
			return all.ends("EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED", "workflowExecutionTerminatedEventAttributes", map[string]any{"reason": "x"})
		}, says: "does not hold the end of dispute/" + dispute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, url := storetest.NewWithURL(t)
			storetest.Exec(t, url, `SET search_path TO guerdon; INSERT INTO participant (id) VALUES ('ann'); INSERT INTO calendar (id) VALUES ('monthly');
				INSERT INTO pay_period (id, calendar_id, code, starts_on, ends_on) VALUES ('monthly-2026-10', 'monthly', '2026-10', '2026-10-01', '2026-10-31');
				INSERT INTO period_revision (period_id, revision, state, opened_by) VALUES ('monthly-2026-10', 1, 'open', 'ann');
				INSERT INTO free_text (body, digest, written_by) VALUES ('', '', 'ann');
				INSERT INTO dispute (id, period_id, revision, participant_id, type, plan_id, component, source, transaction_id, expected_minor, currency, comment_id, late, state)
				SELECT '`+dispute+`', 'monthly-2026-10', 1, 'ann', 'missing', '', '', '', '', 1, 'USD', id, false, '`+string(c.state)+`' FROM free_text`)
			if c.events != nil {
				of := store.Archived{PeriodID: period, Revision: 1, DisputeID: dispute}
				content, err := json.Marshal(map[string]any{"events": c.events(recorded(t, "granted-dispute.json"))})
				require.NoError(t, err)
				require.NoError(t, s.KeepHistory(t.Context(), of, store.History{WorkflowID: activities.DisputeID(dispute), RunID: "d", JSON: content}))
				require.NoError(t, s.FinishArchive(t.Context(), store.System, of))
			}
			found, err := worker.Replay(t.Context(), s, period, 1)
			if c.says != "" {
				require.Equal(t, activities.CodeNotProved, incentive.ErrorCode(err))
				require.ErrorContains(t, err, c.says)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.want, found)
		})
	}
}
