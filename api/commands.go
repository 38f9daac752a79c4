package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/workflows"
)

// claim is an idempotency key that a request holds.
type claim struct {
	actor, key string
	letGo      context.CancelFunc // of the key, once the answer is stored
	mutex      sync.Mutex
	left       bool // the request was answered 202; whoever finishes the command stores its answer
}

// once does a command once for a key: the first answer is kept and given again.
func (s *server) once(c *gin.Context, hash []byte, secret bool) {
	ctx := c.Request.Context()
	held := &claim{actor: personOf(ctx).ID, key: c.GetHeader("Idempotency-Key")}
	answer, fresh, err := s.Store.BeginCommand(ctx, held.actor, held.key, hash)
	if err != nil {
		s.problem(c, err)
		return
	}
	if !fresh {
		c.Abort()
		c.Data(answer.Status, answer.ContentType, answer.Body)
		return
	}
	s.hold(ctx, held)
	with(c, claimKey, held)
	writer := &capture{ResponseWriter: c.Writer}
	c.Writer = writer
	finished := false
	defer func() {
		held.mutex.Lock()
		defer held.mutex.Unlock()
		if held.left {
			return
		}
		if !finished { // a panic
			s.finish(ctx, held, http.StatusInternalServerError, "", nil)
			return
		}
		status, contentType, body := writer.Status(), writer.Header().Get("Content-Type"), writer.body.Bytes()
		if secret && status < http.StatusBadRequest {
			contentType = problemType
			status, body = s.problemOf(ctx, incentive.Errorf(codeShownOnce, "this was done, and its secret shown once: make another"))
		}
		s.finish(ctx, held, status, contentType, body)
	}()
	c.Next()
	finished = true
}

// hold keeps a claim from being taken for a dead process's until it is let go.
func (s *server) hold(ctx context.Context, held *claim) {
	ctx, held.letGo = context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		ticker := time.NewTicker(store.ClaimLasts / 5)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			if err := s.Store.HoldCommand(ctx, held.actor, held.key); err != nil && ctx.Err() == nil {
				s.Log.WarnContext(ctx, "a key was not held on to", "error", err)
			}
		}
	}()
}

// finish stores a command's answer. After a failure of ours the key is given back, as
// the same command may be tried again.
func (s *server) finish(ctx context.Context, held *claim, status int, contentType string, body []byte) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	defer held.letGo()
	var err error
	if status >= http.StatusInternalServerError {
		err = s.Store.DropCommand(ctx, held.actor, held.key)
	} else {
		err = s.Store.FinishCommand(ctx, held.actor, held.key, store.Answer{Status: status, ContentType: contentType, Body: body})
	}
	if err != nil {
		s.Log.ErrorContext(ctx, "an answer was not kept", "error", err)
	}
}

// capture keeps what is written.
type capture struct {
	gin.ResponseWriter
	body bytes.Buffer
}

// Write passes on and keeps.
func (w *capture) Write(data []byte) (int, error) {
	w.body.Write(data)
	return w.ResponseWriter.Write(data)
}

// WriteString passes on and keeps.
func (w *capture) WriteString(text string) (int, error) { return w.Write([]byte(text)) }

// longestCommand is how long a command may take after it was answered 202.
const longestCommand = 10 * time.Minute

