package temporal

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"time"

	uiserver "github.com/temporalio/ui-server/v2/server"
	"github.com/temporalio/ui-server/v2/server/config"
	"github.com/temporalio/ui-server/v2/server/server_options"

	"github.com/guerdon/guerdon/incentive"
)

// ui is Temporal's Web UI. It only shows: whoever ends or resets a workflow there would
// act past the audit chain.
type ui struct {
	address string
	server  *uiserver.Server
	done    chan struct{}
}

func startUI(ctx context.Context, frontend string, port int) (*ui, error) {
	u := &ui{address: net.JoinHostPort(loopback, strconv.Itoa(port)), done: make(chan struct{})}
	u.server = uiserver.NewServer(server_options.WithConfigProvider(&config.Config{
		TemporalGRPCAddress:       frontend,
		Host:                      loopback,
		Port:                      port,
		EnableUI:                  true,
		DefaultNamespace:          Namespace,
		DisableNewsFetch:          true,
		HideLogs:                  true,
		CORS:                      config.CORS{CookieInsecure: true}, // plain HTTP on the loopback address
		DisableWriteActions:       true,
		WorkflowTerminateDisabled: true,
		WorkflowCancelDisabled:    true,
		WorkflowSignalDisabled:    true,
		WorkflowUpdateDisabled:    true,
		WorkflowResetDisabled:     true,
		WorkflowPauseDisabled:     true,
		BatchActionsDisabled:      true,
		StartWorkflowDisabled:     true,
		ActivityCommandsDisabled:  true,
	}))
	go func() {
		defer close(u.done)
		_ = u.server.Start()
	}()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+u.address+"/healthz", nil)
		if err != nil {
			return u, err
		}
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return u, nil
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return u, incentive.Errorf(CodeNotStarted, "Temporal's Web UI does not answer: %v", ctx.Err())
		}
	}
}

func (u *ui) stop() {
	u.server.Stop()
	<-u.done
}
