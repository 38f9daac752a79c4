package standin

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"time"

	sdk "github.com/stripe/stripe-go/v76"
)

// keyLife is how long an idempotency key is kept.
const keyLife = 24 * time.Hour

// keptAnswer is the answer that stands under an idempotency key.
type keptAnswer struct {
	Key    string    `json:"key"`
	Hash   string    `json:"hash"` // of method, path and parameters
	At     time.Time `json:"at"`
	Answer answer    `json:"answer"`
}

// outcome is what a request that may change something comes to. Parameters that are
// refused leave no trace; what was executed, well or badly, is kept under the key.
type outcome struct {
	answer   answer
	executed bool
	entry    entry // what it changes
}

// post wraps a request that changes something in the rules of idempotency keys.
func (s *Server) post(execute func(*http.Request, url.Values) outcome) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if a, open := s.gate(r); !open {
			a.write(w)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			refuse(http.StatusBadRequest, "", "", "The request body could not be read.").write(w)
			return
		}
		form, err := url.ParseQuery(string(body))
		if err != nil {
			refuse(http.StatusBadRequest, "", "", "The request body is not form-encoded.").write(w)
			return
		}
		key := r.Header.Get("Idempotency-Key")
		if len(key) > 255 {
			refuse(http.StatusBadRequest, "", "", "Idempotency keys are at most 255 characters long.").write(w)
			return
		}
		f := s.fault(r.Method, r.URL.Path, form.Get("transfer_group"))
		if f.unexecuted(s, w) {
			return
		}
		sum := sha256.Sum256([]byte(r.Method + " " + r.URL.Path + "\n" + form.Encode()))
		hash := hex.EncodeToString(sum[:])
		if kept, found := s.claim(key, hash); found {
			if kept.Status == http.StatusOK || kept.Status >= 500 {
				w.Header().Set("Idempotent-Replayed", "true")
			}
			kept.write(w)
			return
		}
		f.hold(s)
		a, err := s.execute(f, key, hash, func() outcome { return execute(r, form) })
		if err != nil {
			refuseAs(http.StatusInternalServerError, sdk.ErrorTypeAPI, "", "", "The stand-in cannot write its journal: %v", err).write(w)
			return
		}
		f.after(s, w, a)
	}
}

// claim takes a key for a request, or says what the request gets instead.
func (s *Server) claim(key, hash string) (answer, bool) {
	if key == "" {
		return answer{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inFlight[key] {
		return refuseAs(http.StatusConflict, sdk.ErrorTypeIdempotency, sdk.ErrorCodeIdempotencyKeyInUse, "", "There is currently another in-progress request using this Idempotent Key."), true
	}
	kept := s.keys[key]
	if kept != nil && s.options.Now().Sub(kept.At) >= keyLife {
		delete(s.keys, key)
		kept = nil
	}
	if kept == nil {
		s.inFlight[key] = true
		return answer{}, false
	}
	if kept.Hash != hash {
		return refuseAs(http.StatusBadRequest, sdk.ErrorTypeIdempotency, "", "", "Keys for idempotent requests can only be used with the same parameters they were first used with."), true
	}
	return kept.Answer, true
}

// execute runs a request once and keeps its answer with what it changed, in one entry of
// the journal: a death in between leaves both or neither.
func (s *Server) execute(f *Fault, key, hash string, run func() outcome) (answer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.inFlight, key)
	o := run()
	if !o.executed {
		return o.answer, nil
	}
	if f.is(FailBeforeCommit) {
		o = outcome{answer: broken(), executed: true}
	}
	if f.is(CommitThen500) {
		o.answer = broken()
	}
	if key != "" {
		o.entry.Key = &keptAnswer{Key: key, Hash: hash, At: s.options.Now().UTC(), Answer: o.answer}
	}
	if err := s.commit(o.entry); err != nil {
		return answer{}, err
	}
	return o.answer, nil
}

func broken() answer {
	return refuseAs(http.StatusInternalServerError, sdk.ErrorTypeAPI, "", "", "An error occurred on our side.")
}

// InFlight counts the requests that hold an idempotency key now.
func (s *Server) InFlight() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.inFlight)
}

// ForgetKey forgets an idempotency key, as happens to each after a day.
func (s *Server) ForgetKey(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.keys, key)
}
