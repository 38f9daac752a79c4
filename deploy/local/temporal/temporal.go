// Package temporal runs a whole Temporal server and its Web UI inside this process, on a
// PostgreSQL database. It is meant for a local installation, tests and demos; production
// uses a Temporal cluster of its own.
//
// Everything listens on the loopback address. Build nothing that imports this package
// with -race.
package temporal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"time"

	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/dynamicconfig"
	"go.temporal.io/server/common/membership/static"
	"go.temporal.io/server/common/persistence/sql/sqlplugin/postgresql"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/temporal"

	"github.com/guerdon/guerdon/incentive"
)

// Codes of the errors that a user can mend.
const (
	CodeDatabase   incentive.Code = "temporal-database"      // the database cannot be used
	CodeInUse      incentive.Code = "temporal-database-busy" // another Temporal server runs on this database
	CodePortBusy   incentive.Code = "temporal-port-busy"     // something else listens on the port
	CodeNotStarted incentive.Code = "temporal-not-started"   // the server does not answer
)

const (
	loopback = "127.0.0.1"
	shards   = 4 // a database keeps this number for ever
	every    = 25 * time.Millisecond
	limit    = 60 * time.Second // of a start
)

// Options of Start.
type Options struct {
	// DatabaseURL is a postgres:// address. The schemas temporal and temporal_visibility of
	// that database are Temporal's.
	DatabaseURL string
	// FrontendPort is where clients and workers connect; 0 means any free port.
	FrontendPort int
	// UIPort is where the Web UI listens; 0 means any free port, negative no Web UI.
	UIPort int
	// Log gets what Temporal warns of; nil means nowhere.
	Log *slog.Logger
	// TimeSkipping lets SkipTime work. For tests and demos.
	TimeSkipping bool
	// TaskTimeout is after how long a worker that was killed with a workflow task is missed;
	// 0 means Temporal's own 10 s.
	TaskTimeout time.Duration
}

// Server is a running Temporal server.
type Server struct {
	address  string
	database *database
	server   temporal.Server
	ui       *ui
	log      *logger
	stop     sync.Once
	stopped  chan struct{}
	err      error
}

// Start starts the server and returns when the namespace answers. It takes over the
// database of a killed process. The context bounds the start only.
func Start(ctx context.Context, options Options) (*Server, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	log := newLogger(options.Log)

	database, err := openDatabase(ctx, options.DatabaseURL, log)
	if err != nil {
		return nil, err
	}
	s := &Server{database: database, log: log, stopped: make(chan struct{})}
	if err := s.start(ctx, options); err != nil {
		return nil, errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
	}
	log.settled.Store(true)
	return s, nil
}

