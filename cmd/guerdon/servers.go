package main

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	temporal "go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"

	"github.com/guerdon/guerdon/activities/messenger"
	"github.com/guerdon/guerdon/api"
	"github.com/guerdon/guerdon/api/openid"
	"github.com/guerdon/guerdon/api/web"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/proof"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/worker"
)

// database is what every server needs.
type database struct {
	DatabaseURL    string `env:"DATABASE_URL" required:"" placeholder:"URL" help:"The PostgreSQL database, postgres://…"`
	EncryptionKeys string `env:"GUERDON_ENCRYPTION_KEYS" placeholder:"KEYS" help:"Keys for bank details: version:key pairs, comma-separated."`
}

func (o database) open(ctx context.Context) (*store.Store, error) {
	keys := store.Keys{}
	if o.EncryptionKeys != "" {
		var err error
		if keys, err = store.ParseKeys(o.EncryptionKeys); err != nil {
			return nil, err
		}
	}
	return store.Open(ctx, o.DatabaseURL, keys)
}

// server is what the API and the worker need besides.
type server struct {
	database
	TemporalAddress   string `env:"TEMPORAL_ADDRESS" default:"localhost:7233" help:"The Temporal server."`
	TemporalNamespace string `env:"TEMPORAL_NAMESPACE" default:"guerdon" help:"Its namespace."`
	Address           string `env:"GUERDON_ADDRESS" placeholder:"URL" help:"Where people find the pages, https://pay.example.com."`
	railSettings
	messageSettings
}

// messageSettings say by what people are sent what they are told.
type messageSettings struct {
	MailServer   string `env:"GUERDON_SMTP" placeholder:"HOST:PORT" help:"The mail server, with STARTTLS; smtps://HOST:PORT where it speaks TLS from the first byte. Nobody is sent e-mail when absent."`
	MailUser     string `env:"GUERDON_SMTP_USER" placeholder:"NAME" help:"Whom it knows us as, where it asks."`
	MailPassword string `env:"GUERDON_SMTP_PASSWORD" placeholder:"SECRET" help:"The password that goes with it."`
	MailFrom     string `env:"GUERDON_MAIL_FROM" placeholder:"ADDRESS" help:"Whom e-mail comes from, pay@example.com."`
	MailPlain    bool   `env:"GUERDON_SMTP_PLAIN" help:"The mail server is on this machine and speaks no TLS."`
}

func (o messageSettings) messenger(s *store.Store) (*messenger.Messenger, error) {
	if o.MailServer != "" && o.MailFrom == "" {
		return nil, incentive.Errorf("settings-missing", "with GUERDON_SMTP set, GUERDON_MAIL_FROM is needed too")
	}
	if o.MailServer != "" {
		if _, err := messenger.ReadServer(o.MailServer); err != nil {
			return nil, fmt.Errorf("GUERDON_SMTP: %w", err)
		}
	}
	return messenger.New(messenger.Config{
		SMTP:         o.MailServer,
		User:         o.MailUser,
		Password:     o.MailPassword,
		From:         o.MailFrom,
		Plain:        o.MailPlain,
		WebhookHosts: s.WebhookHosts,
	}), nil
}

// open connects to everything. close lets go of it.
func (o server) open(ctx context.Context, log *slog.Logger) (s *store.Store, c temporal.Client, rails payments.Registry, close func(), err error) {
	if s, err = o.database.open(ctx); err != nil {
		return nil, nil, rails, nil, err
	}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if current, err := s.Migrated(ctx); err != nil || !current {
		if err == nil {
			err = incentive.Errorf("database-outdated", "the database is not up to date: run guerdon migrate first")
		}
		return nil, nil, rails, nil, err
	}
	if rails, err = o.registry(ctx, s); err != nil {
		return nil, nil, rails, nil, err
	}
	c, err = temporal.DialContext(ctx, temporal.Options{HostPort: o.TemporalAddress, Namespace: o.TemporalNamespace, Logger: sdklog.NewStructuredLogger(log)})
	if err != nil {
		return nil, nil, rails, nil, fmt.Errorf("reach the Temporal server at %s: %w", o.TemporalAddress, err)
	}
	return s, c, rails, func() { c.Close(); s.Close() }, nil
}

func logTo(d *desk) *slog.Logger { return slog.New(slog.NewJSONHandler(d.complaints, nil)) }

