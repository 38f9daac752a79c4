package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/language"
)

// CodeUnauthenticated says that a token is missing, wrong or expired.
const CodeUnauthenticated incentive.Code = "unauthenticated"

// Person is a participant as the one who acts.
type Person struct {
	ID    string
	Name  string
	Roles []incentive.Role
	// Language in which they want to be spoken to; "" where they have not said.
	Language language.Language
	Only     []incentive.Action // what the token they act with may be used for; nil where for all that they may
}

// Recipient is what is known of a participant to whom something is sent.
type Recipient struct {
	Email    string
	Country  string
	Currency incentive.Currency // of their pay
	Kind     incentive.ParticipantKind
}

// Recipient returns what is known on a day of somebody to whom something is sent.
func (s *Store) Recipient(ctx context.Context, participantID string, on incentive.Date) (r Recipient, err error) {
	err = s.pool.QueryRow(ctx, `SELECT email, country, pay_currency, kind FROM participant_fact WHERE participant_id = $1 AND effective_from <= $2 ORDER BY effective_from DESC, version DESC LIMIT 1`,
		participantID, on).Scan(&r.Email, &r.Country, &r.Currency, &r.Kind)
	if errors.Is(err, pgx.ErrNoRows) {
		return r, incentive.Errorf(incentive.CodeNotFound, "nothing is known of a participant %q on %s", participantID, on)
	}
	if err != nil {
		return r, fmt.Errorf("read what is known of %s: %w", participantID, err)
	}
	return r, nil
}

const personColumns = `
	p.id, coalesce((SELECT f.name FROM participant_fact f WHERE f.participant_id = p.id ORDER BY f.effective_from DESC, f.version DESC LIMIT 1), p.id),
	ARRAY(SELECT role FROM role_grant g WHERE g.participant_id = p.id ORDER BY role),
	coalesce((SELECT language FROM person_setting s WHERE s.participant_id = p.id), '')`

func scanPerson(row pgx.CollectableRow) (p Person, err error) {
	err = row.Scan(&p.ID, &p.Name, &p.Roles, &p.Language)
	return p, err
}

// Authenticate returns who a token belongs to, or an error of code CodeUnauthenticated.
func (s *Store) Authenticate(ctx context.Context, secret string) (Person, error) {
	hash := sha256.Sum256([]byte(secret))
	var p Person
	var noted bool
	err := s.pool.QueryRow(ctx, `SELECT coalesce(t.last_used_at > now() - $2::interval, false), t.actions, `+personColumns+` FROM participant p JOIN api_token t ON t.participant_id = p.id WHERE t.hash = $1 AND t.expires_at > now()`, hash[:], useNoted).
		Scan(&noted, &p.Only, &p.ID, &p.Name, &p.Roles, &p.Language)
	if errors.Is(err, pgx.ErrNoRows) {
		return p, incentive.Errorf(CodeUnauthenticated, "the token is not known or has expired: make a new one")
	}
	if err != nil {
		return p, fmt.Errorf("look a token up: %w", err)
	}
	if !noted {
		if _, err := s.pool.Exec(ctx, `UPDATE api_token SET last_used_at = now() WHERE hash = $1`, hash[:]); err != nil {
			return p, fmt.Errorf("note the use of a token: %w", err)
		}
	}
	return p, nil
}

// Person returns a participant with their roles, of code CodeNotFound where there is
// none of that id.
func (s *Store) Person(ctx context.Context, id string) (Person, error) {
	rows, err := s.pool.Query(ctx, `SELECT `+personColumns+` FROM participant p WHERE p.id = $1`, id)
	if err != nil {
		return Person{}, fmt.Errorf("read participant %s: %w", id, err)
	}
	p, err := pgx.CollectExactlyOneRow(rows, scanPerson)
	if errors.Is(err, pgx.ErrNoRows) {
		return p, incentive.Errorf(incentive.CodeNotFound, "there is no participant %q", id)
	}
	return p, err
}

// WhichPeople says which participants are listed: those whose id, name or address holds what
// is searched for.
type WhichPeople struct {
	Role incentive.Role // that they have; "" for any or none
	Listing
}

// personOrders are how participants can be sorted.
var personOrders = orders{"id": nil, "name": {"lower(" + nameNow("p.id") + ")"}}

// People returns up to limit participants after an id, with their roles: those whose id,
// name or address holds search, in whatever case; "" for all.
func (s *Store) People(ctx context.Context, search, after string, limit int) ([]Person, error) {
	return s.FindPeople(ctx, WhichPeople{Listing: Listing{Search: search}}, after, limit)
}

