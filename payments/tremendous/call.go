package tremendous

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

const (
	// callTimeout bounds one call. A call that takes longer has an unknown outcome.
	callTimeout = 30 * time.Second

	// largestAnswer is more than any answer of Tremendous's: its catalogue is long.
	largestAnswer = 8 << 20
)

// call makes one call and reads its answer into answer. Its error is a *payments.Error.
func (r *Rail) call(ctx context.Context, method, path string, body, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var content io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return refuse("request-invalid", "the request cannot be written")
		}
		content = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, r.base+path, content)
	if err != nil {
		return refuse("request-invalid", "the request cannot be written")
	}
	request.Header.Set("Authorization", "Bearer "+r.key)
	request.Header.Set("Accept", "application/json")
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := r.client.Do(request)
	if err != nil {
		return lost(err)
	}
	defer func() { _ = response.Body.Close() }()
	read, err := io.ReadAll(io.LimitReader(response.Body, largestAnswer+1))
	if err != nil {
		return lost(err)
	}
	if len(read) > largestAnswer {
		return lost(fmt.Errorf("the answer is longer than %d bytes", largestAnswer))
	}
	// 201 is the answer to an order that is known already.
	if response.StatusCode != http.StatusOK && response.StatusCode != http.StatusCreated {
		return classify(response.StatusCode, response.Header, read)
	}
	if err := json.Unmarshal(read, answer); err != nil {
		return unreadable("Tremendous's answer is not one that was expected", err)
	}
	return nil
}
