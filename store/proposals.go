package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/notice"
)

// payoutAct is something that a person decides about a payout: SQL of which $1 is the payout
// and more may follow, and what must be so of a payout for it.
type payoutAct struct{ name, sql, possible string }

const (
	recallPayout   = "recall-payout"
	redirectPayout = "redirect-payout"
)

// proposable are the acts that a second person confirms above the limit of the policy.
var proposable = map[string]payoutAct{retryPayout.name: retryPayout, cancelPayout.name: cancelPayout}

// undecidedProposal is the SQL of a proposal pp about which nobody has decided.
const undecidedProposal = `NOT EXISTS (SELECT FROM proposal_decision pd WHERE pd.proposal_id = pp.id)`

// Proposal is what somebody has asked for about a payout, which waits for somebody else.
type Proposal struct {
	Act    string          // retry-payout, cancel-payout or recall-payout; "" where nobody has asked for anything
	By     string          // a participant's id
	Amount incentive.Money // of a recall
}

// needsSecond reports whether the policy of a payout's calendar wants a second person for
// what is decided about it.
func needsSecond(ctx context.Context, tx pgx.Tx, payoutID string) (bool, error) {
	var calendarID string
	var amount incentive.Money
	err := tx.QueryRow(ctx, `SELECT p.calendar_id, o.amount_minor, o.currency FROM payout o JOIN pay_period p ON p.id = o.period_id WHERE o.id = $1`, payoutID).Scan(&calendarID, &amount.Minor, &amount.Currency)
	if err != nil {
		return false, fmt.Errorf("read payout %s: %w", payoutID, err)
	}
	goesBy, err := policyOf(ctx, tx, calendarID)
	return goesBy.Payouts.NeedsSecondPerson(amount), err
}

// request is what somebody asks for about a payout, which a second person confirms.
type request struct {
	act      string
	by       string
	reasonID string
	amount   int64 // of a recall, in minor units
	version  int   // of the destination to which a payout is to go
}

// askedAlready reports whether just that was asked for by the same person for the same reason, and
// waits for a second one: who asks again has not had the answer. Anything else that waits refuses it.
func askedAlready(ctx context.Context, tx pgx.Tx, payoutID string, r request) (again bool, err error) {
	var act string
	err = tx.QueryRow(ctx, `
		WITH waiting AS (
			SELECT pp.act, pp.proposed_by, pp.reason_id, coalesce(pp.amount_minor, 0) AS amount, 0 AS version FROM payout_proposal pp WHERE pp.payout_id = $1 AND `+undecidedProposal+`
			UNION ALL SELECT $7, r.proposed_by, r.reason_id, 0, d.version FROM payout_redirection r JOIN destination d ON d.id = r.destination_id WHERE r.payout_id = $1 AND `+undecided+`)
		SELECT w.act, (w.act, w.proposed_by, w.amount, w.version, said.digest) = ($2, $3, $4, $5, (SELECT digest FROM free_text WHERE id = $6::text::uuid))
		FROM waiting w JOIN free_text said ON said.id = w.reason_id`, payoutID, r.act, r.by, r.amount, r.version, r.reasonID, redirectPayout).Scan(&act, &again)
	switch {
	case errors.Is(err, pgx.ErrNoRows) || err == nil && again:
		return again, nil
	case err != nil:
		return false, fmt.Errorf("look what is asked for about payout %s: %w", payoutID, err)
	case act == redirectPayout:
		return false, incentive.Errorf(incentive.CodeConflict, "another destination of this payout waits for a second person: let them confirm or refuse it first")
	}
	return false, incentive.Errorf(incentive.CodeConflict, "what somebody has asked for about this payout waits for a second person: let them confirm or refuse it first")
}

// propose notes that somebody asks for an act about a payout. A recall has an amount.
func propose(ctx context.Context, tx pgx.Tx, actor, payee, act, payoutID, reasonID string, amount *int64) error {
	if actor == payee {
		return incentive.Errorf(incentive.CodeOwnPay, "nobody asks for this about their own payout")
	}
	_, err := tx.Exec(ctx, `INSERT INTO payout_proposal (payout_id, participant_id, act, amount_minor, proposed_by, reason_id) VALUES ($1, $2, $3, $4, $5, $6)`, payoutID, payee, act, amount, actor, reasonID)
	if err != nil {
		return fmt.Errorf("propose to %s %s: %w", act, payoutID, err)
	}
	return audit(ctx, tx, actor, "propose-"+act, "payout/"+payoutID, struct {
		ReasonID string `json:"reason_id"`
		Amount   *int64 `json:"amount_minor,omitempty"`
	}{reasonID, amount})
}

