package api

import (
	"io"
	"net"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/workflows"
)

const (
	// EventsPath is where rails send what they have to tell: their name follows.
	EventsPath = "/webhooks/"

	// largestEvent is how many bytes what a rail tells at once may have.
	largestEvent = 1 << 20

	// eventTime is how long it may take to come.
	eventTime = 10 * time.Second

	// longestEventField is more than any id or word of an event has.
	longestEventField = 255
)

// takeEvents takes in what a rail tells: the rail's signature alone says who it is. Each
// event is kept as it came before it is answered, and what it is about is looked up after.
// Whatever goes wrong on our side is answered by an error, for the rail to send it again.
func (s *server) takeEvents(c *gin.Context) {
	if err := s.keepEvents(c); err != nil {
		s.problem(c, err)
		return
	}
	c.Status(http.StatusOK)
}

func (s *server) keepEvents(c *gin.Context) error {
	host, _, err := net.SplitHostPort(c.Request.RemoteAddr)
	if err != nil {
		host = c.Request.RemoteAddr
	}
	if !s.events.Allow(host) {
		return incentive.Errorf(CodeTooMany, "that were too many events in a short time: wait a second")
	}
	rail, err := s.Rails.Single(c.Param("rail"))
	if err != nil {
		return incentive.Errorf(incentive.CodeNotFound, "there is nothing at %s", c.Request.URL.Path)
	}
	ctx := c.Request.Context()
	_ = http.NewResponseController(c.Writer).SetReadDeadline(time.Now().Add(eventTime)) // where the connection has none, what is read is bounded all the same
	body, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, largestEvent))
	if err != nil {
		return bodyError(err, largestEvent)
	}
	events, err := rail.ParseEvents(c.Request.Header, body, time.Now())
	if err != nil {
		return err
	}
	for _, e := range events {
		for _, field := range []string{e.ID, e.Kind, e.Reference, e.RailID, e.Account} {
			if !plain(field) {
				return incentive.Errorf(payments.CodeEventRefused, "an event has an id or a word that is none")
			}
		}
	}
	for _, e := range events {
		kept, err := s.Store.KeepRailEvent(ctx, store.RailEvent{
			Rail:       rail.Name(),
			EventID:    e.ID,
			Kind:       e.Kind,
			Reference:  e.Reference,
			RailID:     e.RailID,
			Account:    e.Account,
			Claims:     string(e.Claims),
			HappenedAt: e.At,
		}, body)
		if err != nil {
			return err
		}
		if !kept.Applied() {
			if err := workflows.StartRailEvent(ctx, s.Client, kept.Rail, kept.EventID, kept.Number); err != nil {
				return err
			}
		}
	}
	return nil
}

// plain reports whether what a rail wrote may be an id or a word.
func plain(text string) bool {
	return len(text) <= longestEventField && utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}
