package web

import (
	"net/url"
	"strings"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

type railsPage struct {
	client.Rails
	Missing   []string // rails that are not set up here
	Calendars []client.Calendar
	MayChange bool
}

// rails shows each rail, with how it is.
func (v *visit) rails() error {
	list, err := client.Read[client.Rails](v.api.ListRails(v.r.Context()))
	if err != nil {
		return err
	}
	body := railsPage{MayChange: v.may(incentive.AdministerRails) > incentive.None}
	body.SendingLocked = list.SendingLocked
	for _, one := range list.Rails {
		if one.SetUp {
			body.Rails.Rails = append(body.Rails.Rails, one)
		} else {
			body.Missing = append(body.Missing, one.Rail)
		}
	}
	calendars, err := client.Read[client.Calendars](v.api.ListCalendars(v.r.Context()))
	if err != nil {
		return err
	}
	body.Calendars = calendars.Calendars
	return v.show("rails", "rails.title", body)
}

type railPage struct {
	client.RailDetail
	Called    map[string]string
	PerSecond string // what the form begins with
	Largest   string
	MayChange bool
}

// rail shows one rail, with what it may do.
func (v *visit) rail() error {
	detail, err := client.Read[client.RailDetail](v.api.GetRail(v.r.Context(), v.r.PathValue("rail")))
	if err != nil {
		return err
	}
	body := railPage{RailDetail: detail, MayChange: v.may(incentive.AdministerRails) > incentive.None}
	if limits := detail.Rail.Limits; limits != nil {
		if limits.PerSecond != nil {
			body.PerSecond = v.texts.Number(*limits.PerSecond)
		}
		if limits.Largest != nil {
			var lines []string
			for _, most := range *limits.Largest {
				lines = append(lines, v.texts.Number(most.Amount())+" "+string(most.Currency))
			}
			body.Largest = strings.Join(lines, "\n")
		}
	}
	if v.problem != nil {
		body.PerSecond, body.Largest = v.r.PostFormValue("per_second"), v.r.PostFormValue("largest")
	}
	if body.Called, err = v.called(); err != nil {
		return err
	}
	return v.show("rail", "rail.title", body, "rail", v.texts.Term("rail", detail.Rail.Rail))
}

// limitRail says what a rail may do from now on.
func (v *visit) limitRail() error {
	if v.may(incentive.AdministerRails) == incentive.None {
		return v.forbidden()
	}
	rail := v.r.PathValue("rail")
	request := client.RailLimitsRequest{Reason: strings.TrimSpace(v.r.PostFormValue("reason"))}
	largest, err := v.largest(v.r.PostFormValue("largest"))
	if len(largest) > 0 {
		request.Largest = &largest
	}
	if err == nil {
		request.PerSecond, err = v.decimal(strings.TrimSpace(v.r.PostFormValue("per_second")), 0)
	}
	if err == nil {
		_, err = command[client.RailLimits](v.api.PutRailLimits(v.r.Context(), rail, &client.PutRailLimitsParams{IdempotencyKey: v.key()}, request))
	}
	return v.done(err, "/rails/"+url.PathEscape(rail), message{Key: "done.rail-limits"}, (*visit).rail)
}

// largest reads lines of "5000 USD", with the amount as people write it.
func (v *visit) largest(text string) (all []incentive.Money, err error) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		amount, currency, _ := strings.Cut(line, " ")
		one, err := v.amount(amount, strings.TrimSpace(currency))
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}
