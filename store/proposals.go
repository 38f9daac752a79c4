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

const recallPayout = "recall-payout"

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
	if err := s.pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM payout_proposal pp WHERE pp.payout_id::text = $1 AND `+undecidedProposal+`)`, payoutID).Scan(&proposed); err != nil {
		return "", fmt.Errorf("look what is asked for about payout %s: %w", payoutID, err)
	}
	if !proposed {
		err := s.DecideRedirection(ctx, actor, payoutID, confirms, reasonID)
		if incentive.ErrorCode(err) != incentive.CodeConflict {
			return "", err
		}
		// What the same person has just decided is answered again.
		again := s.pool.QueryRow(ctx, `
			SELECT CASE pp.act WHEN $2 THEN pp.id::text ELSE '' END FROM payout_proposal pp JOIN proposal_decision pd ON pd.proposal_id = pp.id
			WHERE pp.payout_id::text = $1 AND pd.decided_by = $3 AND pd.decision = $4 AND pd.decided_at = (
				SELECT max(l.decided_at) FROM payout_proposal o JOIN proposal_decision l ON l.proposal_id = o.id WHERE o.payout_id = pp.payout_id)`,
			payoutID, recallPayout, actor, map[bool]string{true: "confirmed", false: "refused"}[confirms]).Scan(&recallID)
		if errors.Is(again, pgx.ErrNoRows) {
			return "", err
		}
		return recallID, again
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
				err = list.does(ctx, tx, proposable[act], payoutID)
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
