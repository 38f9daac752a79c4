package temporal

import (
	"context"
	"errors"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/guerdon/guerdon/incentive"
)

// Namespace holds all our workflows.
const Namespace = "guerdon"

// retention is how long Temporal keeps a closed workflow. An archive of ours has its
// history by then.
const retention = 30 * 24 * time.Hour

// searchAttributes let operators find workflows in Temporal's own tools.
var searchAttributes = map[string]enums.IndexedValueType{
	"GuerdonPeriod":   enums.INDEXED_VALUE_TYPE_KEYWORD,
	"GuerdonStage":    enums.INDEXED_VALUE_TYPE_KEYWORD,
	"GuerdonRail":     enums.INDEXED_VALUE_TYPE_KEYWORD,
	"GuerdonDeadline": enums.INDEXED_VALUE_TYPE_DATETIME,
}

// ensureNamespace registers what is missing, and returns when it can be used.
func ensureNamespace(ctx context.Context, address string) error {
	connection, err := client.NewLazyClient(client.Options{HostPort: address, Namespace: Namespace, Logger: silence{}})
	if err != nil {
		return err
	}
	defer connection.Close()

	tick := time.NewTicker(every)
	defer tick.Stop()
	for _, step := range []func(context.Context, client.Client) error{register, addSearchAttributes, find} {
		for {
			err := step(ctx, connection)
			if err == nil {
				break
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return incentive.Errorf(CodeNotStarted, "The Temporal server does not answer: %v", err)
			}
		}
	}
	return nil
}

func register(ctx context.Context, connection client.Client) error {
	_, err := connection.WorkflowService().RegisterNamespace(ctx, &workflowservice.RegisterNamespaceRequest{
		Namespace:                        Namespace,
		Description:                      "Sales incentives, from the data lock of a pay period to money in the account",
		WorkflowExecutionRetentionPeriod: durationpb.New(retention),
	})
	var exists *serviceerror.NamespaceAlreadyExists
	if errors.As(err, &exists) {
		return nil
	}
	return err
}

func addSearchAttributes(ctx context.Context, connection client.Client) error {
	operator := connection.OperatorService()
	present, err := operator.ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: Namespace})
	if err != nil {
		return err
	}
	missing := map[string]enums.IndexedValueType{}
	for name, kind := range searchAttributes {
		if _, ok := present.GetCustomAttributes()[name]; !ok {
			missing[name] = kind
		}
	}
	if len(missing) == 0 {
		return nil
	}
	_, err = operator.AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{Namespace: Namespace, SearchAttributes: missing})
	return err
}

// find proves that namespace and search attributes have reached every cache.
func find(ctx context.Context, connection client.Client) error {
	_, err := connection.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{
		Namespace: Namespace,
		Query:     "GuerdonPeriod = '' AND GuerdonStage = '' AND GuerdonRail = '' AND GuerdonDeadline IS NULL",
	})
	return err
}

// silence is a logger for a client whose errors are all returned.
type silence struct{}

func (silence) Debug(string, ...any) {}
func (silence) Info(string, ...any)  {}
func (silence) Warn(string, ...any)  {}
func (silence) Error(string, ...any) {}
