package api

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/gin-gonic/gin"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/language"
	"github.com/guerdon/guerdon/store"
)

// contextKey keys what middleware leaves in a request's context.
type contextKey int

const (
	personKey contextKey = iota
	scopeKey
	requestKey
	claimKey
	languageKey
)

func personOf(ctx context.Context) store.Person {
	p, _ := ctx.Value(personKey).(store.Person)
	return p
}
func scopeOf(ctx context.Context) incentive.Scope {
	s, _ := ctx.Value(scopeKey).(incentive.Scope)
	return s
}
func requestID(ctx context.Context) string { id, _ := ctx.Value(requestKey).(string); return id }

func with(c *gin.Context, key contextKey, value any) {
	c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), key, value))
}

// logged gives each request an id and writes one line for it.
func (s *server) logged(c *gin.Context) {
	with(c, requestKey, rand.Text())
	c.Header("X-Request-Id", requestID(c.Request.Context()))
	began := time.Now()
	c.Next()
	s.Log.InfoContext(c.Request.Context(), "request", "id", requestID(c.Request.Context()), "method", c.Request.Method, "route", c.FullPath(),
		"status", c.Writer.Status(), "person", personOf(c.Request.Context()).ID, "took", time.Since(began))
}

// headers keep answers out of caches and browsers from guessing.
func headers(c *gin.Context) {
	c.Header("Cache-Control", "no-store")
	c.Header("X-Content-Type-Options", "nosniff")
	c.Header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	c.Header("Referrer-Policy", "no-referrer")
	spoken := language.Accepted(c.GetHeader("Accept-Language"))
	c.Header("Content-Language", string(spoken))
	c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), languageKey, spoken))
}

// languageOf is the language in which the answer's sentences are wanted.
func languageOf(ctx context.Context) language.Language {
	l, _ := ctx.Value(languageKey).(language.Language)
	return l
}

// operation is an operation of the document with what guards it.
type operation struct {
	route  routers.Route
	action incentive.Action // "" where anybody may
	secret bool             // the answer is shown once and not kept
}

// load reads the document and lists its operations by method and gin's form of the path.
func load(text []byte) (map[string]operation, error) {
	document, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		return nil, fmt.Errorf("read the OpenAPI document: %w", err)
	}
	if err := document.Validate(context.Background()); err != nil {
		return nil, fmt.Errorf("check the OpenAPI document: %w", err)
	}
	operations := map[string]operation{}
	for path, item := range document.Paths.Map() {
		for method, o := range item.Operations() {
			action, _ := o.Extensions["x-action"].(string)
			if action == "" && (o.Security == nil || len(*o.Security) > 0) {
				return nil, fmt.Errorf("operation %s declares no action", o.OperationID)
			}
			secret, _ := o.Extensions["x-shown-once"].(bool)
			form := Prefix + pathParameter.ReplaceAllString(path, ":$1")
			operations[method+" "+form] = operation{
				action: incentive.Action(action),
				secret: secret,
				route:  routers.Route{Spec: document, Path: path, PathItem: item, Method: method, Operation: o},
			}
		}
	}
	return operations, nil
}

var pathParameter = regexp.MustCompile(`\{([a-z_]+)\}`)

// guard lets a request through to its operation: somebody known, who may, with a request
// that the document allows and, where it changes something, a fresh key.
func (s *server) guard(operations map[string]operation) gin.HandlerFunc {
	return func(c *gin.Context) {
		o := operations[c.Request.Method+" "+c.FullPath()]
		if o.action != "" {
			secret, isBearer := strings.CutPrefix(c.GetHeader("Authorization"), "Bearer ")
			if !isBearer {
				s.problem(c, incentive.Errorf(store.CodeUnauthenticated, "sign in first: send the header Authorization: Bearer <token>"))
				return
			}
			person, err := s.Store.Authenticate(c.Request.Context(), secret)
			if err != nil {
				s.problem(c, err)
				return
			}
			with(c, personKey, person)
			scope := incentive.Right(person.Roles, o.action)
			if scope == incentive.None {
				s.problem(c, incentive.Errorf(incentive.CodeForbidden, "none of your roles may %s", strings.ReplaceAll(string(o.action), "-", " ")))
				return
			}
			if person.Only != nil && !slices.Contains(person.Only, o.action) {
				s.problem(c, incentive.Errorf(incentive.CodeForbidden, "this token was not made to %s", strings.ReplaceAll(string(o.action), "-", " ")))
				return
			}
			with(c, scopeKey, scope)
		}
		unsafe := c.Request.Method != http.MethodGet
		if unsafe && !s.writes.Allow(personOf(c.Request.Context()).ID) {
			s.problem(c, incentive.Errorf(CodeTooMany, "that were too many commands in a short time: wait a second"))
			return
		}
		if unsafe && c.GetHeader("Idempotency-Key") == "" {
			s.problem(c, incentive.Errorf(codeNoKey, "send the header Idempotency-Key with a new text for every new command, such as a UUID"))
			return
		}
		digest := sha256.New()
		fmt.Fprintf(digest, "%s %s?%s\n", c.Request.Method, c.Request.URL.Path, c.Request.URL.RawQuery)
		done, err := s.takeBody(c, o, digest)
		defer done()
		if err == nil {
			err = s.validate(c, o)
		}
		if err != nil {
			s.problem(c, err)
			return
		}
		if unsafe {
			s.once(c, digest.Sum(nil), o.secret)
		}
	}
}