// DecidePayout lets a second person confirm what somebody has asked for about a payout, so
// that it is done, or refuse it with a reason: another destination, or a proposal. Of a
// recall that is confirmed it returns the id.
func (s *Store) DecidePayout(ctx context.Context, actor, payoutID string, confirms bool, reasonID string) (recallID string, err error) {
	var proposed bool
	if err := s.pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM payout_proposal pp WHERE pp.payout_id = id_of($1) AND `+undecidedProposal+`)`, payoutID).Scan(&proposed); err != nil {
		return "", fmt.Errorf("look what is asked for about payout %s: %w", payoutID, err)
	}
	if !proposed {
		err := s.DecideRedirection(ctx, actor, payoutID, confirms, reasonID)
		if incentive.ErrorCode(err) != incentive.CodeConflict {
			return "", err
		}
		// What the same person has just decided is answered again.
		var again bool
		found := s.pool.QueryRow(ctx, `
			SELECT recall, (decided_by, decision) = ($3, $4) FROM (
				SELECT CASE pp.act WHEN $2 THEN pp.id::text ELSE '' END, pd.decided_by, pd.decision, pd.decided_at FROM payout_proposal pp JOIN proposal_decision pd ON pd.proposal_id = pp.id WHERE pp.payout_id = id_of($1)
				UNION ALL SELECT '', rd.decided_by, rd.decision, rd.decided_at FROM payout_redirection r JOIN redirection_decision rd ON rd.redirection_id = r.id WHERE r.payout_id = id_of($1)
			) decided (recall, decided_by, decision, decided_at) ORDER BY decided_at DESC LIMIT 1`,
			payoutID, recallPayout, actor, map[bool]string{true: "confirmed", false: "refused"}[confirms]).Scan(&recallID, &again)
		switch {
		case errors.Is(found, pgx.ErrNoRows) || found == nil && !again:
			return "", err
		case found != nil:
			return "", fmt.Errorf("look what was decided about payout %s: %w", payoutID, found)
		}
		return recallID, nil
	}
	if !confirms && reasonID == "" {
		return "", incentive.Errorf(CodeReasonMissing, "a refusal needs a reason")
	}
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		recallID = ""
		list, err := lockList(ctx, tx, payoutID)
		if err != nil {
			return err
		}
		payee, _, _, err := lockPayout(ctx, tx, payoutID)
		if err != nil {
			return err
		}
		var id, act, proposedBy string
		var amount *int64
		err = tx.QueryRow(ctx, `SELECT pp.id::text, pp.act, pp.proposed_by, pp.amount_minor FROM payout_proposal pp WHERE pp.payout_id = $1 AND `+undecidedProposal, payoutID).Scan(&id, &act, &proposedBy, &amount)
		if errors.Is(err, pgx.ErrNoRows) {
			return incentive.Errorf(incentive.CodeConflict, "somebody else has decided about this meanwhile")
		}
		if err != nil {
			return fmt.Errorf("read what is asked for about payout %s: %w", payoutID, err)
		}
		switch actor {
		case payee:
			return incentive.Errorf(incentive.CodeOwnPay, "nobody decides about their own payout")
		case proposedBy:
			return incentive.Errorf(CodePreparer, "you have asked for this: somebody else confirms it")
		}
		decision := "refused"
		if confirms {
			decision = "confirmed"
			if act == recallPayout {
				recallID, err = id, beginRecall(ctx, tx, payoutID, id, *amount)
			} else {
				err = list.does(ctx, tx, actor, proposable[act], payoutID)
			}
			if err != nil {
				return err
			}
		}
		_, err = tx.Exec(ctx, `INSERT INTO proposal_decision (proposal_id, participant_id, proposed_by, decision, decided_by, reason_id) VALUES ($1, $2, $3, $4, $5, nullif($6, '')::uuid)`,
			id, payee, proposedBy, decision, actor, reasonID)
		if err != nil {
			return fmt.Errorf("decide about payout %s: %w", payoutID, err)
		}
		if !confirms {
			told := Notification{Recipient: proposedBy, Kind: notice.ProposalRefused, Subject: "payout/" + payoutID, Key: "proposal/" + id}
			if err := notify(ctx, tx, told); err != nil {
				return err
			}
		}
		does := map[bool]string{true: "confirm-", false: "refuse-"}[confirms]
		return audit(ctx, tx, actor, does+act, "payout/"+payoutID, struct {
			ProposalID string `json:"proposal_id"`
			ReasonID   string `json:"reason_id,omitempty"`
		}{id, reasonID})
	})
	return recallID, err
}
