package standin

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// Running is a stand-in that listens.
type Running struct {
	*Server
	URL string // the rail's BaseURL

	http *http.Server
}

// Start starts a stand-in on an address such as 127.0.0.1:0, which is a free port.
func Start(address string, options Options) (*Running, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	server := New(options)
	r := &Running{Server: server, URL: "http://" + listener.Addr().String(), http: &http.Server{Handler: server, ReadHeaderTimeout: 10 * time.Second}}
	go func() { _ = r.http.Serve(listener) }() // ends by Stop, with http.ErrServerClosed
	return r, nil
}

// Stop ends what is under way, within ctx.
func (r *Running) Stop(ctx context.Context) error {
	r.Close()
	stopped := r.http.Shutdown(ctx)
	if stopped != nil {
		stopped = errors.Join(stopped, r.http.Close())
	}
	return stopped
}