// signInSettings name the OpenID provider at which people say who they are.
type signInSettings struct {
	Issuer       string `env:"GUERDON_OIDC_ISSUER" placeholder:"URL" help:"The OpenID provider at which people sign in. Nobody can sign in to the pages when absent."`
	ClientID     string `env:"GUERDON_OIDC_CLIENT_ID" placeholder:"ID" help:"What it knows this installation as."`
	ClientSecret string `env:"GUERDON_OIDC_CLIENT_SECRET" placeholder:"SECRET" help:"The secret that goes with it."`
	TrustEmail   bool   `env:"GUERDON_OIDC_TRUST_EMAIL" help:"Take e-mail addresses that the provider does not call verified."`
}

// provider returns the provider, nil where there is none.
func (o signInSettings) provider(ctx context.Context, address string) (*openid.Provider, error) {
	if o.Issuer == "" {
		return nil, nil
	}
	if o.ClientID == "" || address == "" {
		return nil, incentive.Errorf("settings-missing", "with GUERDON_OIDC_ISSUER set, GUERDON_OIDC_CLIENT_ID and GUERDON_ADDRESS are needed too")
	}
	return openid.New(ctx, openid.Settings{Issuer: o.Issuer, ClientID: o.ClientID, ClientSecret: o.ClientSecret, Address: address, TrustEmail: o.TrustEmail})
}

type serveAPI struct {
	server
	signInSettings
	Listen     string `env:"GUERDON_LISTEN" default:":8080" help:"Where to listen."`
	Evidence   string `name:"evidence-key" env:"GUERDON_EVIDENCE_KEY" placeholder:"SEED" help:"What evidence packs are signed with: 64 hexadecimal digits, from openssl rand -hex 32. There are none when absent."`
	TemporalUI string `env:"TEMPORAL_UI" placeholder:"URL" help:"Where people find Temporal's own interface. The audit pages link to it."`
}

func (a serveAPI) Run(ctx context.Context, d *desk) error {
	log := logTo(d)
	s, c, rails, done, err := a.open(ctx, log)
	if err != nil {
		return err
	}
	defer done()
	provider, err := a.provider(ctx, a.Address)
	if err != nil {
		return err
	}
	sender, err := a.messenger(s)
	if err != nil {
		return err
	}
	var evidence ed25519.PrivateKey
	if a.Evidence != "" {
		if evidence, err = proof.ParseKey(a.Evidence); err != nil {
			return err
		}
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", a.Listen)
	if err != nil {
		return fmt.Errorf("listen at %s: %w", a.Listen, err)
	}
	log.InfoContext(ctx, "the API is ready", "address", listener.Addr().String())
	workflows := ""
	if a.TemporalUI != "" {
		workflows = web.Workflows(a.TemporalUI, a.TemporalNamespace)
	}
	return web.Run(ctx, listener, api.Config{
		Store:        s,
		Client:       c,
		Rails:        rails,
		TryFiles:     a.tryFiles,
		FileDefaults: a.fileDefaults,
		Messenger:    sender,
		SignIn:       provider != nil,
		Pages:        a.Address,
		EvidenceKey:  evidence,
		Log:          log,
	},
		web.Config{Sessions: s, OpenID: provider, HTTPS: strings.HasPrefix(a.Address, "https://"), Rails: rails.Names, Temporal: workflows, Log: log})
}

type work struct{ server }

func (w work) Run(ctx context.Context, d *desk) error {
	log := logTo(d)
	s, c, rails, done, err := w.open(ctx, log)
	if err != nil {
		return err
	}
	defer done()
	sender, err := w.messenger(s)
	if err != nil {
		return err
	}
	return worker.Run(ctx, worker.Config{Client: c, Namespace: w.TemporalNamespace, Store: s, Rails: rails, Messenger: sender, Pages: w.Address, Log: log})
}

type migrate struct {
	database
	Administrator string `placeholder:"ID" help:"Where nobody is there yet, make this participant, an administrator, and print a token for them."`
	Company       string `help:"The company's name, for a new database." default:"Company"`
	TimeZone      string `help:"Its time zone, for a new database." default:"UTC"`
}

func (m migrate) Run(ctx context.Context, d *desk) error {
	s, err := m.database.open(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Migrate(ctx); err != nil {
		return err
	}
	fmt.Fprintln(d.complaints, "The database is up to date.")
	if m.Administrator == "" {
		return nil
	}
	secret, err := s.FirstAdministrator(ctx, m.Administrator, m.Company, m.TimeZone, 30*24*time.Hour)
	if err != nil {
		return err
	}
	fmt.Fprintln(d.out, secret)
	return nil
}

type rotateKeys struct{ database }

func (r rotateKeys) Run(ctx context.Context, d *desk) error {
	s, err := r.database.open(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	written, err := s.RotateKeys(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(d.out, "%d values are encrypted anew; everything is by the newest key.\n", written)
	return nil
}
