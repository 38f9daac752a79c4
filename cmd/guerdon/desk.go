package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

// desk is what a command works with.
type desk struct {
	*commands
	out, complaints io.Writer
}

// api returns a client for whoever the command line names.
func (d *desk) api() (*client.Client, error) {
	token := d.Token
	if d.As != "" {
		path, err := d.session(d.As)
		if err != nil {
			return nil, err
		}
		kept, err := os.ReadFile(path)
		if err != nil {
			return nil, incentive.Errorf("unauthenticated", "there is no session of %s: run guerdon sign-in %s", d.As, d.As)
		}
		token = strings.TrimSpace(string(kept))
	}
	if token == "" {
		return nil, incentive.Errorf("unauthenticated", "say who you are: set GUERDON_TOKEN, or name a person signed in with --as")
	}
	return client.New(d.API, token)
}

// session is the file that keeps a session of a person at an API.
func (d *desk) session(person string) (string, error) {
	base, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("find a place for sessions: %w", err)
	}
	escape := strings.NewReplacer("/", "_", ":", "_", "\\", "_", "..", "_").Replace
	return filepath.Join(base, "guerdon", "sessions", escape(d.API), escape(person)), nil
}

// every reads a list of the API to its end. An empty one is no nil, which JSON would show as null.
func every[T, Cursor any](read func(after *Cursor) (items []T, next *Cursor, err error)) ([]T, error) {
	all := []T{}
	for after := (*Cursor)(nil); ; {
		items, next, err := read(after)
		if err != nil {
			return nil, err
		}
		all = append(all, items...)
		if after = next; after == nil {
			return all, nil
		}
	}
}

// show prints an answer: as JSON where that was asked for, otherwise by human.
func (d *desk) show(answer any, human func(w *tabwriter.Writer)) error {
	if d.AsJSON {
		encoder := json.NewEncoder(d.out)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(answer)
	}
	w := tabwriter.NewWriter(d.out, 0, 4, 2, ' ', 0)
	human(w)
	return w.Flush()
}

// row prints one row of a table.
func row(w io.Writer, cells ...any) {
	for i, cell := range cells {
		if i > 0 {
			fmt.Fprint(w, "\t")
		}
		fmt.Fprint(w, cell)
	}
	fmt.Fprintln(w)
}

type signIn struct {
	Person string `arg:"" help:"Such as p02."`
}

func (s signIn) Run(ctx context.Context, d *desk) error {
	body, err := json.Marshal(map[string]string{"person": s.Person})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, d.API+"/api/v1/session", bytes.NewReader(body))
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return incentive.Errorf(client.CodeUnreachable, "the API does not answer: %v", err)
	}
	defer response.Body.Close()
	var answer struct{ Token, Detail string }
	if err := json.NewDecoder(io.LimitReader(response.Body, 1<<16)).Decode(&answer); err != nil || answer.Token == "" {
		if response.StatusCode == http.StatusNotFound && !strings.Contains(answer.Detail, "participant") {
			return incentive.Errorf("not-local", "only a local installation lets you sign in by naming a person: set GUERDON_TOKEN instead")
		}
		return incentive.Errorf("unauthenticated", "%s", answer.Detail)
	}
	path, err := d.session(s.Person)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("keep the session: %w", err)
	}
	if err := os.WriteFile(path, []byte(answer.Token), 0o600); err != nil {
		return fmt.Errorf("keep the session: %w", err)
	}
	fmt.Fprintf(d.out, "Signed in as %s for 12 hours: add --as %s to a command.\n", s.Person, s.Person)
	return nil
}
