package postgres

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
)

// repository is a stand-in for Maven Central with one archive, whatever is asked for.
type repository struct {
	archive  []byte
	checksum string // its answer where there is one
	asked    atomic.Int32
	begun    chan struct{} // closed when the first archive is asked for
	stalls   bool          // sends half of the archive, and no more until it is hung up
}

func newRepository(archive []byte) *repository {
	sum := sha256.Sum256(archive)
	return &repository{archive: archive, checksum: hex.EncodeToString(sum[:]), begun: make(chan struct{})}
}

func (r *repository) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	switch {
	case strings.HasSuffix(request.URL.Path, ".jar"):
		if r.asked.Add(1) == 1 {
			close(r.begun)
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(r.archive)))
		if r.stalls {
			_, _ = w.Write(r.archive[:len(r.archive)/2])
			w.(http.Flusher).Flush()
			<-request.Context().Done()
			return
		}
		_, _ = w.Write(r.archive)
	case strings.HasSuffix(request.URL.Path, ".jar.sha256") && r.checksum != "":
		fmt.Fprintln(w, r.checksum)
	default:
		http.NotFound(w, request)
	}
}

// installedArchive packs the programs of this machine as those of the repository are
// packed.
var installedArchive = sync.OnceValues(func() ([]byte, error) {
	found, err := programsOf(context.Background(), Options{})
	if err != nil {
		return nil, err
	}
	server, err := filepath.EvalSymlinks(filepath.Join(found[0].directory, "postgres"))
	if err != nil {
		return nil, err
	}
	directory := filepath.Dir(server)
	files := map[string]string{}
	for _, name := range []string{"initdb", "postgres"} {
		content, err := os.ReadFile(filepath.Join(directory, name))
		if err != nil {
			return nil, err
		}
		files["bin/"+name] = string(content)
	}
	links := map[string]string{}
	for _, name := range []string{"lib", "share"} { // what the programs look for beside them
		beside := filepath.Join(filepath.Dir(directory), name)
		if _, err := os.Stat(beside); err == nil {
			links[name] = beside
		}
	}
	return pack(files, links)
})

func pack(files, links map[string]string) ([]byte, error) {
	var tarred, archive bytes.Buffer
	tape := tar.NewWriter(&tarred)
	for name, target := range links {
		if err := tape.WriteHeader(&tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: target}); err != nil {
			return nil, err
		}
	}
	for name, content := range files {
		if err := tape.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o755, Size: int64(len(content))}); err != nil {
			return nil, err
		}
		if _, err := tape.Write([]byte(content)); err != nil {
			return nil, err
		}
	}
	if err := tape.Close(); err != nil {
		return nil, err
	}
	jar := zip.NewWriter(&archive)
	inner, err := jar.CreateHeader(&zip.FileHeader{Name: "postgres.txz", Method: zip.Store})
	if err != nil {
		return nil, err
	}
	if _, err := inner.Write(xz(tarred.Bytes())); err != nil {
		return nil, err
	}
	err = jar.Close()
	return archive.Bytes(), err
}

// xz wraps content in the xz format without compressing it.
func xz(content []byte) []byte {
	sealed := func(b []byte) []byte { return binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b)) }
	padded := func(b []byte) []byte { return append(b, make([]byte, (4-len(b)%4)%4)...) }
	flags := []byte{0, 1} // checked by CRC32

	block := sealed([]byte{2, 0, 0x21, 1, 22, 0, 0, 0}) // LZMA2 with a dictionary of 8 MB
	kind := byte(1)                                     // the first chunk resets the dictionary
	for chunk := range slices.Chunk(content, 1<<16) {
		block = append(binary.BigEndian.AppendUint16(append(block, kind), uint16(len(chunk)-1)), chunk...)
		kind = 2
	}
	block = append(block, 0)
	unpadded := uint64(len(block) + crc32.Size)
	block = binary.LittleEndian.AppendUint32(padded(block), crc32.ChecksumIEEE(content))

	index := binary.AppendUvarint(binary.AppendUvarint([]byte{0, 1}, unpadded), uint64(len(content)))
	index = sealed(padded(index))
	backward := append(binary.LittleEndian.AppendUint32(nil, uint32(len(index)/4-1)), flags...)
	footer := append(binary.LittleEndian.AppendUint32(nil, crc32.ChecksumIEEE(backward)), backward...)
	return slices.Concat([]byte("\xfd7zXZ\x00"), sealed(flags), block, index, footer, []byte("YZ"))
}

// startRepository serves a stand-in, and returns a fetcher from it.
func startRepository(t *testing.T, r http.Handler) *fetcher {
	t.Helper()
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	f, err := newFetcher(Options{Cache: filepath.Join(place(t), "new", "cache")})
	require.NoError(t, err)
	f.repository = server.URL
	return f
}

var errMissing = incentive.Errorf(CodeProgramsMissing, "Nothing is installed. Install it.")

