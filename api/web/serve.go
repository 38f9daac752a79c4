package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/guerdon/guerdon/api"
)

// Run serves the API and the pages on listener until ctx ends, and then lets what is
// under way finish.
func Run(ctx context.Context, listener net.Listener, surface api.Config, config Config) error {
	a, err := api.New(surface)
	if err != nil {
		return err
	}
	config.API = a
	pages, err := New(config)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/api/", a)
	mux.Handle(api.EventsPath, a)
	mux.Handle("/", pages)
	const toFinish = 20 * time.Second
	server := &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          slog.NewLogLogger(config.Log.Handler(), slog.LevelWarn),
	}
	server.RegisterOnShutdown(a.EndStreams)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve the API and the pages: %w", err)
	case <-ctx.Done():
	}
	finishing, cancel := context.WithTimeout(context.WithoutCancel(ctx), toFinish)
	defer cancel()
	return errors.Join(server.Shutdown(finishing), a.Wait(finishing))
}
