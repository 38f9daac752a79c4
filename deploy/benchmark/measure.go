package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// measured is what something took: of the clock, of processors, and the most memory that
// this process ever had.
type measured struct {
	wall, own, database time.Duration
	resident            int64 // bytes
}

type measuring struct {
	began    time.Time
	own      time.Duration
	database time.Duration
	backends backends
}

func begin(b backends) measuring { return measuring{time.Now(), ownTime(), b.time(), b} }

func (m measuring) end() measured {
	return measured{time.Since(m.began), ownTime() - m.own, m.backends.time() - m.database, resident()}
}

// ownTime is how long this process has kept processors busy.
func ownTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// backends is a PostgreSQL server by its first process.
type backends struct{ server int }

func backendsOf(ctx context.Context, connection *pgx.Conn) (backends, error) {
	var one int
	if err := connection.QueryRow(ctx, `SELECT pg_backend_pid()`).Scan(&one); err != nil {
		return backends{}, fmt.Errorf("look for PostgreSQL's processes: %w", err)
	}
	stat, err := statOf(one)
	if err != nil {
		return backends{}, nil // not Linux
	}
	return backends{stat.parent}, nil
}

// time is how long the server's processes have kept processors busy, those that have ended
// included.
func (b backends) time() time.Duration {
	if b.server == 0 {
		return 0
	}
	var sum time.Duration
	processes, _ := filepath.Glob("/proc/[0-9]*")
	for _, path := range processes {
		id, err := strconv.Atoi(filepath.Base(path))
		if err != nil {
			continue
		}
		stat, err := statOf(id)
		switch {
		case err != nil:
		case id == b.server:
			sum += stat.own + stat.children
		case stat.parent == b.server:
			sum += stat.own
		}
	}
	return sum
}

type stat struct {
	parent        int
	own, children time.Duration
}

// statOf reads a process of Linux.
func statOf(id int) (s stat, err error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", id))
	if err != nil {
		return s, err
	}
	_, rest, _ := strings.Cut(string(data), ") ") // after the name, which may hold anything but this
	fields := strings.Fields(rest)
	if len(fields) < 15 {
		return s, fmt.Errorf("process %d says nothing", id)
	}
	const tick = 10 * time.Millisecond
	at := func(n int) time.Duration {
		ticks, _ := strconv.Atoi(fields[n])
		return time.Duration(ticks) * tick
	}
	s.parent, err = strconv.Atoi(fields[1])
	s.own, s.children = at(11)+at(12), at(13)+at(14)
	return s, err
}

// resident is the most memory that this process has had.
func resident() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return u.Maxrss << 10
}