// wait does work that may take long. Where it takes longer than CommandWait, done is
// false, the work goes on, and its answer is kept for whoever asks.
func wait[T any](ctx context.Context, s *server, work func(context.Context) (T, error)) (answer T, done bool, err error) {
	if c, isGin := ctx.(*gin.Context); isGin {
		ctx = c.Request.Context() // gin uses its own again for another request
	}
	held := ctx.Value(claimKey).(*claim)
	going, cancel := context.WithTimeout(context.WithoutCancel(ctx), longestCommand)
	ended := make(chan struct{})
	s.commands.Go(func() {
		defer cancel()
		answer, err = work(going)
		held.mutex.Lock()
		defer held.mutex.Unlock()
		close(ended)
		if !held.left {
			return
		}
		status, contentType, body := http.StatusOK, "application/json", []byte(nil)
		if err == nil {
			body, err = json.Marshal(answer)
		}
		if err != nil {
			contentType = problemType
			status, body = s.problemOf(going, err)
		}
		s.finish(going, held, status, contentType, body)
	})
	timer := time.NewTimer(s.CommandWait)
	defer timer.Stop()
	select {
	case <-ended:
		return answer, true, err
	case <-timer.C:
	case <-ctx.Done():
	}
	held.mutex.Lock()
	defer held.mutex.Unlock()
	select {
	case <-ended:
		return answer, true, err
	default:
		held.left = true
		var none T
		return none, false, nil
	}
}

// location is where the answer of the context's command is to be had.
func location(ctx context.Context) string {
	return Prefix + "/commands/" + ctx.Value(claimKey).(*claim).key
}

// update sends an Update to a workflow, once for the context's idempotency key. What the
// workflow's validator refuses comes back as an *incentive.Error; ended is asked what to
// say where the workflow is not running.
func update(ctx context.Context, s *server, workflowID, name string, input, answer any, ended func() error) error {
	handle, err := s.Client.UpdateWorkflow(ctx, updateOptions(ctx, workflowID, name, input))
	return answered(ctx, handle, err, workflowID, name, answer, ended)
}

// updateQueue sends an Update to the workflow of an approval queue, which it starts where
// nothing waited there until now.
func updateQueue(ctx context.Context, s *server, queue activities.ApprovalQueue, name string, input any) (workflows.DecideAnswer, error) {
	options := activities.ApprovalOptions(queue)
	handle, err := s.Client.UpdateWithStartWorkflow(ctx, client.UpdateWithStartWorkflowOptions{
		StartWorkflowOperation: s.Client.NewWithStartWorkflowOperation(options, activities.ApprovalWorkflow, queue),
		UpdateOptions:          updateOptions(ctx, options.ID, name, input),
	})
	var answer workflows.DecideAnswer
	err = answered(ctx, handle, err, options.ID, name, &answer, func() error { return nil })
	if err == nil && answer.Code != "" {
		err = incentive.Errorf(answer.Code, "%s", answer.Message)
	}
	return answer, err
}

// updateID names the Update of the context's command: the same for the same key.
func updateID(ctx context.Context) string {
	held := ctx.Value(claimKey).(*claim)
	id := sha256.Sum256([]byte(held.actor + "\x00" + held.key))
	return fmt.Sprintf("%x", id[:16])
}

// commandID names what the context's command makes: the same for the same key, so that a command of which a
// process died makes nothing twice.
func commandID(ctx context.Context) string { return uuid.MustParse(updateID(ctx)).String() }

func updateOptions(ctx context.Context, workflowID, name string, input any) client.UpdateWorkflowOptions {
	return client.UpdateWorkflowOptions{
		UpdateID:     updateID(ctx),
		WorkflowID:   workflowID,
		UpdateName:   name,
		Args:         []any{input},
		WaitForStage: client.WorkflowUpdateStageCompleted,
	}
}

// answered waits for the answer to an Update.
func answered(ctx context.Context, handle client.WorkflowUpdateHandle, err error, workflowID, name string, answer any, ended func() error) error {
	if err == nil {
		err = handle.Get(ctx, answer)
	}
	var refused *temporal.ApplicationError
	var gone *serviceerror.NotFound
	switch {
	case errors.As(err, &refused) && refused.NonRetryable():
		return incentive.Errorf(incentive.Code(refused.Type()), "%s", refused.Message())
	case errors.As(err, &gone):
		if err := ended(); err != nil {
			return err
		}
		return incentive.Errorf(codeBusy, "the workflow that does this is not running yet: ask again shortly")
	case err != nil:
		return fmt.Errorf("send %s to %s: %w", name, workflowID, err)
	}
	return nil
}
