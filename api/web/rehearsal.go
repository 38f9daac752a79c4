package web

import (
	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

type rehearsalPage struct {
	head
	Rails []client.RehearsedRail
}

// rehearsal shows what a release would send.
func (v *visit) rehearsal() error {
	h, err := v.of("release")
	if err != nil {
		return err
	}
	body := rehearsalPage{head: h}
	answer, err := client.Read[client.Rehearsal](v.api.RehearseRelease(v.r.Context(), h.Period.Id))
	if err != nil && incentive.ErrorCode(err) != incentive.CodeNotFound { // nothing is planned yet
		return err
	}
	body.Rails = answer.Rails
	return v.show("rehearsal", "rehearsal.title", body, "period", v.texts.period(h.Period))
}

// rehearsedFile hands out a file that a release would build.
func (v *visit) rehearsedFile() error {
	return v.download(client.NewRehearseFileRequest(within, v.r.PathValue("period"), v.r.PathValue("rail"), v.r.PathValue("currency")))
}
