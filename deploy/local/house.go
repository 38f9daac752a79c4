package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/gin-gonic/gin"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"

	"github.com/guerdon/guerdon/activities/messenger"
	"github.com/guerdon/guerdon/api"
	"github.com/guerdon/guerdon/api/web"
	"github.com/guerdon/guerdon/deploy/local/mailbox"
	"github.com/guerdon/guerdon/deploy/local/pickaperson"
	"github.com/guerdon/guerdon/deploy/local/postgres"
	"github.com/guerdon/guerdon/deploy/local/sample"
	"github.com/guerdon/guerdon/deploy/local/temporal"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/payments/paymentfile"
	"github.com/guerdon/guerdon/payments/points"
	"github.com/guerdon/guerdon/payments/stripe"
	"github.com/guerdon/guerdon/payments/stripe/standin"
	"github.com/guerdon/guerdon/payments/tremendous"
	rewards "github.com/guerdon/guerdon/payments/tremendous/standin"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/worker"
)

// stopTime is how long everything together may take to stop.
const stopTime = 30 * time.Second

// house is what has been started, to be stopped in the opposite order.
type house struct {
	out       io.Writer // what people read
	options   options
	directory directory
	log       *slog.Logger
	stops     []func(context.Context) error
	fail      context.CancelCauseFunc // of what runs in the background: ends everything

	database string
	ui       string
	store    *store.Store
	temporal client.Client
	rails    payments.Registry
	api      net.Listener
	apiURL   string

	messenger *messenger.Messenger
}

// run starts everything, says where to look, and waits until ctx ends or a part fails.
func run(ctx context.Context, o options, out io.Writer) (err error) {
	level := &slog.LevelVar{}
	level.Set(slog.LevelWarn)
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	h := &house{options: o, out: out, fail: fail}
	h.log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	defer func() {
		if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
			err = cause // and not what could not be done any more because of it
		}
		if len(h.stops) == 0 {
			return
		}
		level.Set(slog.LevelError + 4) // parts that lose each other now are no news
		fmt.Fprintln(h.out, "\nStopping …")
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
		defer cancel()
		for i := len(h.stops) - 1; i >= 0; i-- {
			err = errors.Join(err, h.stops[i](stopping))
		}
		fmt.Fprintln(h.out, "Stopped. The next start finds everything again.")
	}()
	if h.directory, err = openDirectory(o.DataDirectory); err != nil {
		return err
	}
	fmt.Fprintf(h.out, "Guerdon keeps its data in %s\n", h.directory)
	for _, part := range []struct {
		name  string
		start func(context.Context) (string, error)
	}{
		{"PostgreSQL", h.startPostgres},
		{"Temporal", h.startTemporal},
		{"Store", h.openStore},
		{"Address", h.listen},
		{"Rails", h.startRails},
		{"Mail", h.startMail},
		{"API", h.startAPI},
		{"Worker", h.startWorker},
	} {
		began := time.Now()
		fmt.Fprintf(h.out, "  %-11s …", part.name)
		where, err := part.start(ctx)
		if err != nil {
			fmt.Fprintln(h.out)
			return fmt.Errorf("start %s: %w", part.name, err)
		}
		fmt.Fprintf(h.out, "\r  %-11s %s (%.1f s)\n", part.name, where, time.Since(began).Seconds())
	}
	err = sample.Settle(ctx, sample.Site{Store: h.store, APIURL: h.apiURL, Empty: o.Empty, Today: today(), Say: func(line string) { fmt.Fprintln(h.out, "  "+line) }})
	if err != nil {
		return fmt.Errorf("fill the sample company: %w", err)
	}
	if err := h.welcome(ctx); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// welcome says where to look and whom to sign in as.