// largestBody is how many bytes a request may have that is no import.
const largestBody = 2 << 20

// takeBody reads the body as far as it may go and hashes what it says. A multipart body
// goes to a file; its boundary, another each time, is no part of what it says.
func (s *server) takeBody(c *gin.Context, o operation, digest hash.Hash) (done func(), err error) {
	done = func() {}
	if c.Request.Body == nil || c.Request.Body == http.NoBody {
		return done, nil
	}
	mediaType, parameters, _ := mime.ParseMediaType(c.ContentType() + ";" + strings.TrimPrefix(c.GetHeader("Content-Type"), c.ContentType()+";"))
	if o.route.Operation == nil || o.route.Operation.RequestBody == nil || o.route.Operation.RequestBody.Value.Content["multipart/form-data"] == nil {
		body, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, largestBody))
		if err != nil {
			return done, bodyError(err, largestBody)
		}
		if err := oneValue(body); err != nil {
			return done, err
		}
		digest.Write(body)
		c.Request.Body = io.NopCloser(bytes.NewReader(body))
		return done, nil
	}
	if mediaType != "multipart/form-data" || parameters["boundary"] == "" {
		return done, incentive.Errorf(incentive.CodeInvalid, "send the files as multipart/form-data")
	}
	spool, err := os.CreateTemp("", "guerdon-import-")
	if err != nil {
		return done, fmt.Errorf("keep an upload: %w", err)
	}
	done = func() { _ = spool.Close(); _ = os.Remove(spool.Name()) } // nothing is lost with it
	if _, err := io.Copy(spool, http.MaxBytesReader(c.Writer, c.Request.Body, s.LargestImport)); err != nil {
		return done, bodyError(err, s.LargestImport)
	}
	if _, err := spool.Seek(0, io.SeekStart); err != nil {
		return done, err
	}
	parts := multipart.NewReader(spool, parameters["boundary"])
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			fmt.Fprintf(digest, "\n%q %q\n", part.FormName(), part.FileName())
			_, err = io.Copy(digest, part)
		}
		if err != nil {
			return done, incentive.Errorf(incentive.CodeInvalid, "the upload is cut short or not multipart/form-data")
		}
	}
	_, err = spool.Seek(0, io.SeekStart)
	c.Request.Body = spool
	return done, err
}

// oneValue demands exactly one JSON value in which no object says a field twice: readers
// differ in which of two they believe.
func oneValue(body []byte) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil // the document says whether there must be one
	}
	wrong := incentive.Errorf(incentive.CodeInvalid, "the body: it is not one JSON value")
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := walk(decoder); err != nil {
		if incentive.ErrorCode(err) == incentive.CodeInvalid {
			return err
		}
		return wrong
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return wrong
	}
	return nil
}

func walk(decoder *json.Decoder) error {
	token, err := decoder.Token()
	if err != nil {
		return err
	}
	opening, nested := token.(json.Delim)
	if !nested {
		return nil
	}
	seen := map[string]bool{}
	for decoder.More() {
		if opening == '{' {
			key, err := decoder.Token()
			if err != nil {
				return err
			}
			name, _ := key.(string)
			if seen[name] {
				return incentive.Errorf(incentive.CodeInvalid, "the body: it says %q twice", name)
			}
			seen[name] = true
		}
		if err := walk(decoder); err != nil {
			return err
		}
	}
	_, err = decoder.Token() // the closing one
	return err
}

func bodyError(err error, limit int64) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return incentive.Errorf(codeTooLarge, "the request is larger than %d bytes", limit)
	}
	return incentive.Errorf(incentive.CodeInvalid, "the request's body was cut short")
}

// validate holds a request against the document.
func (s *server) validate(c *gin.Context, o operation) error {
	for name := range c.Request.URL.Query() {
		if o.route.Operation.Parameters.GetByInAndName(openapi3.ParameterInQuery, name) == nil {
			return incentive.Errorf(incentive.CodeInvalid, "parameter %s: this call has no such parameter", name)
		}
	}
	path := map[string]string{}
	for _, p := range c.Params {
		path[p.Key] = p.Value
	}
	err := openapi3filter.ValidateRequest(c.Request.Context(), &openapi3filter.RequestValidationInput{
		Request: c.Request, PathParams: path, Route: &o.route, QueryParams: c.Request.URL.Query(),
		Options: &openapi3filter.Options{
			AuthenticationFunc: openapi3filter.NoopAuthenticationFunc,
			ExcludeRequestBody: c.ContentType() == "multipart/form-data", // read part by part
		},
	})
	if err == nil {
		return nil
	}
	place, reason := "the request", err.Error()
	var request *openapi3filter.RequestError
	if errors.As(err, &request) {
		reason = request.Reason
		if request.Parameter != nil {
			place = "parameter " + request.Parameter.Name
		} else {
			place = "the body"
		}
		var schema *openapi3.SchemaError
		var parse *openapi3filter.ParseError
		switch {
		case errors.As(request.Err, &schema):
			reason = schema.Reason
			if at := schema.JSONPointer(); len(at) > 0 {
				place += " at " + strings.Join(at, ".")
			}
		case errors.As(request.Err, &parse):
			reason = parse.Reason
			if reason == "" {
				reason = parse.Error()
			}
		case request.Err != nil && reason == "":
			reason = request.Err.Error()
		}
	}
	return incentive.Errorf(incentive.CodeInvalid, "%s: %s", place, reason)
}
