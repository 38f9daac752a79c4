package temporal

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"

	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/log/tag"
)

// logger passes on what Temporal warns of. While the server starts and stops, its parts
// complain that they do not find each other: that goes to the debug level, as a start
// that fails returns its error.
type logger struct {
	log     *slog.Logger
	settled *atomic.Bool
}

var (
	_ log.Logger      = (*logger)(nil)
	_ log.WithLogger  = (*logger)(nil)
	_ log.SLogWrapper = (*logger)(nil)
)

func newLogger(to *slog.Logger) *logger {
	if to == nil {
		to = slog.New(slog.DiscardHandler)
	}
	return &logger{log: to, settled: new(atomic.Bool)}
}

func (l *logger) write(level slog.Level, message string, tags []tag.Tag) {
	if level < slog.LevelWarn {
		return // Temporal's own news is of no use to whoever runs this
	}
	if !l.settled.Load() {
		level = slog.LevelDebug
	}
	if ctx := context.Background(); l.log.Enabled(ctx, level) {
		l.log.LogAttrs(ctx, level, "Temporal: "+message, attributes(tags)...)
	}
}

func attributes(tags []tag.Tag) []slog.Attr {
	list := make([]slog.Attr, 0, len(tags))
	for _, t := range tags {
		list = append(list, slog.Any(t.Key(), t.Value()))
	}
	return list
}

func (l *logger) Debug(message string, tags ...tag.Tag) { l.write(slog.LevelDebug, message, tags) }
func (l *logger) Info(message string, tags ...tag.Tag)  { l.write(slog.LevelInfo, message, tags) }
func (l *logger) Warn(message string, tags ...tag.Tag)  { l.write(slog.LevelWarn, message, tags) }
func (l *logger) Error(message string, tags ...tag.Tag) { l.write(slog.LevelError, message, tags) }

// DPanic is an error that only a development build of Temporal would panic on.
func (l *logger) DPanic(message string, tags ...tag.Tag) { l.write(slog.LevelError, message, tags) }

// Panic and Fatal do not return: Temporal relies on it.
func (l *logger) Panic(message string, tags ...tag.Tag) {
	l.log.LogAttrs(context.Background(), slog.LevelError, "Temporal: "+message, attributes(tags)...)
	panic(message)
}

func (l *logger) Fatal(message string, tags ...tag.Tag) {
	if !l.settled.Load() {
		panic(fatal(fmt.Sprint(message, attributes(tags))))
	}
	l.log.LogAttrs(context.Background(), slog.LevelError, "Temporal cannot go on: "+message, attributes(tags)...)
	os.Exit(1)
}

// fatal is why a server that is being set up cannot go on.
type fatal string

func (f fatal) Error() string { return string(f) }

// With keeps the tags for every line.
func (l *logger) With(tags ...tag.Tag) log.Logger {
	arguments := make([]any, 0, len(tags))
	for _, attribute := range attributes(tags) {
		arguments = append(arguments, attribute)
	}
	return &logger{log: l.log.With(arguments...), settled: l.settled}
}

// SLog is for the parts that log through slog.
func (l *logger) SLog() *slog.Logger {
	return slog.New(quiet{l.log.Handler(), l.settled})
}

// quiet is a handler with the levels of logger.
type quiet struct {
	slog.Handler
	settled *atomic.Bool
}

func (q quiet) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && q.settled.Load() && q.Handler.Enabled(ctx, level)
}

func (q quiet) WithAttrs(attributes []slog.Attr) slog.Handler {
	return quiet{q.Handler.WithAttrs(attributes), q.settled}
}

func (q quiet) WithGroup(name string) slog.Handler {
	return quiet{q.Handler.WithGroup(name), q.settled}
}
