package web

import (
	"strconv"
	"strings"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

// fileSetting is a setting of payment files in the form.
type fileSetting struct {
	Name, Value  string
	Days, Script bool   // it is a number of days, or a template
	Default      string // what holds where it is empty; "" where nothing does
}

// Short is a setting in the list of what was before: of a template, that there is one.
func (f fileSetting) Short() string {
	if f.Script {
		return "YAML"
	}
	return f.Value
}

// FileSettings are those that a version of the company's settings has.
func (settingsPage) FileSettings(f client.FileSettings) (set []fileSetting) {
	for _, one := range fileSettings(f) {
		if one.Value != "" {
			set = append(set, one)
		}
	}
	return set
}

func fileSettings(f client.FileSettings) []fileSetting {
	days := func(n *int) string {
		if n == nil {
			return ""
		}
		return strconv.Itoa(*n)
	}
	return []fileSetting{
		{Name: "company", Value: text(f.Company)}, {Name: "iso20022_lead_days", Value: days(f.Iso20022LeadDays), Days: true}, {Name: "nacha_lead_days", Value: days(f.NachaLeadDays), Days: true},
		{Name: "payment_file_template", Value: text(f.PaymentFileTemplate), Script: true}, {Name: "payment_file_answers", Value: text(f.PaymentFileAnswers), Script: true},
		{Name: "india_template", Value: text(f.IndiaTemplate), Script: true}, {Name: "india_answers", Value: text(f.IndiaAnswers), Script: true},
	}
}

// fileSettings are the settings of payment files, or what somebody has written who is told what is wrong, with what holds
// where they are empty.
func (v *visit) fileSettings(now client.FileSettings) ([]fileSetting, error) {
	defaults, err := client.Read[client.FileSettings](v.api.GetFileDefaults(v.r.Context()))
	if err != nil {
		return nil, err
	}
	all := fileSettings(now)
	for i, one := range fileSettings(defaults) {
		all[i].Default = one.Value
	}
	if v.problem != nil && v.r.PostForm.Has("payment_file_template") {
		for i := range all {
			all[i].Value = v.r.PostFormValue(all[i].Name)
		}
	}
	return all, nil
}

// setFileSettings says how payment files are written.
func (v *visit) setFileSettings() error {
	if v.may(incentive.AdministerPeople) == incentive.None {
		return v.forbidden()
	}
	said := func(name string) *string { return given(strings.TrimSpace(v.r.PostFormValue(name))) }
	settings := client.FileSettings{
		Company:             said("company"),
		PaymentFileTemplate: said("payment_file_template"),
		PaymentFileAnswers:  said("payment_file_answers"),
		IndiaTemplate:       said("india_template"),
		IndiaAnswers:        said("india_answers"),
	}
	for name, into := range map[string]**int{"iso20022_lead_days": &settings.Iso20022LeadDays, "nacha_lead_days": &settings.NachaLeadDays} {
		if t := said(name); t != nil {
			n, err := strconv.Atoi(*t)
			if err != nil {
				return v.done(incentive.Errorf(incentive.CodeInvalid, "%s", v.texts.Get("settings.files.days")), "/settings", message{}, (*visit).settings)
			}
			*into = &n
		}
	}
	_, err := command[client.FileSettings](v.api.PutFileSettings(v.r.Context(), &client.PutFileSettingsParams{IdempotencyKey: v.key()}, settings))
	return v.done(err, "/settings", message{Key: "done.company"}, (*visit).settings)
}
