package xoxoday

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/guerdon/guerdon/payments"
)

const (
	// callTimeout bounds one call. A call that takes longer has an unknown outcome.
	callTimeout = 30 * time.Second

	// largestAnswer is more than any answer of Xoxoday's.
	largestAnswer = 8 << 20
)

// The operations, all of one address.
const (
	placeOrder   = "plumProAPI.mutation.placeOrder"
	orderDetails = "plumProAPI.mutation.getOrderDetails"
	getVouchers  = "plumProAPI.mutation.getVouchers"
	getBalance   = "plumProAPI.query.getBalance"
)

// call carries out an operation and reads what it answers with into answer. Its error is a
// *payments.Error.
func (r *Rail) call(ctx context.Context, operation string, data, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	body, err := json.Marshal(map[string]any{"query": operation, "tag": "plumProAPI", "variables": map[string]any{"data": data}})
	if err != nil {
		return refuse("request-invalid", "the request cannot be written")
	}
	token, err := r.bearer(ctx, "")
	if err != nil {
		return err
	}
	status, read, err := r.send(ctx, "/v1/oauth/api", "application/json", token, body)
	if err == nil && status == http.StatusUnauthorized && isRefusal(read) {
		// The token is over. Xoxoday did nothing, and says so itself: once more, with another.
		if token, err = r.bearer(ctx, token); err != nil {
			return err
		}
		status, read, err = r.send(ctx, "/v1/oauth/api", "application/json", token, body)
	}
	if err != nil {
		return lost(err)
	}
	if status != http.StatusOK {
		return classify(status, read)
	}
	var envelope struct {
		Data map[string]*struct {
			Status int             `json:"status"`
			Data   json.RawMessage `json:"data"`
		} `json:"data"`
	}
	if err := json.Unmarshal(read, &envelope); err != nil {
		return unreadable("Xoxoday's answer is not one that was expected", err)
	}
	said := envelope.Data[operation[strings.LastIndexByte(operation, '.')+1:]]
	if said == nil || said.Status != 1 {
		return unreadable("Xoxoday's answer is not of an operation that succeeded", nil)
	}
	if err := json.Unmarshal(said.Data, answer); err != nil {
		return unreadable("Xoxoday's answer is not one that was expected", err)
	}
	return nil
}

// bearer returns a token other than the one that is over, and asks for one where there is
// none. Nothing has been ordered when it fails.
func (r *Rail) bearer(ctx context.Context, over string) (string, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.token != "" && r.token != over {
		return r.token, nil
	}
	r.token = ""
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {r.id}, "client_secret": {r.secret}}
	status, read, err := r.send(ctx, "/v1/oauth/token", "application/x-www-form-urlencoded", "", []byte(form.Encode()))
	var answer struct {
		Token string `json:"access_token"`
	}
	switch {
	case err == nil && status >= 400 && status < 500 && status != http.StatusTooManyRequests && isRefusal(read):
		return "", &payments.Error{Class: payments.Configuration, Rail: Name, Code: "credentials-refused", Message: "Xoxoday does not accept the client id and secret"}
	case err == nil && (status != http.StatusOK || json.Unmarshal(read, &answer) != nil || answer.Token == ""):
		err = fmt.Errorf("no token came with status %d", status)
	}
	if err != nil {
		return "", &payments.Error{Class: payments.Throttled, Rail: Name, Code: "no-token", Message: "Xoxoday gave no token; nothing was asked of it yet", Cause: err}
	}
	r.token = answer.Token
	return r.token, nil
}

func (r *Rail) send(ctx context.Context, path, contentType, token string, body []byte) (status int, read []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.base+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("Accept", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := r.client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	read, err = io.ReadAll(io.LimitReader(response.Body, largestAnswer+1))
	if err == nil && len(read) > largestAnswer {
		err = errors.New("the answer is too long")
	}
	return response.StatusCode, read, err
}
