package web

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

// inside calls a handler as if over the network.
type inside struct{ http.Handler }

// Do is what the API's client calls.
func (i inside) Do(r *http.Request) (*http.Response, error) {
	answer := &recorded{header: http.Header{}, status: http.StatusOK}
	i.serve(answer, r)
	return answer.response(r), nil
}

func (i inside) serve(w http.ResponseWriter, r *http.Request) {
	if r.Body == nil {
		r.Body = http.NoBody
	}
	r.RequestURI, r.RemoteAddr = r.URL.RequestURI(), "127.0.0.1:0"
	i.ServeHTTP(w, r)
}

// recorded is an answer that is kept.
type recorded struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *recorded) Header() http.Header            { return a.header }
func (a *recorded) WriteHeader(status int)         { a.status = status }
func (a *recorded) Write(data []byte) (int, error) { return a.body.Write(data) }

func (a *recorded) response(r *http.Request) *http.Response {
	return &http.Response{
		Status: http.StatusText(a.status), StatusCode: a.status, Proto: r.Proto, ProtoMajor: 1, ProtoMinor: 1,
		Header: a.header, Body: io.NopCloser(&a.body), ContentLength: int64(a.body.Len()), Request: r,
	}
}

// passing is an answer that is handed on while it comes. A refusal is kept.
type passing struct {
	recorded
	to    http.ResponseWriter
	hands bool
}

func (p *passing) WriteHeader(status int) {
	if p.status = status; status != http.StatusOK {
		return
	}
	for _, name := range []string{"Content-Type", "Content-Disposition", "Content-Length"} {
		if value := p.header.Get(name); value != "" {
			p.to.Header().Set(name, value)
		}
	}
	p.hands = true
	p.to.WriteHeader(status)
}

func (p *passing) Write(data []byte) (int, error) {
	if p.status == 0 {
		p.WriteHeader(http.StatusOK)
	}
	if p.hands {
		return p.to.Write(data)
	}
	return p.recorded.Write(data)
}

// within is where the API is, for requests that stay inside.
const within = "http://guerdon/api/v1/"

// download hands over what the API answers to a request.
func (v *visit) download(request *http.Request, err error) error {
	if err != nil {
		return err
	}
	request = request.WithContext(v.r.Context())
	request.Header.Set("Authorization", "Bearer "+v.secret)
	request.Header.Set("Accept-Language", string(v.texts.Language))
	answer := &passing{recorded: recorded{header: http.Header{}}, to: v.w}
	inside{v.API}.serve(answer, request)
	if answer.hands {
		return nil
	}
	_, err = client.Bytes(answer.response(request), nil)
	return err
}

// client returns a client of the API for the bearer of a token.
func (v *visit) client() (*client.Client, error) {
	return client.NewClient(within, client.WithHTTPClient(inside{v.API}), client.WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+v.secret)
		r.Header.Set("Accept-Language", string(v.texts.Language))
		return nil
	}))
}

// underWay is the outcome of a command that takes long: its key, to ask with.
type underWay struct{ key string }

// Error says that there is no answer yet.
func (underWay) Error() string { return "the command is under way" }

// command reads the answer of a command like client.Read, which would wait for a long one.
func command[T any](response *http.Response, err error) (answer T, _ error) {
	if err == nil && response.StatusCode == http.StatusAccepted {
		return answer, underWay{response.Request.Header.Get("Idempotency-Key")}
	}
	return client.Read[T](response, err)
}

// key returns the idempotency key that the form carries.
func (v *visit) key() string { return v.r.PostFormValue("key") }

// done ends the handling of a form: what went well is said on the page at to, what takes
// long is waited for on a page of its own, and what was refused is shown by again.
func (v *visit) done(err error, to string, say message, again page) error {
	if waiting, is := err.(underWay); is {
		return v.redirect("/commands/" + url.PathEscape(waiting.key) + "?" + url.Values{"to": {to}, "say": {say.Key}}.Encode())
	}
	if err != nil {
		v.problem = err
		return again(v)
	}
	v.say(say)
	return v.redirect(to)
}

func (v *visit) redirect(to string) error {
	http.Redirect(v.w, v.r, to, http.StatusSeeOther)
	return nil
}

// message is a text with what stands in it.
type message struct {
	Key  string         `json:"key"`
	With map[string]any `json:"with,omitempty"`
}

// noticeCookie carries a message to the next page, for as long as noticeLife.
const (
	noticeCookie = "guerdon-notice"
	noticeLife   = time.Minute
)

func (v *visit) say(m message) {
	text, _ := json.Marshal(m) // texts and numbers
	v.setCookie(v.w, noticeCookie, url.QueryEscape(string(text)), noticeLife)
}

// notice takes the message that the last page left.
func (v *visit) notice() string {
	kept := v.cookie(v.r, noticeCookie)
	if kept == "" || v.r.Header.Get("HX-Request") != "" {
		return ""
	}
	v.setCookie(v.w, noticeCookie, "", 0)
	var m message
	text, _ := url.QueryUnescape(kept)
	if json.Unmarshal([]byte(text), &m) != nil || !v.texts.Has(m.Key) {
		return ""
	}
	return v.texts.Fill(m.Key, m.With)
}

type commandPage struct{ To, Poll string }

// command waits with the visitor for a command that takes long.
func (v *visit) command() error {
	query := v.r.URL.Query()
	to := local(query.Get("to"))
	response, err := v.api.GetCommand(v.r.Context(), v.r.PathValue("key"))
	if err == nil && response.StatusCode == http.StatusAccepted {
		return v.show("command", "command.title", commandPage{To: to, Poll: v.r.URL.RequestURI()})
	}
	if _, err := client.Bytes(response, err); err != nil {
		v.problem = err
		return v.show("command", "command.title", commandPage{To: to})
	}
	if v.texts.Has(query.Get("say")) {
		v.say(message{Key: query.Get("say")})
	}
	if v.r.Header.Get("HX-Request") != "" {
		v.w.Header().Set("HX-Redirect", to)
		return nil
	}
	return v.redirect(to)
}

// every walks a list of the API page by page, at most pages of them; more says that the
// list goes on.
func every[T any](pages int, read func(after *string) (items []T, next *string, err error)) (all []T, more bool, err error) {
	var after *string
	for range pages {
		items, next, err := read(after)
		if err != nil {
			return nil, false, err
		}
		all = append(all, items...)
		if next == nil {
			return all, false, nil
		}
		after = next
	}
	return all, true, nil
}

// absent reports whether an error says that there is no such thing.
func absent(err error) bool { return incentive.ErrorCode(err) == incentive.CodeNotFound }
