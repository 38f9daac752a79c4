package web

import (
	"cmp"
	"strings"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

// tourStep is a step from an empty company to its first calculated period. Its texts are
// tour.step.<step>, tour.step.means.<step> and tour.step.do.<step>.
type tourStep struct {
	Step, Path string
	Done       bool
	Here       bool // the first that is not done
}

// tourPaths are the pages on which steps are done.
var tourPaths = map[client.SetupStepStep]string{
	"company": "/settings", "people": "/people", "roles": "/people", "calendar": "/calendars", "plan": "/plan-drafts", "assignments": "/people", "deals": "/imports", "open": "/periods", "calculate": "/periods",
}

// toured lists the steps, with how far the company is.
func (v *visit) toured() (steps []tourStep, over bool, err error) {
	setup, err := client.Read[client.Setup](v.api.GetSetup(v.r.Context()))
	if err != nil {
		return nil, false, err
	}
	here := false
	for _, one := range setup.Steps {
		steps = append(steps, tourStep{Step: string(one.Step), Path: cmp.Or(tourPaths[one.Step], "/"), Done: one.Done, Here: !one.Done && !here})
		here, over = here || !one.Done, one.Done
	}
	return steps, over, nil
}

// addTour leads an administrator to the first calculated period.
func (v *visit) addTour(body *homePage, _ []client.Period) error {
	steps, over, err := v.toured()
	if err == nil && !over {
		body.Tour = steps
	}
	return err
}

// tour shows the steps, also once they are done.
func (v *visit) tour() error {
	if v.may(incentive.AdministerPeople) == incentive.None {
		return v.forbidden()
	}
	steps, _, err := v.toured()
	if err != nil {
		return err
	}
	return v.show("tour", "tour.title", steps)
}

type settingsPage struct {
	Name, TimeZone string // what the form begins with
	WebhookHosts   string // one a line
	Files          []fileSetting
	History        []client.CompanyVersion
	Called         map[string]string
	MayChange      bool
}

// settings shows what the company is called, and what it was called before.
func (v *visit) settings() error {
	history, err := client.Read[client.CompanyHistory](v.api.GetCompanyHistory(v.r.Context()))
	if err != nil {
		return err
	}
	body := settingsPage{Name: v.company.Name, TimeZone: v.company.TimeZone, History: history.Versions, MayChange: v.may(incentive.AdministerPeople) > incentive.None}
	if len(history.Versions) > 0 {
		body.WebhookHosts = strings.Join(history.Versions[0].WebhookHosts, "\n")
	}
	if v.problem != nil && v.r.PostForm.Has("name") {
		body.Name, body.TimeZone, body.WebhookHosts = v.r.PostFormValue("name"), v.r.PostFormValue("time_zone"), v.r.PostFormValue("webhook_hosts")
	}
	if body.MayChange && len(history.Versions) > 0 {
		if body.Files, err = v.fileSettings(history.Versions[0].PaymentFiles); err != nil {
			return err
		}
	}
	if body.Called, err = v.called(); err != nil {
		return err
	}
	return v.show("settings", "settings.title", body)
}

// setCompany names the company and its zone.
func (v *visit) setCompany() error {
	if v.may(incentive.AdministerPeople) == incentive.None {
		return v.forbidden()
	}
	settings := client.Company{Name: v.r.PostFormValue("name"), TimeZone: v.r.PostFormValue("time_zone")}
	if v.r.PostForm.Has("webhook_hosts") { // none where it is emptied
		hosts := strings.Fields(v.r.PostFormValue("webhook_hosts"))
		settings.WebhookHosts = &hosts
	}
	_, err := command[client.Company](v.api.PutCompany(v.r.Context(), &client.PutCompanyParams{IdempotencyKey: v.key()}, settings))
	return v.done(err, "/settings", message{Key: "done.company"}, (*visit).settings)
}