// FindPeople returns up to limit participants after an id, with their roles.
func (s *Store) FindPeople(ctx context.Context, of WhichPeople, after string, limit int) ([]Person, error) {
	last := ""
	if after != "" {
		last = `FROM participant p WHERE p.id = @after`
	}
	goesOn, order, err := personOrders.seek(of.Listing, nil, []string{"p.id"}, last)
	if err != nil {
		return nil, err
	}
	rows, err := s.pool.Query(ctx, `SELECT `+personColumns+` FROM participant p
		WHERE (@search = '' OR p.id ILIKE @search OR EXISTS (SELECT FROM participant_fact f WHERE f.participant_id = p.id AND (f.name ILIKE @search OR f.email ILIKE @search)))
			AND (@role = '' OR EXISTS (SELECT FROM role_grant g WHERE g.participant_id = p.id AND g.role = @role)) AND `+goesOn+` `+order+` LIMIT @limit`,
		pgx.NamedArgs{"search": anywhere(of.Search), "role": string(of.Role), "after": after, "limit": limit})
	if err != nil {
		return nil, fmt.Errorf("list people: %w", err)
	}
	return pgx.CollectRows(rows, scanPerson)
}

// anywhere is the pattern of texts that hold what is searched for; "" for any text.
func anywhere(search string) string {
	if search == "" {
		return ""
	}
	return "%" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(search) + "%"
}

// Grant sets which roles a participant has.
func (s *Store) Grant(ctx context.Context, actor, participantID string, roles []incentive.Role) error {
	return s.inTx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM role_grant WHERE participant_id = $1 AND role <> ALL(coalesce($2::text[], '{}'))`, participantID, roles); err != nil {
			return fmt.Errorf("take roles from %s: %w", participantID, err)
		}
		_, err := tx.Exec(ctx, `INSERT INTO role_grant (participant_id, role) SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING`, participantID, roles)
		switch constraint(err) {
		case "role_grant_participant_id_fkey":
			return incentive.Errorf(incentive.CodeNotFound, "there is no participant %q", participantID)
		case "role_grant_role_check":
			return incentive.Errorf(incentive.CodeInvalid, "roles are rep, manager, finance, administrator and auditor")
		}
		if err != nil {
			return fmt.Errorf("give roles to %s: %w", participantID, err)
		}
		return audit(ctx, tx, actor, "grant-roles", "participant/"+participantID, struct {
			Roles []incentive.Role `json:"roles"`
		}{roles})
	})
}

// Visible returns whose records somebody may see on a day: nil for everybody, and a list
// that is never nil otherwise. A team is everyone below in the hierarchy of that day, with
// the teams of those who have delegated their approvals and whoever's statement waits for
// the actor.
func (s *Store) Visible(ctx context.Context, actor string, scope incentive.Scope, day incentive.Date) ([]string, error) {
	switch scope {
	case incentive.All:
		return nil, nil
	case incentive.Own:
		return []string{actor}, nil
	case incentive.Team:
		return s.team(ctx, actor, day)
	default:
		return []string{}, nil
	}
}

// isToApprove is true of an approval a that waits for $1, found by the index of queues.
const isToApprove = `a.approver_id = $1 AND coalesce(a.approver_id, 'finance') = $1 AND a.decision IS NULL`

// holds is true of a fact of a participant, called so, that holds on a day.
func holds(fact, day string) string {
	return fact + `.effective_from <= ` + day + ` AND NOT EXISTS (SELECT FROM participant_fact newer WHERE newer.participant_id = ` + fact + `.participant_id
		AND newer.effective_from <= ` + day + ` AND (newer.effective_from, newer.version) > (` + fact + `.effective_from, ` + fact + `.version))`
}

// Sees reports whether a participant is one of those whose records somebody may see on a day,
// as Visible lists them: it looks up the hierarchy from the one, and not down at all of a team.
func (s *Store) Sees(ctx context.Context, actor string, scope incentive.Scope, day incentive.Date, participantID string) (sees bool, err error) {
	switch {
	case scope == incentive.All, scope != incentive.None && participantID == actor:
		return true, nil
	case scope != incentive.Team:
		return false, nil
	}
	err = s.pool.QueryRow(ctx, `
		WITH RECURSIVE above AS (
			SELECT $3::text AS participant_id, false AS manages
			UNION SELECT f.manager_id, true FROM above CROSS JOIN LATERAL (
				SELECT manager_id FROM participant_fact WHERE participant_id = above.participant_id AND effective_from <= $2 ORDER BY effective_from DESC, version DESC LIMIT 1) f
			WHERE f.manager_id IS NOT NULL
		) SELECT EXISTS (SELECT FROM above WHERE participant_id = $1
			OR manages AND EXISTS (SELECT FROM delegation_in_force d WHERE d.delegator_id = above.participant_id AND d.delegate_id = $1)
			OR EXISTS (SELECT FROM current_approval a WHERE a.participant_id = above.participant_id AND `+isToApprove+`))`, actor, day, participantID).Scan(&sees)
	if err != nil {
		return false, fmt.Errorf("find out whether %s is of the team of %s: %w", participantID, actor, err)
	}
	return sees, nil
}

// SetCompany names the company and its zone.
func (s *Store) SetCompany(ctx context.Context, actor, name, timeZone string) error {
	return s.SetCompanySettings(ctx, actor, name, timeZone, nil)
}

// SetCompanySettings names the company, its zone, and the only hosts to which people may have
// messages sent by a webhook, which stay as they were where they are nil.
func (s *Store) SetCompanySettings(ctx context.Context, actor, name, timeZone string, webhookHosts []string) error {
	if _, err := time.LoadLocation(timeZone); err != nil || timeZone == "" {
		return incentive.Errorf(incentive.CodeInvalid, "%q is not a time zone: write its IANA name, such as Asia/Jakarta", timeZone)
	}
	for _, host := range webhookHosts {
		if !webhookHost.MatchString(host) {
			return incentive.Errorf(incentive.CodeInvalid, "%q is not a host: write its name without https:// and path, such as hooks.slack.com", host)
		}
	}
	return s.inTx(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			INSERT INTO company (name, time_zone, webhook_hosts) VALUES ($1, $2, coalesce($3::text[], '{hooks.slack.com}'))
			ON CONFLICT (only_one) DO UPDATE SET name = excluded.name, time_zone = excluded.time_zone, webhook_hosts = coalesce($3::text[], company.webhook_hosts)`, name, timeZone, webhookHosts)
		if err != nil {
			return fmt.Errorf("name the company: %w", err)
		}
		if err := keepCompany(ctx, tx, actor); err != nil {
			return err
		}
		return audit(ctx, tx, actor, "name-company", CompanySubject, struct {
			TimeZone     string   `json:"time_zone"`
			WebhookHosts []string `json:"webhook_hosts,omitempty"`
		}{timeZone, webhookHosts})
	})
}

