package screening_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/screening"
)

const list = "id,name\n17,\"DOE, John Q.\"\n17,Jean Doé\n4,Evil Trading Co. Ltd\n9,Zorro\n"

func TestHits(t *testing.T) {
	t.Parallel()
	entries, err := screening.ParseList([]byte("\ufeff" + list))
	require.NoError(t, err)
	var s screening.Screen
	s.Add("ours", entries)
	s.Add("theirs", entries[3:])
	for name, want := range map[string][]string{
		"John Q Doe":               {"ours/17"},
		"Mr. John Edward Q. O'Doe": {},
		"john edward q. doe":       {"ours/17"},
		"John Doe":                 {},
		"JEAN DOE":                 {"ours/17"},
		"Jean Doe, John Q":         {"ours/17"},
		"Co Evil Ltd (Trading)":    {"ours/4"},
		"Evil Trading":             {},
		"Zorro":                    {"ours/9", "theirs/9"},
		"Diego Zorro":              {},
		"":                         {},
		"…":                        {},
	} {
		require.Equal(t, want, s.Hits(name), name)
	}
	require.Empty(t, (&screening.Screen{}).Hits("Zorro"))
}

func TestParseListRefuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                             "has no entry",
		"id,name\n":                    "has no entry",
		"1,John Doe\n":                 "line 1: a list begins with the heading id,name",
		"id,name\n1,John,Doe\n":        "line 2: wrong number of fields",
		"id,name\n1,A B\n\n,John\n":    "line 4: an entry has an id and a name",
		"id,name\n1,\" - \"\n":         "line 2: an entry has an id and a name",
		"id,name\n1,\"John\nDoe\n":     "line",
		"id,name\n1,J\xf6hn M\xfcller": "not in UTF-8",
	} {
		_, err := screening.ParseList([]byte(text))
		require.ErrorContains(t, err, want, "%q", text)
		require.Equal(t, incentive.CodeInvalid, incentive.ErrorCode(err))
	}
}

// FuzzParseList finds every entry of a list that can be read by its own name.
func FuzzParseList(f *testing.F) {
	f.Add([]byte(list))
	f.Fuzz(func(t *testing.T, text []byte) {
		entries, err := screening.ParseList(text)
		if err != nil {
			return
		}
		var s screening.Screen
		s.Add("list", entries)
		for _, e := range entries {
			require.Contains(t, s.Hits(e.Name), "list/"+e.ID)
		}
	})
}
