package store

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// FileSettings say how payment files are written, where it is not as the environment of API and workers says, which
// holds for whatever is empty here.
type FileSettings struct {
	Company             string // what files call the company
	ISO20022LeadDays    *int   // banking days between a file and its payment
	NachaLeadDays       *int
	PaymentFileTemplate string // YAML, as the others
	PaymentFileAnswers  string
	IndiaTemplate       string
	IndiaAnswers        string
}

const fileSettings = `file_company, iso20022_lead_days, nacha_lead_days, payment_file_template, payment_file_answers, india_template, india_answers`

func (f *FileSettings) columns() []any {
	return []any{&f.Company, &f.ISO20022LeadDays, &f.NachaLeadDays, &f.PaymentFileTemplate, &f.PaymentFileAnswers, &f.IndiaTemplate, &f.IndiaAnswers}
}

// CompanySubject is what the audit chain calls the company.
const CompanySubject = "company"

// keepCompany writes the company's settings down as they are now, as another version.
func keepCompany(ctx context.Context, tx pgx.Tx, actor string) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO company_version (version, name, time_zone, webhook_hosts, `+fileSettings+`, set_by)
		SELECT (SELECT coalesce(max(version), 0) + 1 FROM company_version), name, time_zone, webhook_hosts, `+fileSettings+`, $1 FROM company`, actor)
	if err != nil {
		return fmt.Errorf("keep the company's settings: %w", err)
	}
	return nil
}

// SetFileSettings says how payment files are written from the next one on. The caller has tried them.
func (s *Store) SetFileSettings(ctx context.Context, actor string, f FileSettings) error {
	return s.inTx(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE company SET (`+fileSettings+`) = ($1, $2, $3, $4, $5, $6, $7)`, f.Company, f.ISO20022LeadDays, f.NachaLeadDays, f.PaymentFileTemplate, f.PaymentFileAnswers, f.IndiaTemplate, f.IndiaAnswers)
		if err != nil {
			return fmt.Errorf("keep how payment files are written: %w", err)
		}
		if err := keepCompany(ctx, tx, actor); err != nil {
			return err
		}
		written, err := json.Marshal(f)
		if err != nil {
			return err
		}
		return audit(ctx, tx, actor, "set-payment-files", CompanySubject, struct {
			SHA256 string `json:"sha256"` // a template may have the company's own account
		}{fmt.Sprintf("%x", sha256.Sum256(written))})
	})
}

// CompanySettings are what payment files go by. Version grows with every change.
type CompanySettings struct {
	Version        int
	Name, TimeZone string
	Files          FileSettings
}

// CompanySettings returns the company's settings; of Version 0 before it was named.
func (s *Store) CompanySettings(ctx context.Context) (c CompanySettings, err error) {
	err = s.pool.QueryRow(ctx, `SELECT (SELECT coalesce(max(version), 0) FROM company_version), name, time_zone, `+fileSettings+` FROM company`).Scan(append([]any{&c.Version, &c.Name, &c.TimeZone}, c.Files.columns()...)...)
	if errors.Is(err, pgx.ErrNoRows) {
		return c, nil
	}
	if err != nil {
		err = fmt.Errorf("read the company's settings: %w", err)
	}
	return c, err
}