func TestFetchedProgramsRun(t *testing.T) {
	archive, err := installedArchive()
	require.NoError(t, err)
	r := newRepository(archive)
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	t.Setenv(RepositoryVariable, server.URL)
	remove, err := exec.LookPath("rm") // of all programs on PATH the starter needs this one
	require.NoError(t, err)
	path := t.TempDir()
	require.NoError(t, os.Symlink(remove, filepath.Join(path, "rm")))
	t.Setenv("PATH", path)
	places := usualPlaces
	usualPlaces = nil
	t.Cleanup(func() { usualPlaces = places })

	var said []string
	options := Options{Cache: place(t), Throwaway: true, Say: func(line string) { said = append(said, line) }}
	for range 2 { // the second from the cache
		started := start(t, options)
		require.True(t, answer[bool](t, started.URL(), "SELECT true"))
		require.True(t, strings.HasPrefix(started.directory.programs.directory, options.Cache))
	}
	require.EqualValues(t, 1, r.asked.Load())
	require.Contains(t, said[0], "version 17.5.0 is fetched from "+server.URL+", once, into "+options.Cache)
	require.Regexp(t, `^5 of \d+ MB$`, said[1])

	usualPlaces = places
	found, err := programsOf(t.Context(), options)
	require.NoError(t, err)
	require.False(t, strings.HasPrefix(found[0].directory, options.Cache), "what is installed comes first")
	require.Equal(t, 17, found[len(found)-1].major, "data may belong to what was fetched")
}

func TestSeveralFetchOnce(t *testing.T) {
	t.Parallel()
	archive, err := installedArchive()
	require.NoError(t, err)
	r := newRepository(archive)
	f := startRepository(t, r)
	require.NoError(t, os.MkdirAll(filepath.Join(f.cache, "unfinished-1", "programs"), 0o755), "of a killed process")
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			own := *f
			found, err := own.fetch(t.Context(), errMissing)
			if err != nil || majorVersion(t.Context(), found.directory) == 0 {
				t.Errorf("%v, %v", found, err)
			}
		})
	}
	all.Wait()
	require.EqualValues(t, 1, r.asked.Load())
	entries, err := os.ReadDir(f.cache)
	require.NoError(t, err)
	require.Len(t, entries, 2, "the programs and the lock: %v", entries)

	info, err := os.Stat(filepath.Join(f.whole(), "bin", "postgres"))
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o755), info.Mode().Perm())
	if os.Geteuid() == 0 {
		require.NotZero(t, info.Sys().(*syscall.Stat_t).Uid, "not fetched as root")
	}
}

func TestInterruptedFetchIsRepeated(t *testing.T) {
	t.Parallel()
	archive, err := installedArchive()
	require.NoError(t, err)
	r := newRepository(archive)
	r.stalls = true
	f := startRepository(t, r)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-r.begun
		cancel()
	}()
	_, err = f.fetch(ctx, errMissing)
	require.ErrorIs(t, err, context.Canceled)
	_, is := f.kept()
	require.False(t, is)
	require.Empty(t, unfinished(t, f))

	r.stalls = false
	_, err = f.fetch(t.Context(), errMissing)
	require.NoError(t, err)
}

func unfinished(t *testing.T, f *fetcher) []string {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(f.cache, "unfinished-*"))
	require.NoError(t, err)
	return left
}

func TestFetchRefusals(t *testing.T) {
	t.Parallel()
	script := func(text string) []byte {
		archive, err := pack(map[string]string{"bin/initdb": text, "bin/postgres": text}, nil)
		require.NoError(t, err)
		return archive
	}
	whole := script("#!/bin/sh\n")
	altered := newRepository(whole)
	altered.checksum = strings.Repeat("0", 64)
	without := newRepository(whole)
	without.checksum = ""
	empty, err := pack(nil, nil)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		repository http.Handler
		text       string
	}{
		"another checksum":  {altered, "not that of the repository: it is not used"},
		"no checksum":       {without, "without its checksum it is not used: http"},
		"not there":         {http.NotFoundHandler(), ".jar answers 404 Not Found"},
		"not an archive":    {newRepository([]byte("<html>")), "unpacking ended with error fetching postgres: zip"},
		"without programs":  {newRepository(empty), "the fetched initdb does not run on this system"},
		"of another system": {newRepository(script("#!/bin/sh\necho no such loader; exit 127\n")), "the fetched initdb does not run on this system (exit status 127) no such loader"},
		"broken off": {http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "9")
			fmt.Fprint(w, "half")
		}), "broke off: unexpected EOF"},
		"nobody is there":    {nil, "connection refused"},
		"not an address":     {nil, "unsupported protocol scheme"},
		"a cache under file": {newRepository(whole), "not a directory"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := startRepository(t, c.repository)
			switch name {
			case "nobody is there":
				address, err := loopback(0)
				require.NoError(t, err)
				f.repository = "http://somebody:secret@" + address.String()
			case "not an address":
				f.repository = "maven"
			case "a cache under file":
				f.cache = "/dev/null/cache"
			}
			_, err := f.fetch(t.Context(), errMissing)
			require.Equal(t, CodeNotFetched, incentive.ErrorCode(err), "%v", err)
			require.ErrorContains(t, err, c.text)
			require.ErrorContains(t, err, "Nothing is installed. Install it.\nThey could not be fetched from ")
			require.ErrorContains(t, err, RepositoryVariable)
			require.NotContains(t, err.Error(), "secret")
			_, is := f.kept()
			require.False(t, is)
			require.Empty(t, unfinished(t, f))
		})
	}
}
