// Package messenger sends messages to people: e-mail by SMTP, and to addresses that take
// them as Slack's incoming webhooks do.
package messenger

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/language"
	"github.com/guerdon/guerdon/incentive/notice"
	"github.com/guerdon/guerdon/store"
)

// Codes of what became of a message that was not taken.
const (
	CodeRefused incentive.Code = "message-refused" // for good: by the address, or by what is written
	CodeNotNow  incentive.Code = "message-not-now" // the server is away, or wants it later
	CodeNoWay   incentive.Code = "message-no-way"  // nothing that could send it is set up
)

// Config says by what messages go. It is for people who run Guerdon to set.
type Config struct {
	SMTP     string // the mail server, as ReadServer reads it; "" sends no e-mail
	User     string // "" where the server asks for none
	Password string
	From     string         // address that messages come from
	Plain    bool           // the server speaks no TLS: for one on the same machine only
	Roots    *x509.CertPool // whose certificates of mail servers are trusted; nil for those that this machine trusts
	// WebhookHosts returns the only hosts to which webhooks of people may lead.
	WebhookHosts func(context.Context) ([]string, error)
}

// Messenger sends messages.
type Messenger struct {
	config Config
	web    *http.Client
}

// New returns a messenger.
func New(config Config) *Messenger {
	return &Messenger{config, &http.Client{
		Timeout:       15 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Channels are those by which it can send.
func (m *Messenger) Channels() []store.Channel {
	channels := []store.Channel{store.ByWebhook}
	if m.config.SMTP != "" {
		channels = append(channels, store.ByEmail)
	}
	return channels
}

// CheckWebhook refuses an address to which messages must not go. Its error has code
// incentive.CodeInvalid.
func (m *Messenger) CheckWebhook(ctx context.Context, address string) error {
	hosts, err := m.config.WebhookHosts(ctx)
	if err != nil {
		return fmt.Errorf("look where webhooks may lead: %w", err)
	}
	if len(hosts) == 0 {
		return incentive.Errorf(incentive.CodeInvalid, "the company's settings let no messages go to webhooks")
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && !(u.Scheme == "http" && m.config.Plain) || u.User != nil || !slices.Contains(hosts, u.Host) {
		return incentive.Errorf(incentive.CodeInvalid, "messages can go to addresses that begin with https:// at %s only", strings.Join(hosts, ", "))
	}
	return nil
}

// Server is where a mail server listens.
type Server struct {
	Host     string
	Port     int
	Implicit bool // TLS from the first byte, not after STARTTLS
}

// implicitPort is where mail servers speak TLS from the first byte (RFC 8314).
const implicitPort = 465

// ReadServer reads the address of a mail server: host:port where it is asked for TLS by STARTTLS, and
// smtps://host:port, or port 465, where it speaks TLS from the first byte. Its error has code incentive.CodeInvalid.
func ReadServer(address string) (s Server, err error) {
	rest, implicit := strings.CutPrefix(address, "smtps://")
	host, port, err := net.SplitHostPort(rest)
	if err == nil {
		s.Port, err = strconv.Atoi(port)
	}
	if err != nil || host == "" || s.Port < 1 || s.Port > 65535 {
		return Server{}, incentive.Errorf(incentive.CodeInvalid, "%q is not the address of a mail server: write host:port, such as mail.example.com:587, or smtps://mail.example.com:465", address)
	}
	s.Host, s.Implicit = host, implicit || s.Port == implicitPort
	return s, nil
}

// Email sends a message to an e-mail address. id names the message: a server to which it
// goes twice knows it as the same.
func (m *Messenger) Email(ctx context.Context, id, to string, l language.Language, message notice.Message) error {
	if m.config.SMTP == "" {
		return incentive.Errorf(CodeNoWay, "no mail server is set up")
	}
	at, err := ReadServer(m.config.SMTP)
	if err != nil {
		return incentive.Errorf(CodeNoWay, "the mail server's address is none")
	}
	letter := mail.NewMsg()
	if err := letter.From(m.config.From); err != nil {
		return incentive.Errorf(CodeNoWay, "the address that messages come from is none")
	}
	if err := letter.To(to); err != nil {
		return incentive.Errorf(CodeRefused, "the recipient's address is none")
	}
	_, domain, _ := strings.Cut(m.config.From, "@")
	letter.SetMessageIDWithValue(id + "@" + strings.Trim(domain, "> "))
	letter.Subject(message.Subject)
	letter.SetGenHeader("Content-Language", string(l))
	letter.SetGenHeader("Auto-Submitted", "auto-generated")
	letter.SetBodyString(mail.TypeTextPlain, message.Body)
	options := []mail.Option{mail.WithPort(at.Port), mail.WithTimeout(20 * time.Second), mail.WithTLSConfig(&tls.Config{ServerName: at.Host, RootCAs: m.config.Roots, MinVersion: tls.VersionTLS12})}
	switch {
	case m.config.Plain:
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	case at.Implicit:
		options = append(options, mail.WithSSL())
	default:
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if m.config.User != "" {
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(m.config.User), mail.WithPassword(m.config.Password))
	}
	server, err := mail.NewClient(at.Host, options...)
	if err != nil {
		return incentive.Errorf(CodeNoWay, "the mail server's settings are not valid")
	}
	err = server.DialAndSendWithContext(ctx, letter)
	var refusal *mail.SendError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refusal) && !refusal.IsTemp() && refusal.ErrorCode() >= 500:
		return incentive.Errorf(CodeRefused, "the mail server refuses the message (%d)", refusal.ErrorCode())
	}
	return fmt.Errorf("%w: %w", incentive.Errorf(CodeNotNow, "the mail server did not take the message"), err)
}

// Webhook sends a message to an address as Slack's incoming webhooks take it.
func (m *Messenger) Webhook(ctx context.Context, address string, message notice.Message) error {
	if err := m.CheckWebhook(ctx, address); incentive.ErrorCode(err) == incentive.CodeInternal {
		return fmt.Errorf("%w: %w", incentive.Errorf(CodeNotNow, "it is not known now where webhooks may lead"), err)
	} else if err != nil {
		return incentive.Errorf(CodeRefused, "%s", incentive.ErrorMessage(err))
	}
	body, err := json.Marshal(struct {
		Text string `json:"text"`
	}{"*" + message.Subject + "*\n" + message.Body})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return incentive.Errorf(CodeRefused, "the address is none")
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := m.web.Do(request)
	if err != nil {
		return fmt.Errorf("%w: %w", incentive.Errorf(CodeNotNow, "the address did not answer"), err)
	}
	defer response.Body.Close()
	switch {
	case response.StatusCode < 300:
		return nil
	case response.StatusCode >= 500, response.StatusCode == http.StatusTooManyRequests, response.StatusCode == http.StatusRequestTimeout:
		return incentive.Errorf(CodeNotNow, "the address answered %d", response.StatusCode)
	}
	return incentive.Errorf(CodeRefused, "the address answered %d", response.StatusCode)
}
