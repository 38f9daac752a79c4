package main

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/store"
)

// files makes the rails of files by the company's settings, and what they leave open by the environment.
func (o railSettings) files(c store.CompanySettings) (rails []payments.Rail, err error) {
	name := cmp.Or(c.Files.Company, o.CompanyName, c.Name)
	if days := c.Files.ISO20022LeadDays; days != nil {
		o.ISO20022LeadDays = *days
	}
	if days := c.Files.NachaLeadDays; days != nil {
		o.NachaLeadDays = *days
	}
	for _, one := range []struct {
		wanted bool
		make   func() (payments.Rail, error)
	}{
		{true, func() (payments.Rail, error) {
			rail, err := o.paymentFile(name, c.TimeZone, c.Files.PaymentFileTemplate)
			if err != nil {
				return nil, err
			}
			return answered(rail, c.Files.PaymentFileAnswers, o.PaymentFileAnswers)
		}},
		{o.ISO20022Scheme != "", func() (payments.Rail, error) { return o.iso20022(name, c.TimeZone) }},
		{o.NachaBank != "", func() (payments.Rail, error) { return o.nacha(name, c.TimeZone) }},
		{o.IndiaTemplate != "" || c.Files.IndiaTemplate != "", func() (payments.Rail, error) {
			rail, err := o.india(c.TimeZone, c.Files.IndiaTemplate)
			if err != nil {
				return nil, err
			}
			return answered(rail, c.Files.IndiaAnswers, o.IndiaAnswers)
		}},
	} {
		if !one.wanted {
			continue
		}
		rail, err := one.make()
		if err != nil {
			return nil, err
		}
		rails = append(rails, rail)
	}
	return rails, nil
}

// fileDefaults are how payment files are written where the company's settings leave it open.
func (o railSettings) fileDefaults(c store.CompanySettings) (store.FileSettings, error) {
	f := store.FileSettings{Company: cmp.Or(o.CompanyName, c.Name)}
	if o.ISO20022Scheme != "" {
		f.ISO20022LeadDays = &o.ISO20022LeadDays
	}
	if o.NachaBank != "" {
		f.NachaLeadDays = &o.NachaLeadDays
	}
	for _, one := range []struct {
		file string
		into *string
	}{
		{o.PaymentFileTemplate, &f.PaymentFileTemplate},
		{o.PaymentFileAnswers, &f.PaymentFileAnswers},
		{o.IndiaTemplate, &f.IndiaTemplate},
		{o.IndiaAnswers, &f.IndiaAnswers},
	} {
		if one.file == "" {
			continue
		}
		text, err := templateFile(one.file)
		if err != nil {
			return f, err
		}
		*one.into = string(text)
	}
	return f, nil
}

// tryFiles refuses settings by which no rail can be made.
func (o railSettings) tryFiles(c store.CompanySettings) error {
	_, err := o.files(c)
	return err
}

// writtenFiles are the rails of files as the company's settings are now.
type writtenFiles struct {
	store *store.Store
	make  func(store.CompanySettings) ([]payments.Rail, error)

	mu      sync.Mutex
	version int
	made    map[string]payments.Rail
}

// settingsTime is how long the settings are asked for, before those that are known stay.
const settingsTime = 5 * time.Second

// now looks whether the settings have changed, and makes the rails anew where they have. Settings that cannot be read
// now, or by which no rail can be made with this environment, leave the rails as they are.
func (w *writtenFiles) now() map[string]payments.Rail {
	ctx, cancel := context.WithTimeout(context.Background(), settingsTime)
	defer cancel()
	settings, err := w.store.CompanySettings(ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil || settings.Version == w.version {
		return w.made
	}
	if rails, err := w.make(settings); err == nil {
		w.version, w.made = settings.Version, byName(rails)
	}
	return w.made
}

func byName(rails []payments.Rail) map[string]payments.Rail {
	all := map[string]payments.Rail{}
	for _, rail := range rails {
		all[rail.Name()] = rail
	}
	return all
}
