package messenger_test

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http/httptest"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/activities/messenger"
	"github.com/guerdon/guerdon/deploy/local/mailbox"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/language"
	"github.com/guerdon/guerdon/incentive/notice"
)

// certified is a certificate of 127.0.0.1 and example.com, with whom to trust for it.
func certified(t *testing.T) (*tls.Certificate, *x509.CertPool) {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	return &server.TLS.Certificates[0], roots
}

// TestMailByTLS sends letters to mail servers as companies have them: by STARTTLS and by TLS from the first byte, signed
// in each way; and sends nothing, the password least of all, where the server cannot be trusted.
func TestMailByTLS(t *testing.T) {
	t.Parallel()
	certificate, roots := certified(t)
	const user, password = "guerdon", "open sesame"
	passwords := map[string]string{user: password}
	for name, c := range map[string]struct {
		box    mailbox.Options
		config messenger.Config
		scheme string // before the address
		host   string // by which the server is asked for; "" for 127.0.0.1
		by     string // who is signed in
		code   incentive.Code
	}{
		"STARTTLS, signed in":           {box: mailbox.Options{Certificate: certificate, Passwords: passwords, Mechanisms: []string{sasl.Plain}}, config: messenger.Config{User: user, Password: password, Roots: roots}, by: user},
		"STARTTLS, by name and word":    {box: mailbox.Options{Certificate: certificate, Passwords: passwords, Mechanisms: []string{sasl.Login}}, config: messenger.Config{User: user, Password: password, Roots: roots}, by: user},
		"STARTTLS, open to all":         {box: mailbox.Options{Certificate: certificate}, config: messenger.Config{Roots: roots}},
		"from the first byte":           {box: mailbox.Options{Certificate: certificate, Implicit: true, Passwords: passwords, Mechanisms: []string{sasl.Plain, sasl.Login}}, config: messenger.Config{User: user, Password: password, Roots: roots}, scheme: "smtps://", by: user},
		"another password":              {box: mailbox.Options{Certificate: certificate, Passwords: map[string]string{user: "x"}, Mechanisms: []string{sasl.Plain}}, config: messenger.Config{User: user, Password: password, Roots: roots}, code: messenger.CodeNotNow},
		"nobody signs in":               {box: mailbox.Options{Certificate: certificate, Passwords: passwords, Mechanisms: []string{sasl.Plain}}, config: messenger.Config{Roots: roots}, code: messenger.CodeRefused},
		"no TLS":                        {box: mailbox.Options{}, config: messenger.Config{Roots: roots}, code: messenger.CodeNotNow},
		"no TLS from the first byte":    {box: mailbox.Options{Certificate: certificate}, config: messenger.Config{Roots: roots}, scheme: "smtps://", code: messenger.CodeNotNow},
		"a certificate of nobody known": {box: mailbox.Options{Certificate: certificate}, config: messenger.Config{}, code: messenger.CodeNotNow},
		"another's certificate":         {box: mailbox.Options{Certificate: certificate}, config: messenger.Config{Roots: roots}, host: "localhost", code: messenger.CodeNotNow},
		"the same, from the first byte": {box: mailbox.Options{Certificate: certificate, Implicit: true}, config: messenger.Config{Roots: roots}, scheme: "smtps://", host: "localhost", code: messenger.CodeNotNow},
		"no address of a mail server":   {box: mailbox.Options{}, scheme: "https://", code: messenger.CodeNoWay},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			box, err := mailbox.Start(c.box)
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, box.Stop()) })
			host, port, err := net.SplitHostPort(box.Address)
			require.NoError(t, err)
			if c.host != "" {
				host = c.host
			}
			config := c.config
			config.SMTP, config.From = c.scheme+net.JoinHostPort(host, port), "pay@example.com"
			err = messenger.New(config).Email(t.Context(), "m1", "ann@example.com", language.English, notice.Message{Subject: "Paid", Body: "You are paid."})
			if c.code != "" {
				require.Equal(t, c.code, incentive.ErrorCode(err), err)
				require.NotContains(t, err.Error(), password)
				require.Empty(t, box.Letters())
				return
			}
			require.NoError(t, err)
			require.Len(t, box.Letters(), 1)
			letter := box.Letters()[0]
			require.True(t, letter.TLS)
			require.Equal(t, c.by, letter.By)
			require.Equal(t, "ann@example.com", letter.To)
			require.Contains(t, letter.Text, "You are paid.")
		})
	}
}

// TestMailServers reads the addresses of mail servers.
func TestMailServers(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]messenger.Server{
		"mail.example.com:587": {Host: "mail.example.com", Port: 587}, "mail.example.com:465": {Host: "mail.example.com", Port: 465, Implicit: true},
		"smtps://[::1]:2465": {Host: "::1", Port: 2465, Implicit: true}, "localhost:25": {Host: "localhost", Port: 25},
	} {
		got, err := messenger.ReadServer(address)
		require.NoError(t, err, address)
		require.Equal(t, want, got)
	}
	for _, address := range []string{"", "mail.example.com", ":25", "mail.example.com:smtp", "mail.example.com:0", "mail.example.com:65536", "smtp://mail.example.com:25"} {
		_, err := messenger.ReadServer(address)
		require.Equal(t, incentive.CodeInvalid, incentive.ErrorCode(err), address)
		require.ErrorContains(t, err, "such as mail.example.com:587")
	}
}