// start tries again with other ports when a free one was taken by someone else meanwhile.
func (s *Server) start(ctx context.Context, options Options) error {
	var uiPort int
	for try := 1; ; try++ {
		ports, err := freePorts(options.FrontendPort, 0, 0, 0, max(options.UIPort, 0))
		if err != nil {
			return err
		}
		services := map[primitives.ServiceName]int{
			primitives.FrontendService: ports[0],
			primitives.HistoryService:  ports[1],
			primitives.MatchingService: ports[2],
			primitives.WorkerService:   ports[3],
		}
		s.address, uiPort = at(ports[0]), ports[4]
		s.server, err = s.newServer(services, options)
		if err == nil {
			break
		}
		if !errors.As(err, new(fatal)) || try == 3 {
			return incentive.Errorf(CodeNotStarted, "The Temporal server cannot be set up: %v", err)
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.server.Start(); err != nil {
		return incentive.Errorf(CodeNotStarted, "The Temporal server did not start: %v", err)
	}
	if err := ensureNamespace(ctx, s.address); err != nil {
		return err
	}
	if options.UIPort < 0 {
		return nil
	}
	var err error
	s.ui, err = startUI(ctx, s.address, uiPort)
	return err
}

// freePorts returns the ports wanted, and any free ones for 0. They are tried first
// because Temporal ends the whole process when a port is busy. The listeners stay open
// together, which gives different ports.
func freePorts(wanted ...int) ([]int, error) {
	var ports []int
	for _, port := range wanted {
		listener, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.ParseIP(loopback), Port: port})
		if err != nil {
			return nil, incentive.Errorf(CodePortBusy, "Port %d on %s cannot be used for Temporal (%v): stop what uses it, or choose another port (0 means any free one).", port, loopback, err)
		}
		defer listener.Close()
		ports = append(ports, listener.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

// newServer makes the server, which opens its ports, and turns what would end the process
// into an error.
func (s *Server) newServer(ports map[primitives.ServiceName]int, options Options) (_ temporal.Server, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			end, ok := reason.(fatal)
			if !ok {
				panic(reason)
			}
			err = end
		}
	}()
	settings := dynamicconfig.StaticClient{
		// Search attributes can be used as soon as they are added.
		dynamicconfig.ForceSearchAttributesCacheRefreshOnRead.Key(): true,
		dynamicconfig.WorkflowTimeSkippingEnabled.Key():             options.TimeSkipping,
	}
	if options.TaskTimeout > 0 {
		settings[dynamicconfig.DefaultWorkflowTaskTimeout.Key()] = options.TaskTimeout
	}
	return temporal.NewServer(append(s.database.options(ports),
		temporal.ForServices(temporal.DefaultServices),
		temporal.WithLogger(s.log),
		temporal.WithNamespaceLogger(s.log),
		temporal.WithAuthorizer(authorization.NewNoopAuthorizer()),
		temporal.WithDynamicConfigClient(settings),
	)...)
}

// options describe a cluster of one process. Its members are named, not discovered: there
// are no membership ports, and none of a killed process is waited for.
func (d *database) options(ports map[primitives.ServiceName]int) []temporal.ServerOption {
	frontend := at(ports[primitives.FrontendService])
	configuration := &config.Config{
		Global: config.Global{Membership: config.Membership{MaxJoinDuration: 30 * time.Second, BroadcastAddress: loopback}},
		Persistence: config.Persistence{
			DefaultStore:     schemaMain,
			VisibilityStore:  schemaVisibility,
			NumHistoryShards: shards,
			DataStores: map[string]config.DataStore{
				schemaMain:       {SQL: d.configuration(schemaMain)},
				schemaVisibility: {SQL: d.configuration(schemaVisibility)},
			},
		},
		ClusterMetadata: &cluster.Config{
			FailoverVersionIncrement: 10,
			MasterClusterName:        "active",
			CurrentClusterName:       "active",
			ClusterInformation: map[string]cluster.ClusterInformation{
				"active": {Enabled: true, InitialFailoverVersion: 1, RPCAddress: frontend},
			},
		},
		DCRedirectionPolicy: config.DCRedirectionPolicy{Policy: "noop"},
		Services:            map[string]config.Service{},
		Archival: config.Archival{
			History:    config.HistoryArchival{State: config.ArchivalDisabled},
			Visibility: config.VisibilityArchival{State: config.ArchivalDisabled},
		},
		NamespaceDefaults: config.NamespaceDefaults{Archival: config.ArchivalNamespaceDefaults{
			History:    config.HistoryArchivalNamespaceDefaults{State: config.ArchivalDisabled},
			Visibility: config.VisibilityArchivalNamespaceDefaults{State: config.ArchivalDisabled},
		}},
		PublicClient: config.PublicClient{HostPort: frontend},
	}
	hosts := map[primitives.ServiceName]static.Hosts{}
	for name, port := range ports {
		configuration.Services[string(name)] = config.Service{RPC: config.RPC{GRPCPort: port, BindOnIP: loopback}}
		hosts[name] = static.SingleLocalHost(at(port))
	}
	return []temporal.ServerOption{temporal.WithConfig(configuration), temporal.WithStaticHosts(hosts)}
}

// configuration is how Temporal reaches one of its schemas.
func (d *database) configuration(schema string) *config.SQL {
	attributes := map[string]string{"search_path": schema + ",public", "application_name": "temporal"}
	for name, values := range d.url.Query() {
		if attributes[name] == "" {
			attributes[name] = values[0]
		}
	}
	// As attributes these may hold any character.
	attributes["user"] = d.url.User.Username()
	if password, ok := d.url.User.Password(); ok {
		attributes["password"] = password
	}
	return &config.SQL{
		PluginName:        postgresql.PluginNamePGX,
		ConnectAddr:       d.url.Host,
		DatabaseName:      d.name,
		ConnectAttributes: attributes,
		MaxConns:          20,
		MaxIdleConns:      10,
	}
}

// Address is where clients and workers connect, as host:port.
func (s *Server) Address() string { return s.address }

// Namespace is the namespace of all our workflows.
func (s *Server) Namespace() string { return Namespace }

// UIAddress is where the Web UI listens, as host:port; empty without one.
func (s *Server) UIAddress() string {
	if s.ui == nil {
		return ""
	}
	return s.ui.address
}

// Stop stops the Web UI and the server; what runs goes on at the next start. Stop the
// workers and clients before. Stop may be called again; when the context ends first, it
// goes on in the background.
func (s *Server) Stop(ctx context.Context) error {
	s.log.settled.Store(false)
	go s.stop.Do(func() {
		defer close(s.stopped)
		if s.ui != nil {
			s.ui.stop()
		}
		if s.server != nil {
			s.err = s.server.Stop()
		}
		s.err = errors.Join(s.err, s.database.close())
	})
	select {
	case <-s.stopped:
		return s.err
	case <-ctx.Done():
		return fmt.Errorf("stopping the Temporal server: %w", ctx.Err())
	}
}

func at(port int) string { return net.JoinHostPort(loopback, strconv.Itoa(port)) }
