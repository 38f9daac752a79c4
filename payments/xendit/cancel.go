package xendit

import (
	"context"
	"net/http"
	"net/url"

	"github.com/guerdon/guerdon/payments"
)

// Cancel stops a payout that Xendit has taken and not yet handed to the recipient's bank or
// e-wallet. What has left cannot be had back.
func (r *Rail) Cancel(ctx context.Context, railID string) (payments.Result, error) {
	if railID == "" {
		return payments.Result{}, refuse("payout-unknown", "without a payout there is nothing to cancel")
	}
	path := "/v2/payouts/" + url.PathEscape(railID)
	var stands payout
	if err := r.call(ctx, http.MethodGet, path, nil, nil, &stands); err != nil {
		return payments.Result{}, err
	}
	result, err := stands.result()
	if err == nil && result.State == payments.Submitted {
		if err = r.call(ctx, http.MethodPost, path+"/cancel", nil, nil, &stands); err == nil {
			result, err = stands.result()
		}
	}
	switch {
	case err != nil:
		return payments.Result{}, err
	case result.RailID != railID:
		return payments.Result{}, alarm("payout-differs", "Xendit answered with a payout other than the one asked for")
	case result.State == payments.Paid:
		return payments.Result{}, refuse("already-paid", "Xendit has paid it, and cannot have it back")
	case result.State == payments.Submitted:
		return payments.Result{}, alarm("not-cancelled", "Xendit said that it cancelled the payout, and has it as before")
	}
	return result, nil
}
