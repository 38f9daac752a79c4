package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/sampling"
)

// Sample is a draw of statements at random.
type Sample struct {
	ID         int64
	PeriodID   string
	Revision   int
	Seed       string
	Size       int
	Strata     int
	Population int // statements that there were
	DrawnBy    string
	DrawnAt    time.Time
	Done       int // items that somebody has said something about
	Exceptions int // items of which the latest remark is an exception
}

// SampleItem is a statement that was drawn, with what is known of it.
type SampleItem struct {
	Number        int
	ParticipantID string
	Name          string
	Stratum       int
	Total         incentive.Money
	Verification  int64  // the latest that has a result for it; 0 for none
	Proved        bool   // by that
	Verdict       string // fine or exception, by the latest remark; "" for none
	Remark        string
	RemarkedBy    string
	RemarkedAt    *time.Time
}

const sampleColumns = `
	SELECT s.id, s.period_id, s.revision, s.seed, s.size, s.strata, s.population, s.drawn_by, s.drawn_at,
		(SELECT count(DISTINCT r.number) FROM sample_remark r WHERE r.sample_id = s.id),
		(SELECT count(*) FROM (SELECT DISTINCT ON (number) verdict FROM sample_remark r WHERE r.sample_id = s.id ORDER BY number, id DESC) latest WHERE verdict = 'exception')
	FROM sample s `

func sampleSubject(id int64) string { return fmt.Sprintf("sample/%d", id) }

// DrawSample draws statements of a revision's current run, once for a key.
func (s *Store) DrawSample(ctx context.Context, key string, asked Sample) (Sample, error) {
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, `SELECT id FROM sample WHERE key = $1`, key).Scan(&asked.ID)
		if !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		var run *int64
		if err := tx.QueryRow(ctx, `SELECT run_id FROM period_revision WHERE period_id = $1 AND revision = $2`, asked.PeriodID, asked.Revision).Scan(&run); err != nil {
			return fmt.Errorf("look for what is drawn from: %w", err)
		}
		if run == nil {
			return incentive.Errorf(incentive.CodeConflict, "%s has no statements to draw from yet: they are calculated after the lock", asked.PeriodID)
		}
		rows, err := tx.Query(ctx, `SELECT participant_id, total_minor, currency FROM statement WHERE run_id = $1`, *run)
		if err != nil {
			return fmt.Errorf("read what is drawn from: %w", err)
		}
		population, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (one sampling.Statement, err error) {
			err = row.Scan(&one.ParticipantID, &one.Total.Minor, &one.Total.Currency)
			return one, err
		})
		if err != nil {
			return fmt.Errorf("read what is drawn from: %w", err)
		}
		drawn, err := sampling.Draw(population, asked.Seed, asked.Size, asked.Strata)
		if err != nil {
			return err
		}
		err = tx.QueryRow(ctx, `INSERT INTO sample (key, period_id, revision, run_id, seed, size, strata, population, drawn_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id`,
			key, asked.PeriodID, asked.Revision, *run, asked.Seed, asked.Size, asked.Strata, len(population), asked.DrawnBy).Scan(&asked.ID)
		if err != nil {
			return fmt.Errorf("keep a sample of %s: %w", asked.PeriodID, err)
		}
		items := make([][]any, len(drawn))
		for i, d := range drawn {
			items[i] = []any{asked.ID, i + 1, d.ParticipantID, d.Stratum, d.Total.Minor, d.Total.Currency}
		}
		if _, err := tx.CopyFrom(ctx, pgx.Identifier{"sample_item"}, []string{"sample_id", "number", "participant_id", "stratum", "total_minor", "currency"}, pgx.CopyFromRows(items)); err != nil {
			return fmt.Errorf("keep what was drawn of %s: %w", asked.PeriodID, err)
		}
		return audit(ctx, tx, asked.DrawnBy, "draw-sample", sampleSubject(asked.ID), struct {
			Period   string `json:"period"`
			Revision int    `json:"revision"`
			Size     int    `json:"size"`
			Strata   int    `json:"strata"`
			Seed     string `json:"seed"`
		}{asked.PeriodID, asked.Revision, asked.Size, asked.Strata, asked.Seed})
	})
	if err != nil {
		return asked, err
	}
	return s.Sample(ctx, asked.ID)
}

