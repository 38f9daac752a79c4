package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// SetupStep is something that a company does until its first period is calculated.
type SetupStep struct {
	Step string
	Done bool
}

// UnnamedCompany is what a company is called until somebody names it.
const UnnamedCompany = "Company"

// setupSteps are the steps in their order, each with the SQL of whether it is done.
var setupSteps = []struct{ step, done string }{
	{"company", `EXISTS (SELECT FROM company WHERE name NOT IN ('', '` + UnnamedCompany + `'))`},
	{"people", `(SELECT count(*) FROM (SELECT FROM participant LIMIT 2) two) = 2`},
	{"roles", `EXISTS (SELECT FROM role_grant WHERE role = 'finance')`},
	{"calendar", `EXISTS (SELECT FROM pay_period)`},
	{"plan", `EXISTS (SELECT FROM plan_version)`},
	{"assignments", `EXISTS (SELECT FROM assignment)`},
	{"deals", `EXISTS (SELECT FROM transaction) AND EXISTS (SELECT FROM credit)`},
	{"open", `EXISTS (SELECT FROM period_revision)`},
	{"calculate", `EXISTS (SELECT FROM run)`},
}

// Setup says how far a company has come to its first calculated period.
func (s *Store) Setup(ctx context.Context) (steps []SetupStep, err error) {
	steps = make([]SetupStep, len(setupSteps))
	sql, into := "SELECT ", make([]any, len(setupSteps))
	for i, one := range setupSteps {
		if i > 0 {
			sql += ", "
		}
		sql += one.done
		steps[i].Step, into[i] = one.step, &steps[i].Done
	}
	if err := s.pool.QueryRow(ctx, sql).Scan(into...); err != nil {
		return nil, fmt.Errorf("look how far the company is set up: %w", err)
	}
	return steps, nil
}

// CompanyVersion is what the company was called since a moment.
type CompanyVersion struct {
	Version        int
	Name, TimeZone string
	WebhookHosts   []string
	Files          FileSettings
	SetBy          string
	SetAt          time.Time
}

// CompanyHistory returns up to limit versions of the company's settings, the newest first.
func (s *Store) CompanyHistory(ctx context.Context, limit int) (versions []CompanyVersion, err error) {
	err = collect(ctx, s.pool, &versions, `SELECT version, name, time_zone, webhook_hosts, set_by, set_at, `+fileSettings+` FROM company_version ORDER BY version DESC LIMIT $1`, func(row pgx.CollectableRow) (v CompanyVersion, err error) {
		return v, row.Scan(append([]any{&v.Version, &v.Name, &v.TimeZone, &v.WebhookHosts, &v.SetBy, &v.SetAt}, v.Files.columns()...)...)
	}, limit)
	if err != nil {
		err = fmt.Errorf("list the company's settings over time: %w", err)
	}
	return versions, err
}
