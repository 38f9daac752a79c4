// Package historytest looks into the histories of workflows for what Temporal must not
// know: names, amounts, texts that people wrote, bank details.
package historytest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	history "go.temporal.io/api/history/v1"
	"google.golang.org/protobuf/encoding/protojson"
)

// Texts returns every text of a history, wherever it stands: in inputs and results, also
// of Updates, in messages of failures, in memos, headers and search attributes. Payloads
// are decoded, and so is whatever they hold as JSON or base64.
func Texts(h *history.History) ([]string, error) {
	written, err := protojson.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("write a history down: %w", err)
	}
	var all []string
	walk(string(written), &all)
	return all, nil
}

// walk collects a text and, where it is JSON or base64, what stands in it.
func walk(text string, all *[]string) {
	*all = append(*all, text)
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) == nil && !decoder.More() {
		each(value, all)
		return
	}
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawURLEncoding} {
		if inner, err := encoding.DecodeString(text); err == nil && len(inner) > 0 && utf8.Valid(inner) {
			walk(string(inner), all)
			return
		}
	}
}

func each(value any, all *[]string) {
	switch v := value.(type) {
	case string:
		walk(v, all)
	case []any:
		for _, item := range v {
			each(item, all)
		}
	case map[string]any:
		for key, item := range v {
			walk(key, all)
			each(item, all)
		}
	}
}

// Told returns which of the secrets the texts tell.
func Told(texts, secrets []string) []string {
	together := strings.Join(slices.Compact(slices.Sorted(slices.Values(texts))), "\n")
	var told []string
	for _, secret := range secrets {
		if strings.Contains(together, secret) {
			told = append(told, secret)
		}
	}
	return told
}
