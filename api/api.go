// Package api is the HTTP surface: the JSON API that openapi.yaml describes.
//
// A request passes, in this order: request id and log, authentication, the right to the
// operation's action, validation against the document, the claim of its idempotency key,
// and the operation itself.
package api

import (
	"context"
	"crypto/ed25519"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"go.temporal.io/sdk/client"

	"github.com/guerdon/guerdon/activities/messenger"
	"github.com/guerdon/guerdon/api/papers"
	"github.com/guerdon/guerdon/api/spec"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/store"
)

// Document is the OpenAPI document of the API.
//
//go:embed openapi.yaml
var Document []byte

// Prefix is where the API's paths begin.
const Prefix = "/api/v1"

// Config is what the API needs.
type Config struct {
	Store  *store.Store
	Client client.Client
	Rails  payments.Registry
	Log    *slog.Logger
	// Messenger says to which webhooks people may have messages sent; nil to none.
	Messenger *messenger.Messenger
	// CommandWait is how long a command may take before it is answered 202; 0 is 5 s.
	CommandWait time.Duration
	// LargestImport is how many bytes an import may have; 0 is 1 GiB.
	LargestImport int64
	// SignIn says that people sign in by themselves: nobody makes a token for somebody else.
	SignIn bool
	// Pages is where people find the pages, https://pay.example.com: rails lead back there.
	Pages string
	// EvidenceKey signs evidence packs; nil where there are none.
	EvidenceKey ed25519.PrivateKey
	// TryFiles refuses settings by which no payment file can be written here; nil where nothing else is known of that than
	// whether templates can be read.
	TryFiles func(store.CompanySettings) error
	// FileDefaults are how payment files are written where the company's settings leave it open; nil where files only have
	// the company's name.
	FileDefaults func(store.CompanySettings) (store.FileSettings, error)
	// Extra mounts routes of an installation's own; nil for none.
	Extra func(gin.IRouter)
}

// API is the running surface.
type API struct {
	http.Handler
	commands *sync.WaitGroup
	news     []*newsroom
}

// EndStreams ends every stream of events, for good.
func (a *API) EndStreams() {
	for _, n := range a.news {
		n.end(true)
	}
}

// Wait waits until every command under way has its answer, or ctx ends.
func (a *API) Wait(ctx context.Context) error {
	done := make(chan struct{})
	go func() { a.commands.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for commands: %w", ctx.Err())
	}
}

// server answers the operations of the document.
type server struct {
	Config
	commands sync.WaitGroup
	writes   *Limiter      // of each person
	events   *Limiter      // of each place that they come from
	proving  chan struct{} // holds whoever is making a proof
	news     newsroom      // of estimates
	acts     newsroom      // of the audit chain

	papers *papers.Maker
	plans  planNames
}

// New returns the API.
func New(config Config) (*API, error) {
	if config.CommandWait == 0 {
		config.CommandWait = 5 * time.Second
	}
	if config.LargestImport == 0 {
		config.LargestImport = 1 << 30
	}
	s := &server{
		Config:  config,
		writes:  NewLimiter(20, 400),
		events:  NewLimiter(100, 1000),
		proving: make(chan struct{}, 1),
		news:    newsroom{store: config.Store, channel: store.ChannelEstimated, streams: map[chan string]bool{}},
		acts:    newsroom{store: config.Store, channel: store.ChannelAudited, streams: map[chan string]bool{}},
	}
	var err error
	if s.papers, err = papers.New(); err != nil {
		return nil, err
	}
	described, err := load(Document)
	if err != nil {
		return nil, err
	}
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.ContextWithFallback = true // handlers see what middleware put into the request's context
	engine.HandleMethodNotAllowed = true
	engine.Use(s.logged, gin.CustomRecoveryWithWriter(nil, func(c *gin.Context, reason any) {
		s.problem(c, fmt.Errorf("panic: %v\n%s", reason, debug.Stack()))
	}), headers)
	engine.NoRoute(func(c *gin.Context) {
		s.problem(c, incentive.Errorf(incentive.CodeNotFound, "there is nothing at %s", c.Request.URL.Path))
	})
	engine.NoMethod(func(c *gin.Context) {
		s.problem(c, incentive.Errorf(codeMethod, "%s cannot be done with %s", c.Request.Method, c.Request.URL.Path))
	})
	engine.GET(Prefix+"/openapi.yaml", func(c *gin.Context) { c.Data(http.StatusOK, "application/yaml", Document) })
	engine.POST(EventsPath+":rail", s.takeEvents)
	if config.Extra != nil {
		config.Extra(engine.Group(Prefix))
	}
	guarded := engine.Group(Prefix, s.guard(described))
	refuse := func(c *gin.Context, err error) {
		s.problem(c, incentive.Errorf(incentive.CodeInvalid, "the request cannot be read: %v", err))
	}
	spec.RegisterHandlersWithOptions(guarded, spec.NewStrictHandlerWithOptions(s, nil, spec.StrictGinServerOptions{
		RequestErrorHandlerFunc: refuse, HandlerErrorFunc: s.problem, ResponseErrorHandlerFunc: s.problem,
	}), spec.GinServerOptions{ErrorHandler: func(c *gin.Context, err error, _ int) { refuse(c, err) }})
	return &API{Handler: engine, commands: &s.commands, news: []*newsroom{&s.news, &s.acts}}, nil
}

// Run serves the API on listener until ctx ends, and then lets what is under way finish.
func Run(ctx context.Context, listener net.Listener, config Config) error {
	a, err := New(config)
	if err != nil {
		return err
	}
	const toFinish = 20 * time.Second
	web := &http.Server{
		Handler:           a,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       10 * time.Minute, // of a large import over a slow line
		WriteTimeout:      15 * time.Minute,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          slog.NewLogLogger(config.Log.Handler(), slog.LevelWarn),
	}
	web.RegisterOnShutdown(a.EndStreams)
	ended := make(chan error, 1)
	go func() { ended <- web.Serve(listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve the API: %w", err)
	case <-ctx.Done():
	}
	finishing, cancel := context.WithTimeout(context.WithoutCancel(ctx), toFinish)
	defer cancel()
	return errors.Join(web.Shutdown(finishing), a.Wait(finishing))
}