func (h *house) welcome(ctx context.Context) error {
	name, _, err := h.store.Company(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(h.out, "\n%s is ready.\n\n  Pages        %s\n  API          %s%s  (its document: /openapi.yaml)\n", name, h.apiURL, h.apiURL, api.Prefix)
	if h.ui != "" {
		fmt.Fprintf(h.out, "  Temporal UI  %s\n", h.ui)
	}
	fmt.Fprintf(h.out, "  Database     %s\n", h.database)
	fmt.Fprintln(h.out, "\nSign in as, for example:")
	everybody, err := h.store.People(ctx, "", "", 500)
	if err != nil {
		return err
	}
	shown := map[incentive.Role]int{}
	for _, p := range everybody {
		if len(p.Roles) == 0 {
			continue
		}
		role := p.Roles[0] // managers are reps too
		if shown[role]++; shown[role] <= 2 {
			fmt.Fprintf(h.out, "  %-14s go run ./cmd/guerdon --api-url %s sign-in %s   # %s\n", role, h.apiURL, p.ID, p.Name)
		}
	}
	fmt.Fprintln(h.out, "\nREADME.md walks through a pay period. Ctrl-C stops everything.")
	return nil
}

func today() incentive.Date {
	return incentive.DateOf(time.Now())
}

func (h *house) onStop(stop func(context.Context) error) { h.stops = append(h.stops, stop) }

// background runs a part until it is told to stop; if it ends before, the house ends too.
func (h *house) background(name string, part func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		err := part(ctx)
		if ctx.Err() == nil {
			h.fail(fmt.Errorf("%s ended: %w", name, err))
			err = nil // told
		}
		ended <- err
	}()
	h.onStop(func(stopping context.Context) error {
		cancel()
		select {
		case err := <-ended:
			if errors.Is(err, context.Canceled) {
				return nil
			}
			return err
		case <-stopping.Done():
			return fmt.Errorf("%s did not stop in time", name)
		}
	})
}

func (h *house) startPostgres(ctx context.Context) (string, error) {
	if h.options.DatabaseURL != "" {
		h.database = h.options.DatabaseURL
		return "the one of DATABASE_URL", nil
	}
	server, err := postgres.Start(ctx, postgres.Options{DataDirectory: h.directory.postgres(), Log: h.log, Say: func(line string) {
		fmt.Fprintf(h.out, "\r    %s\n  %-11s …", line, "PostgreSQL")
	}})
	if err != nil {
		return "", err
	}
	h.onStop(server.Stop)
	go func() {
		<-server.Done()
		h.fail(errors.New("PostgreSQL has ended"))
	}()
	h.database = server.URL()
	return server.DataDirectory(), nil
}

func (h *house) startTemporal(ctx context.Context) (string, error) {
	address := h.options.TemporalAddress
	if address == "" {
		server, err := temporal.Start(ctx, temporal.Options{DatabaseURL: h.database, FrontendPort: h.options.TemporalPort, UIPort: h.options.UIPort, Log: h.log})
		if err != nil {
			return "", err
		}
		h.onStop(server.Stop)
		address = server.Address()
		if at := server.UIAddress(); at != "" {
			h.ui = "http://" + at
		}
	}
	connection, err := client.DialContext(ctx, client.Options{HostPort: address, Namespace: temporal.Namespace, Logger: sdklog.NewStructuredLogger(h.log)})
	if err != nil {
		return "", err
	}
	h.onStop(func(context.Context) error { connection.Close(); return nil })
	h.temporal = connection
	return address, nil
}

func (h *house) openStore(ctx context.Context) (string, error) {
	keys, err := h.directory.keys()
	if err != nil {
		return "", err
	}
	if h.store, err = store.Open(ctx, h.database, keys); err != nil {
		return "", err
	}
	h.onStop(func(context.Context) error { h.store.Close(); return nil })
	return "tables are up to date", h.store.Migrate(ctx)
}

