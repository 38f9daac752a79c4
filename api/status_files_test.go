package api

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/store"
)

// TestStatusFiles hands in a bank's file, once and again, and files that are none.
func TestStatusFiles(t *testing.T) {
	t.Parallel()
	s := open(t, 10*time.Second)
	content, err := os.ReadFile("../payments/iso20022/testdata/pain.002.001.11.xml")
	require.NoError(t, err)
	upload := func(id, rail, text string) (client.StatusFile, error) {
		return s.as(id).UploadStatus(t.Context(), client.NewKey(), rail, client.File{Name: "bank.xml", Content: strings.NewReader(text)})
	}
	first, err := upload("fin", "iso20022-sepa", string(content))
	require.NoError(t, err)
	require.True(t, first.Applied)
	require.Equal(t, 7, first.NotOurs, "nobody here is paid by it")
	require.Equal(t, []string{"bank.xml", "iso20022-sepa", "fin"}, []string{first.Name, first.Rail, first.UploadedBy})
	again, err := upload("fin", "iso20022-sepa", string(content))
	require.NoError(t, err)
	require.Equal(t, first, again)
	require.Equal(t, []string{activities.StatusFileID(first.Id)}, s.room.started, "it is applied once")
	read, err := client.Read[client.StatusFile](s.as("aud").GetStatusFile(t.Context(), first.Id))
	require.NoError(t, err)
	require.Equal(t, first, read)

	for name, c := range map[string]struct {
		id, rail, content string
		code              incentive.Code
	}{
		"not a bank's file":   {"fin", "iso20022-sepa", "<Document/>", payments.CodeStatusFileRefused},
		"cut short":           {"fin", "iso20022-sepa", string(content[:len(content)-20]), payments.CodeStatusFileRefused},
		"no such rail":        {"fin", "cash", "x", payments.CodeRailUnknown},
		"a rail that is deaf": {"fin", "payment-file", "x", incentive.CodeInvalid},
		"an auditor's":        {"aud", "iso20022-sepa", string(content), incentive.CodeForbidden},
		"a rep's":             {"r1", "iso20022-sepa", string(content), incentive.CodeForbidden},
	} {
		_, err := upload(c.id, c.rail, c.content)
		require.Equal(t, c.code, incentive.ErrorCode(err), name)
	}
	_, err = client.Read[client.StatusFile](s.as("fin").GetStatusFile(t.Context(), "x"))
	require.Equal(t, store.CodeStatusFileUnknown, incentive.ErrorCode(err))
	for name, body := range map[string]string{
		"no part":      "--x--\r\n",
		"another part": "--x\r\nContent-Disposition: form-data; name=\"other\"; filename=\"f\"\r\n\r\nx\r\n--x--\r\n",
		"no name":      "--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nx\r\n--x--\r\n",
		"two parts":    strings.Repeat("--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\nx\r\n", 2) + "--x--\r\n",
	} {
		response, err := s.as("fin").UploadStatusFileWithBody(t.Context(), "iso20022-sepa", &client.UploadStatusFileParams{IdempotencyKey: client.NewKey()}, "multipart/form-data; boundary=x", strings.NewReader(body))
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, http.StatusBadRequest, response.StatusCode, name)
	}
}
