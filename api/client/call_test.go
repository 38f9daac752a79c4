package client

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
)

// TestCommandsThatTakeLong asks what became of a command until there is an answer.
func TestCommandsThatTakeLong(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		body   string
		code   incentive.Code
	}{
		"done":              {http.StatusOK, `{"applied": 1}`, ""},
		"refused":           {http.StatusConflict, `{"code": "conflict", "detail": "it is another one now"}`, incentive.CodeConflict},
		"not to its end":    {http.StatusNotFound, `{"code": "not-found", "detail": "you gave no command with the key"}`, CodeTryAgain},
		"by something else": {http.StatusBadGateway, `<html>`, CodeUnreachable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked := 0
			api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if asked++; asked < 3 {
					w.Header().Set("Location", "/commands/key")
					w.WriteHeader(http.StatusAccepted)
					return
				}
				w.WriteHeader(c.status)
				fmt.Fprint(w, c.body)
			}))
			t.Cleanup(api.Close)
			answer, err := Read[DecisionAnswer](http.Post(api.URL, "", nil))
			require.Equal(t, c.code, incentive.ErrorCode(err))
			if c.code == "" {
				require.Equal(t, DecisionAnswer{Applied: 1}, answer)
			}
		})
	}
	_, err := Read[DecisionAnswer](http.Get("http://127.0.0.1:1"))
	require.Equal(t, CodeUnreachable, incentive.ErrorCode(err))
}