// webhookHost is a host, with a port where it has one of its own.
var webhookHost = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?(:[0-9]{1,5})?$`)

// WebhookHosts are the only hosts to which people may have messages sent by a webhook.
func (s *Store) WebhookHosts(ctx context.Context) (hosts []string, err error) {
	err = s.pool.QueryRow(ctx, `SELECT webhook_hosts FROM company`).Scan(&hosts)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return hosts, err
}

// Company returns the company's name and zone; "" before it was named.
func (s *Store) Company(ctx context.Context) (name, timeZone string, err error) {
	err = s.pool.QueryRow(ctx, `SELECT name, time_zone FROM company`).Scan(&name, &timeZone)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", "", nil
	}
	return name, timeZone, err
}

// FirstAdministrator makes the first participant of a company that has none, as its
// administrator, and returns a token for them. Where somebody is there already it is
// refused with code CodeConflict.
func (s *Store) FirstAdministrator(ctx context.Context, id, companyName, timeZone string, lifetime time.Duration) (secret string, err error) {
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtext('first administrator'))`); err != nil {
			return err
		}
		var somebody bool
		if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM participant)`).Scan(&somebody); err != nil {
			return err
		}
		if somebody {
			return incentive.Errorf(incentive.CodeConflict, "the company has people already: an administrator of theirs gives roles and tokens")
		}
		_, err := tx.Exec(ctx, `
			WITH p AS (INSERT INTO participant (id) VALUES ($1))
			INSERT INTO participant_fact (participant_id, effective_from, version, name, email, kind, country, pay_currency, attributes)
			VALUES ($1, '1970-01-01', 1, $1, '', 'employee', 'US', 'USD', '{}')`, id)
		if err != nil {
			return fmt.Errorf("make participant %s: %w", id, err)
		}
		_, err = tx.Exec(ctx, `INSERT INTO role_grant (participant_id, role) VALUES ($1, 'administrator')`, id)
		if err != nil {
			return fmt.Errorf("make %s an administrator: %w", id, err)
		}
		return audit(ctx, tx, id, "grant-roles", "participant/"+id, struct {
			Roles []incentive.Role `json:"roles"`
		}{[]incentive.Role{incentive.Administrator}})
	})
	if err != nil {
		return "", err
	}
	if err := s.SetCompany(ctx, id, companyName, timeZone); err != nil {
		return "", err
	}
	return s.NewToken(ctx, id, id, "first administrator", lifetime)
}
