package api

import (
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/oapi-codegen/runtime/types"
	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/accounting"
	"github.com/guerdon/guerdon/store"
)

// TestFiles takes every kind of file, with what names it.
func TestFiles(t *testing.T) {
	t.Parallel()
	s := open(t, time.Second)
	ctx := t.Context()
	day := func(text string) types.Date { return types.Date{Time: incentive.MustParseDate(text).UTC()} }
	through, people := int64(1), int64(1)
	for name, c := range map[string]struct {
		get   func(c *client.Client) (*http.Response, error)
		named string
		code  incentive.Code // where it is refused
	}{
		"payroll": {func(c *client.Client) (*http.Response, error) {
			return c.GetPayrollFile(ctx, &client.GetPayrollFileParams{Period: "m-2026-01"})
		}, "", incentive.CodeNotFound},
		"journal": {func(c *client.Client) (*http.Response, error) {
			return c.GetJournalFile(ctx, &client.GetJournalFileParams{From: day("2026-01-01"), To: day("2026-01-31")})
		}, "journal-2026-01-01-2026-01-31.csv", ""},
		"a template and a currency": {func(c *client.Client) (*http.Response, error) {
			template, currency := "quickbooks", "USD"
			return c.GetJournalFile(ctx, &client.GetJournalFileParams{From: day("2026-01-01"), To: day("2026-01-31"), Template: &template, Currency: &currency})
		}, "quickbooks-2026-01-01-2026-01-31-USD.csv", ""},
		"no currency": {func(c *client.Client) (*http.Response, error) {
			currency := "usd"
			return c.GetJournalFile(ctx, &client.GetJournalFileParams{From: day("2026-01-01"), To: day("2026-01-31"), Currency: &currency})
		}, "", incentive.CodeInvalid},
		"no such entry": {func(c *client.Client) (*http.Response, error) {
			return c.GetRegisterFile(ctx, &client.GetRegisterFileParams{From: day("2026-01-01"), To: day("2026-01-31"), Through: &through})
		}, "", incentive.CodeInvalid},
		"register": {func(c *client.Client) (*http.Response, error) {
			return c.GetRegisterFile(ctx, &client.GetRegisterFileParams{From: day("2026-01-01"), To: day("2026-01-31"), People: &people})
		}, "register-2026-01-01-2026-01-31.csv", ""},
		"year-end": {func(c *client.Client) (*http.Response, error) {
			return c.GetYearEndFile(ctx, &client.GetYearEndFileParams{Year: 2026})
		}, "year-end-2026-01-01-2026-12-31.csv", ""},
		"contractors": {func(c *client.Client) (*http.Response, error) {
			return c.GetContractorsFile(ctx, &client.GetContractorsFileParams{Year: 2026})
		}, "contractors-2026-01-01-2026-12-31-USD.csv", ""},
		"contractors of a year of which the law's amount is not known": {func(c *client.Client) (*http.Response, error) {
			return c.GetContractorsFile(ctx, &client.GetContractorsFileParams{Year: 2027})
		}, "", incentive.CodeInvalid},
		"contractors from a named amount": {func(c *client.Client) (*http.Response, error) {
			least := "2100"
			return c.GetContractorsFile(ctx, &client.GetContractorsFileParams{Year: 2027, Least: &least})
		}, "contractors-2027-01-01-2027-12-31-USD.csv", ""},
		"no amount": {func(c *client.Client) (*http.Response, error) {
			least := "2e3"
			return c.GetContractorsFile(ctx, &client.GetContractorsFileParams{Year: 2026, Least: &least})
		}, "", incentive.CodeInvalid},
		"contract costs": {func(c *client.Client) (*http.Response, error) {
			months := 12
			return c.GetContractCostsFile(ctx, &client.GetContractCostsFileParams{From: day("2026-01-01"), To: day("2026-12-31"), Longest: &months})
		}, "contract-costs-2026-01-01-2026-12-31.csv", ""},
		"no such line": {func(c *client.Client) (*http.Response, error) {
			return c.GetContractCostsFile(ctx, &client.GetContractCostsFileParams{From: day("2026-01-01"), To: day("2026-12-31"), Through: &through})
		}, "", incentive.CodeInvalid},
	} {
		response, err := c.get(s.as("fin"))
		require.NoError(t, err, name)
		content, err := client.Bytes(response, nil)
		if c.code != "" {
			require.Equal(t, c.code, incentive.ErrorCode(err), name)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, "attachment; filename="+c.named, response.Header.Get("Content-Disposition"), name)
		require.Equal(t, "text/csv", response.Header.Get("Content-Type"))
		var f store.File
		require.NoError(t, json.Unmarshal([]byte(response.Header.Get("Guerdon-File")), &f))
		require.Equal(t, incentive.Digest(sha256.Sum256(content)), f.SHA256)
		require.Equal(t, strings.Count(string(content), "\n")-1, f.Rows)
		events, err := s.store.AuditEvents(ctx, "file/"+string(f.Kind), 0, 100)
		require.NoError(t, err)
		require.Equal(t, "fin", events[len(events)-1].Actor)
		require.Equal(t, response.Header.Get("Guerdon-File"), events[len(events)-1].Body)
	}
}

// TestFileTemplates stores a template, which finance may.
func TestFileTemplates(t *testing.T) {
	t.Parallel()
	s := open(t, time.Second)
	ctx := t.Context()
	put := func(id, document string) (client.FileTemplate, error) {
		return client.Read[client.FileTemplate](s.as(id).PutFileTemplate(ctx, &client.PutFileTemplateParams{IdempotencyKey: client.NewKey()}, client.FileTemplateRequest{Document: document}))
	}
	const document = "template: ours\nof: register\ncolumns: [{heading: Who, field: name}]\n"
	kept, err := put("fin", document)
	require.NoError(t, err)
	require.Equal(t, client.FileTemplate{Template: "ours", Of: client.FileTemplateOfRegister, Version: 1, Document: document}, kept)
	_, err = put("fin", "template: ours")
	require.Equal(t, incentive.Code("invalid-document"), incentive.ErrorCode(err))
	for _, id := range []string{"admin", "aud", "r1"} {
		_, err = put(id, document)
		require.Equal(t, incentive.CodeForbidden, incentive.ErrorCode(err), id)
	}
	list, err := client.Read[client.FileTemplates](s.as("aud").ListFileTemplates(ctx))
	require.NoError(t, err)
	require.Len(t, list.Templates, len(accounting.Standard())+1)
	version := 1
	read, err := client.Read[client.FileTemplate](s.as("aud").GetFileTemplate(ctx, "ours", &client.GetFileTemplateParams{Version: &version}))
	require.NoError(t, err)
	require.Equal(t, kept, read)
	_, err = client.Read[client.FileTemplate](s.as("aud").GetFileTemplate(ctx, "theirs", &client.GetFileTemplateParams{}))
	require.Equal(t, incentive.CodeNotFound, incentive.ErrorCode(err))
}
