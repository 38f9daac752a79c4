// Package mailbox is a mail server that keeps what it is sent, for a laptop and for tests.
package mailbox

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"

	"github.com/emersion/go-smtp"
)

// Letter is what somebody was sent.
type Letter struct {
	To   string
	Text string // with its headers
}

// Server is a running mail server.
type Server struct {
	// Address is where it listens, host:port.
	Address string

	directory string
	server    *smtp.Server
	mutex     sync.Mutex
	letters   []Letter
	refusal   error
	arrived   chan struct{}
}

// Start starts a server on this machine alone. It also writes each letter into a file of
// directory, unless that is "".
func Start(directory string) (*Server, error) {
	if directory != "" {
		if err := os.MkdirAll(directory, 0o700); err != nil {
			return nil, fmt.Errorf("make the directory of the mailbox: %w", err)
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for mail: %w", err)
	}
	s := &Server{Address: listener.Addr().String(), directory: directory, arrived: make(chan struct{}, 1)}
	s.server = smtp.NewServer(s)
	s.server.Domain = "localhost"
	go func() { _ = s.server.Serve(listener) }() // ends with Stop
	return s, nil
}

// Stop ends the server.
func (s *Server) Stop() error {
	if err := s.server.Close(); err != nil && !errors.Is(err, smtp.ErrServerClosed) {
		return fmt.Errorf("stop the mailbox: %w", err)
	}
	return nil
}

// Letters are all that it was sent.
func (s *Server) Letters() []Letter {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return append([]Letter(nil), s.letters...)
}

// Arrived tells that there may be another letter.
func (s *Server) Arrived() <-chan struct{} { return s.arrived }

// Refuse makes the server refuse every letter with a reply code, or with 0 take them again.
func (s *Server) Refuse(code int) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.refusal = nil
	if code != 0 {
		s.refusal = &smtp.SMTPError{Code: code, Message: "not today"}
	}
}

// NewSession begins what a client says.
func (s *Server) NewSession(*smtp.Conn) (smtp.Session, error) { return &session{server: s}, nil }

type session struct {
	server *Server
	to     []string
}

func (s *session) Mail(string, *smtp.MailOptions) error { return nil }

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = append(s.to, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.server.mutex.Lock()
	defer s.server.mutex.Unlock()
	if s.server.refusal != nil {
		return s.server.refusal
	}
	for _, to := range s.to {
		s.server.letters = append(s.server.letters, Letter{to, string(text)})
		if s.server.directory != "" {
			file := filepath.Join(s.server.directory, fmt.Sprintf("%06d.eml", len(s.server.letters)))
			if err := os.WriteFile(file, text, 0o600); err != nil {
				return err
			}
		}
	}
	select {
	case s.server.arrived <- struct{}{}:
	default:
	}
	return nil
}

func (s *session) Reset()        { s.to = nil }
func (s *session) Logout() error { return nil }
