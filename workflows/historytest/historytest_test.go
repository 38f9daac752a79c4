package historytest_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	common "go.temporal.io/api/common/v1"
	failure "go.temporal.io/api/failure/v1"
	history "go.temporal.io/api/history/v1"
	update "go.temporal.io/api/update/v1"
	"go.temporal.io/sdk/converter"

	"github.com/guerdon/guerdon/workflows/historytest"
)

const secret = "Ann \"the\" Example, DE89370400440532013000"

func payload(t *testing.T, value any) *common.Payload {
	t.Helper()
	p, err := converter.GetDefaultDataConverter().ToPayload(value)
	require.NoError(t, err)
	return p
}

func payloads(t *testing.T, value any) *common.Payloads {
	t.Helper()
	return &common.Payloads{Payloads: []*common.Payload{payload(t, value)}}
}

// TestTold plants a secret in every place in which a history has room for one.
func TestTold(t *testing.T) {
	t.Parallel()
	started := func(a *history.WorkflowExecutionStartedEventAttributes) *history.HistoryEvent {
		return &history.HistoryEvent{EventId: 1, Attributes: &history.HistoryEvent_WorkflowExecutionStartedEventAttributes{WorkflowExecutionStartedEventAttributes: a}}
	}
	failed := func(f *failure.Failure) *history.HistoryEvent {
		return &history.HistoryEvent{EventId: 1, Attributes: &history.HistoryEvent_ActivityTaskFailedEventAttributes{ActivityTaskFailedEventAttributes: &history.ActivityTaskFailedEventAttributes{Failure: f}}}
	}
	fields := func(value any) map[string]*common.Payload {
		return map[string]*common.Payload{"Field": payload(t, value)}
	}
	for name, event := range map[string]*history.HistoryEvent{
		"an input":                   started(&history.WorkflowExecutionStartedEventAttributes{Input: payloads(t, secret)}),
		"a field of an input":        started(&history.WorkflowExecutionStartedEventAttributes{Input: payloads(t, map[string]any{"list": []any{1, map[string]any{"reason": secret}}})}),
		"a key":                      started(&history.WorkflowExecutionStartedEventAttributes{Input: payloads(t, map[string]int{secret: 1})}),
		"bytes":                      started(&history.WorkflowExecutionStartedEventAttributes{Input: payloads(t, []byte(secret))}),
		"bytes in a field":           started(&history.WorkflowExecutionStartedEventAttributes{Input: payloads(t, struct{ Digest []byte }{[]byte(secret)})}),
		"JSON in a text":             started(&history.WorkflowExecutionStartedEventAttributes{Input: payloads(t, `{"reason":"Ann \"the\" Example, DE89370400440532013000"}`)}),
		"a memo":                     started(&history.WorkflowExecutionStartedEventAttributes{Memo: &common.Memo{Fields: fields(secret)}}),
		"a search attribute":         started(&history.WorkflowExecutionStartedEventAttributes{SearchAttributes: &common.SearchAttributes{IndexedFields: fields([]string{secret})}}),
		"a header":                   started(&history.WorkflowExecutionStartedEventAttributes{Header: &common.Header{Fields: fields(secret)}}),
		"a failure":                  failed(&failure.Failure{Message: "no: " + secret}),
		"the cause of a failure":     failed(&failure.Failure{Cause: &failure.Failure{Message: secret}}),
		"a stack":                    failed(&failure.Failure{StackTrace: secret}),
		"the encoded parts of one":   failed(&failure.Failure{EncodedAttributes: payload(t, map[string]string{"message": secret})}),
		"the details of a failure":   failed(&failure.Failure{FailureInfo: &failure.Failure_ApplicationFailureInfo{ApplicationFailureInfo: &failure.ApplicationFailureInfo{Details: payloads(t, secret)}}}),
		"the input of an Update":     {EventId: 1, Attributes: &history.HistoryEvent_WorkflowExecutionUpdateAcceptedEventAttributes{WorkflowExecutionUpdateAcceptedEventAttributes: &history.WorkflowExecutionUpdateAcceptedEventAttributes{AcceptedRequest: &update.Request{Input: &update.Input{Args: payloads(t, secret)}}}}},
		"the answer of an Update":    {EventId: 1, Attributes: &history.HistoryEvent_WorkflowExecutionUpdateCompletedEventAttributes{WorkflowExecutionUpdateCompletedEventAttributes: &history.WorkflowExecutionUpdateCompletedEventAttributes{Outcome: &update.Outcome{Value: &update.Outcome_Success{Success: payloads(t, struct{ Message string }{secret})}}}}},
		"what a local activity kept": {EventId: 1, Attributes: &history.HistoryEvent_MarkerRecordedEventAttributes{MarkerRecordedEventAttributes: &history.MarkerRecordedEventAttributes{Details: map[string]*common.Payloads{"data": payloads(t, secret)}}}},
	} {
		texts, err := historytest.Texts(&history.History{Events: []*history.HistoryEvent{event}})
		require.NoError(t, err)
		require.Equal(t, []string{secret}, historytest.Told(texts, []string{"Bob", secret}), "%s tells it", name)
	}
	texts, err := historytest.Texts(&history.History{Events: []*history.HistoryEvent{started(&history.WorkflowExecutionStartedEventAttributes{Input: payloads(t, "pay-period/m/1")})}})
	require.NoError(t, err)
	require.Empty(t, historytest.Told(texts, []string{secret}))
}
