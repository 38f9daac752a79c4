package web

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestQuotaFile imports quotas from a spreadsheet's CSV, whatever its separator and marks.
func TestQuotaFile(t *testing.T) {
	t.Parallel()
	h := settled(t, time.Minute)
	fin := h.as("fin")
	send := func(content string) (int, string) {
		t.Helper()
		key := keyOf.FindStringSubmatch(fin.visit("/quotas"))
		require.NotNil(t, key)
		var body bytes.Buffer
		parts := multipart.NewWriter(&body)
		for name, value := range map[string]string{"key": key[1], "dates": "DD.MM.YYYY", "decimal": ","} {
			require.NoError(t, parts.WriteField(name, value))
		}
		part, err := parts.CreateFormFile("file", "quotas.csv")
		require.NoError(t, err)
		_, err = part.Write([]byte(content))
		require.NoError(t, err)
		require.NoError(t, parts.Close())
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, fin.url+"/quotas/file", &body)
		require.NoError(t, err)
		request.Header.Set("Content-Type", parts.FormDataContentType())
		return fin.do(request)
	}
	status, page := send("\ufeffPerson;Measure;Starts on;Ends on;Amount\nr1;sales;01.01.2026;31.03.2026;120.000,50\nr2;sales;01.01.2026;31.03.2026;a lot\n")
	require.Equal(t, http.StatusOK, status, page)
	require.Contains(t, page, "Quotas taken: 1.")
	require.Contains(t, page, "Column Amount, &#34;a lot&#34;")
	require.Contains(t, fin.visit("/quotas"), "120,000.5")
	status, page = send("person;measure;amount\nr1;sales;1\n")
	require.Equal(t, http.StatusBadRequest, status, page)
	require.Contains(t, page, "names no column &#34;starts_on&#34;")
}