// Sample returns a sample.
func (s *Store) Sample(ctx context.Context, id int64) (Sample, error) {
	rows, err := s.pool.Query(ctx, sampleColumns+`WHERE s.id = $1`, id)
	if err != nil {
		return Sample{}, fmt.Errorf("read sample %d: %w", id, err)
	}
	one, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Sample])
	if errors.Is(err, pgx.ErrNoRows) {
		return one, incentive.Errorf(incentive.CodeNotFound, "there is no sample %d", id)
	}
	return one, err
}

// Samples returns up to limit samples of a revision that were drawn before one (0: the latest),
// the latest first.
func (s *Store) Samples(ctx context.Context, periodID string, revision int, before int64, limit int) ([]Sample, error) {
	rows, err := s.pool.Query(ctx, sampleColumns+`WHERE s.period_id = $1 AND s.revision = $2 AND ($3 = 0 OR s.id < $3) ORDER BY s.id DESC LIMIT $4`, periodID, revision, before, limit)
	if err != nil {
		return nil, fmt.Errorf("list the samples of %s: %w", periodID, err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Sample])
}

// SampleItems returns the statements of a sample. A verification counts for a statement where
// it is of that statement, or of everybody's; it has failed for it where a finding names its
// participant, or nobody.
func (s *Store) SampleItems(ctx context.Context, id int64) ([]SampleItem, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT i.number, i.participant_id, `+nameAt("i.participant_id", "p.ends_on")+`, i.stratum, i.total_minor, i.currency, coalesce(v.id, 0), coalesce(v.proved, false),
			coalesce(r.verdict, ''), coalesce(x.body, ''), coalesce(r.made_by, ''), r.made_at
		FROM sample s JOIN pay_period p ON p.id = s.period_id JOIN sample_item i ON i.sample_id = s.id
		LEFT JOIN LATERAL (
			SELECT v.id, c.proved OR NOT jsonb_path_exists(c.report::jsonb, '$.checks[*].findings[*] ? (!exists(@.participant) || @.participant == $who)', jsonb_build_object('who', i.participant_id)) AS proved
			FROM verification v JOIN verification_result c ON c.verification_id = v.id
			WHERE v.period_id = s.period_id AND v.revision = s.revision AND (v.participant_id IS NULL OR v.participant_id = i.participant_id) ORDER BY v.id DESC LIMIT 1) v ON true
		LEFT JOIN LATERAL (SELECT * FROM sample_remark r WHERE r.sample_id = i.sample_id AND r.number = i.number ORDER BY r.id DESC LIMIT 1) r ON true
		LEFT JOIN free_text x ON x.id = r.text_id
		WHERE s.id = $1 ORDER BY i.number`, id)
	if err != nil {
		return nil, fmt.Errorf("read what was drawn in sample %d: %w", id, err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (i SampleItem, err error) {
		err = row.Scan(&i.Number, &i.ParticipantID, &i.Name, &i.Stratum, &i.Total.Minor, &i.Total.Currency, &i.Verification, &i.Proved, &i.Verdict, &i.Remark, &i.RemarkedBy, &i.RemarkedAt)
		return i, err
	})
}

// RemarkSample keeps what somebody says of a statement that was drawn. An exception says why.
func (s *Store) RemarkSample(ctx context.Context, actor string, id int64, number int, verdict, textID string) error {
	if verdict != "fine" && textID == "" {
		return incentive.Errorf(CodeReasonMissing, "say what is wrong: an exception has a remark")
	}
	return s.inTx(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO sample_remark (sample_id, number, verdict, text_id, made_by) VALUES ($1, $2, $3, $4, $5)`, id, number, verdict, orNull(textID), actor)
		if constraint(err) == "sample_remark_sample_id_number_fkey" {
			return incentive.Errorf(incentive.CodeNotFound, "sample %d has no statement number %d", id, number)
		}
		if err != nil {
			return fmt.Errorf("keep a remark about sample %d: %w", id, err)
		}
		return audit(ctx, tx, actor, "remark-sample", sampleSubject(id), struct {
			Number  int    `json:"number"`
			Verdict string `json:"verdict"`
			TextID  string `json:"text_id,omitempty"`
		}{number, verdict, textID})
	})
}
