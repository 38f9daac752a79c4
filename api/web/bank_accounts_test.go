package web

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments/nacha"
	"github.com/guerdon/guerdon/payments/nacha/standin"
	"github.com/guerdon/guerdon/store"
)

// TestBankAccounts tries accounts by the pages: their owners read how they stand, one of finance has the
// prenotes written and takes them to the bank, and another one decides about what the bank says of an account.
func TestBankAccounts(t *testing.T) {
	t.Parallel()
	rail, err := nacha.New(nacha.Config{Company: "Test", CompanyID: "1123456789", Bank: "021000021", BankName: "Bank of Examples", LeadDays: 1, Prenotes: true, Now: time.Now})
	require.NoError(t, err)
	h := settled(t, time.Second, rail)
	fin, aud := h.as("fin"), h.as("aud")
	require.Contains(t, fin.visit("/bank-accounts"), "no account waits for a prenote")
	for id, account := range map[string]string{"r1": "11112222", "r2": "33334444"} {
		h.contractor(id)
		h.as(id).does("/account", "/account", url.Values{"rail": {rail.Name()}, "holder": {"Rep"}, "routing": {"021000021"}, "account": {account}, "kind": {"checking"}}, "Nothing is paid there yet")
	}
	require.Contains(t, fin.visit("/bank-accounts"), "2 accounts wait for a prenote.")
	status, _ := aud.send(http.MethodPost, "/bank-accounts", url.Values{"act": {"build"}, "rail": {rail.Name()}})
	require.Equal(t, http.StatusForbidden, status)
	fin.does("/bank-accounts", "/bank-accounts", url.Values{"act": {"build"}, "rail": {rail.Name()}}, "The file is built.")
	page := fin.visit("/bank-accounts")
	require.Contains(t, page, "2 accounts")
	file := fileOf.FindStringSubmatch(page)
	require.NotNil(t, file)
	require.Contains(t, aud.visit("/bank-accounts"), "Not sent to the bank yet")
	content := fin.visit("/prenotes/" + file[1])
	fin.does("/bank-accounts", "/bank-accounts", url.Values{"act": {"sent"}, "file": {file[1]}}, "It is noted that the file was taken to the bank.")
	require.Contains(t, fin.visit("/bank-accounts"), "Accounts of which nothing comes back may be paid from")
	require.Contains(t, h.as("r1").visit("/account"), "the bank is asked whether it knows the account")

	database, err := pgx.Connect(t.Context(), h.database)
	require.NoError(t, err)
	defer database.Close(context.Background())
	trace := func(id string) (found string) {
		require.NoError(t, database.QueryRow(t.Context(), `SELECT p.trace FROM guerdon.prenote p JOIN guerdon.destination d ON d.id = p.destination_id WHERE d.participant_id = $1`, id).Scan(&found))
		return found
	}
	back, err := standin.SendBack([]byte(content), incentive.DateOf(time.Now()), standin.Answer{Trace: trace("r1"), Code: "R03"}, standin.Answer{Trace: trace("r2"), Code: "C01", Data: "33334445"})
	require.NoError(t, err)
	f, err := h.store.KeepStatusFile(t.Context(), store.StatusFile{Rail: rail.Name(), Name: "back.ach", UploadedBy: "fin"}, back)
	require.NoError(t, err)
	var suite testsuite.WorkflowTestSuite
	environment := suite.NewTestActivityEnvironment()
	environment.RegisterActivity(h.room.work)
	_, err = environment.ExecuteActivity(h.room.work.ApplyStatusFile, f.ID)
	require.NoError(t, err)
	require.Contains(t, fin.visit("/bank-accounts"), "so that somebody else decides.")
	require.Contains(t, h.as("r1").visit("/account"), "the bank has refused the account")
	fin2 := h.as("fin2")
	page = fin2.visit("/bank-accounts")
	require.Contains(t, page, "2 came back")
	correction := regexp.MustCompile(`name="correction" value="([^"]+)"`).FindStringSubmatch(page)
	require.NotNil(t, correction)
	fin2.does("/bank-accounts", "/bank-accounts", url.Values{"act": {"confirm"}, "correction": {correction[1]}}, "The participant is paid there from now on.")
	require.Contains(t, h.as("r2").visit("/account"), "Ready to be paid.")
	require.Contains(t, fin2.visit("/bank-accounts"), "No correction waits for a decision.")
}