// listen takes the API's address: a rail must know it before the API can be started.
func (h *house) listen(ctx context.Context) (string, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", h.options.APIPort))
	if err != nil {
		return "", incentive.Errorf("api-port-busy", "Port %d, where the API would listen, is taken: stop what uses it or choose another with --api-port.", h.options.APIPort)
	}
	h.onStop(func(context.Context) error { _ = listener.Close(); return nil }) // the API closes it too
	h.api, h.apiURL = listener, "http://"+listener.Addr().String()
	return h.apiURL, nil
}

// startRails starts the stand-in for Stripe and the rails: nothing here can reach a bank.
func (h *house) startRails(context.Context) (string, error) {
	const key, secret = "sk_test_local", "whsec_local"
	bank, err := standin.Start("127.0.0.1:0", standin.Options{
		APIKey: key, AnyAccount: true, WebhookURL: h.apiURL + api.EventsPath + stripe.Name, WebhookSecret: secret, Journal: h.directory.standin(),
		Balances: map[string]int64{"usd": 50_000_000_00, "eur": 50_000_000_00},
	})
	if err != nil {
		return "", err
	}
	h.onStop(bank.Stop)
	single, err := stripe.New(stripe.Config{APIKey: key, WebhookSecrets: []string{secret}, BaseURL: bank.URL})
	if err != nil {
		return "", err
	}
	// What was ordered is forgotten when the house stops: only here, where nobody is sent anything.
	shop, err := rewards.Start("127.0.0.1:0", rewards.Options{
		APIKey:        key,
		Balance:       "1000000",
		WebhookURL:    h.apiURL + api.EventsPath + tremendous.Name,
		WebhookSecret: secret,
	})
	if err != nil {
		return "", err
	}
	h.onStop(shop.Stop)
	catalogue, err := tremendous.New(tremendous.Config{APIKey: key, CampaignID: rewards.Campaign, WebhookSecrets: []string{secret}, BaseURL: shop.URL})
	if err != nil {
		return "", err
	}
	h.rails, err = payments.NewRegistry(single, paymentfile.New("payment-file", sample.Name), catalogue, points.New(h.store))
	return "payment-file, points, and stripe and tremendous by stand-ins at " + bank.URL + " and " + shop.URL, err
}

// startMail starts a mail server that keeps what people are sent.
func (h *house) startMail(context.Context) (string, error) {
	box, err := mailbox.Start(mailbox.Options{Directory: h.directory.mail()})
	if err != nil {
		return "", err
	}
	h.onStop(func(context.Context) error { return box.Stop() })
	h.messenger = messenger.New(messenger.Config{SMTP: box.Address, From: "guerdon@localhost", Plain: true, WebhookHosts: h.store.WebhookHosts})
	return "kept in " + h.directory.mail(), nil
}

func (h *house) startAPI(context.Context) (string, error) {
	evidence, err := h.directory.evidenceKey()
	if err != nil {
		return "", err
	}
	config := api.Config{
		EvidenceKey: evidence,
		Store:       h.store,
		Client:      h.temporal,
		Rails:       h.rails,
		Messenger:   h.messenger,
		Pages:       h.apiURL,
		Log:         h.log,
		Extra:       func(r gin.IRouter) { pickaperson.Mount(r, h.store) },
	}
	pages := web.Config{Sessions: h.store, SignIn: pickaperson.Page(h.store), Rails: h.rails.Names, Log: h.log}
	if h.ui != "" {
		pages.Temporal = web.Workflows(h.ui, temporal.Namespace)
	}
	h.background("the API", func(ctx context.Context) error { return web.Run(ctx, h.api, config, pages) })
	return h.apiURL, nil
}

func (h *house) startWorker(context.Context) (string, error) {
	h.background("the worker", func(ctx context.Context) error {
		return worker.Run(ctx, worker.Config{
			Client:    h.temporal,
			Namespace: temporal.Namespace,
			Store:     h.store,
			Rails:     h.rails,
			Messenger: h.messenger,
			Pages:     h.apiURL,
			Log:       h.log,
		})
	})
	return "works", nil
}
