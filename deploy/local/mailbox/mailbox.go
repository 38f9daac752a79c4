// Package mailbox is a mail server that keeps what it is sent, for a laptop and for tests.
package mailbox

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Letter is what somebody was sent.
type Letter struct {
	To   string
	Text string // with its headers
	By   string // who signed in to send it; "" where nobody had to
	TLS  bool   // it came by TLS
}

// Options say how a server is spoken to. The zero value takes letters of anybody, without TLS.
type Options struct {
	// Directory keeps each letter as a file too, unless it is "".
	Directory string
	// Certificate is what the server shows; nil where it speaks no TLS.
	Certificate *tls.Certificate
	// Implicit speaks TLS from the first byte, and not after STARTTLS.
	Implicit bool
	// Passwords are those of whoever may send, by name; nil lets anybody.
	Passwords map[string]string
	// Mechanisms are the ways to sign in, sasl.Plain and sasl.Login.
	Mechanisms []string
}

// Server is a running mail server.
type Server struct {
	// Address is where it listens, host:port.
	Address string

	options Options
	server  *smtp.Server
	mutex   sync.Mutex
	letters []Letter
	refusal error
	arrived chan struct{}
}

// Start starts a server on this machine alone.
func Start(o Options) (*Server, error) {
	if o.Directory != "" {
		if err := os.MkdirAll(o.Directory, 0o700); err != nil {
			return nil, fmt.Errorf("make the directory of the mailbox: %w", err)
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for mail: %w", err)
	}
	s := &Server{Address: listener.Addr().String(), options: o, arrived: make(chan struct{}, 1)}
	s.server = smtp.NewServer(s)
	s.server.Domain = "localhost"
	if o.Certificate != nil {
		s.server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{*o.Certificate}, MinVersion: tls.VersionTLS12}
	}
	if o.Implicit {
		listener = tls.NewListener(listener, s.server.TLSConfig)
	}
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
func (s *Server) NewSession(c *smtp.Conn) (smtp.Session, error) {
	return &session{server: s, connection: c}, nil
}

type session struct {
	server     *Server
	connection *smtp.Conn
	by         string
	to         []string
}

// AuthMechanisms are the ways to sign in.
func (s *session) AuthMechanisms() []string { return s.server.options.Mechanisms }

// Auth lets somebody sign in.
func (s *session) Auth(mechanism string) (sasl.Server, error) {
	check := func(name, password string) error {
		if wanted, known := s.server.options.Passwords[name]; !known || wanted != password {
			return smtp.ErrAuthFailed
		}
		s.by = name
		return nil
	}
	if mechanism == sasl.Login {
		return &login{check: check}, nil
	}
	return sasl.NewPlainServer(func(_, name, password string) error { return check(name, password) }), nil
}

// login asks for name and password one after the other.
type login struct {
	check func(name, password string) error
	asked int
	name  string
}

// Next takes an answer and asks for the next.
func (l *login) Next(answer []byte) (question []byte, done bool, err error) {
	if answer == nil && l.asked == 0 {
		l.asked++
		return []byte("Username:"), false, nil
	}
	if l.name == "" {
		l.asked, l.name = 2, string(answer)
		return []byte("Password:"), false, nil
	}
	return nil, true, l.check(l.name, string(answer))
}

func (s *session) Mail(string, *smtp.MailOptions) error {
	if s.server.options.Passwords != nil && s.by == "" {
		return smtp.ErrAuthRequired
	}
	return nil
}

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
	_, secret := s.connection.TLSConnectionState()
	for _, to := range s.to {
		s.server.letters = append(s.server.letters, Letter{To: to, Text: string(text), By: s.by, TLS: secret})
		if s.server.options.Directory != "" {
			file := filepath.Join(s.server.options.Directory, fmt.Sprintf("%06d.eml", len(s.server.letters)))
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
