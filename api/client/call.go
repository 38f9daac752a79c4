package client

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/guerdon/guerdon/incentive"
)

// CodeUnreachable says that no API answers.
const CodeUnreachable incentive.Code = "api-unreachable"

// CodeTryAgain says that a command was not done, or not to its end, and can be given again
// with the same key.
const CodeTryAgain incentive.Code = "try-again"

// New returns a client of the API at url, such as http://localhost:8080, for the bearer
// of a token.
func New(url, token string) (*Client, error) {
	return NewClient(url+"/api/v1", WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		return nil
	}))
}

// NewKey returns a fresh idempotency key.
func NewKey() string { return rand.Text() }

// pollEvery is the wait between questions about a command that takes long.
const pollEvery = 500 * time.Millisecond

// Read reads the answer of a call, as in Read[Period](c.GetPeriod(…)). It asks again
// while a command is under way. What the API refuses is an *incentive.Error of its code.
func Read[T any](response *http.Response, err error) (T, error) {
	var answer T
	body, err := Bytes(response, err)
	if err != nil {
		return answer, err
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return answer, fmt.Errorf("read the API's answer: %w", err)
	}
	return answer, nil
}

// Bytes is Read for an answer that is not JSON.
func Bytes(response *http.Response, err error) ([]byte, error) {
	for asked := false; ; asked = true {
		if err != nil {
			return nil, incentive.Errorf(CodeUnreachable, "the API does not answer: %v", err)
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close() // read to its end
		if err != nil {
			return nil, incentive.Errorf(CodeUnreachable, "the API's answer was cut short: %v", err)
		}
		switch {
		case response.StatusCode == http.StatusAccepted:
			if response, err = again(response); err != nil {
				return nil, incentive.Errorf(CodeUnreachable, "the API does not say what became of the command: %v", err)
			}
			continue
		case asked && response.StatusCode == http.StatusNotFound: // its key was given back
			return nil, incentive.Errorf(CodeTryAgain, "the command did not come to its end: give it again")
		case response.StatusCode >= http.StatusBadRequest:
			var p Problem
			if json.Unmarshal(body, &p) != nil || p.Code == "" {
				return nil, incentive.Errorf(CodeUnreachable, "%s answers %s, which the API does not: check the address", response.Request.URL.Host, response.Status)
			}
			return nil, incentive.Errorf(incentive.Code(p.Code), "%s", p.Detail)
		}
		return body, nil
	}
}

// Save is Bytes for an answer that is too large to hold: it goes to w.
func Save(w io.Writer, response *http.Response, err error) error {
	if err != nil || response.StatusCode != http.StatusOK {
		_, err = Bytes(response, err)
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(w, response.Body); err != nil {
		return incentive.Errorf(CodeUnreachable, "the API's answer was cut short: %v", err)
	}
	return nil
}

// again asks what became of a command.
func again(response *http.Response) (*http.Response, error) {
	ctx := response.Request.Context()
	timer := time.NewTimer(pollEvery)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-timer.C:
	}
	at, err := response.Location()
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", response.Request.Header.Get("Authorization"))
	return http.DefaultClient.Do(request)
}
