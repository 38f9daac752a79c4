package plan

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/docs/plans"
	"github.com/guerdon/guerdon/incentive/form"
	"github.com/guerdon/guerdon/incentive/language"
)

// filled are the fields of a form as a browser sends them.
func filled(p form.Part, into url.Values) url.Values {
	switch {
	case p.Fixed:
	case p.Kind == form.Condition && p.Raw:
		into.Set(p.Path, p.Value)
	case p.Kind == form.Condition:
		for i, c := range append(p.All, form.Comparison{}) {
			at := p.Path + "/" + string(rune('0'+i))
			into[at+"/of"], into[at+"/is"], into[at+"/value"] = []string{c.Attribute}, []string{c.Operator}, []string{c.Value}
		}
	case p.Kind == form.Several:
		into[p.Path] = append([]string{""}, p.Chosen...)
	case p.Kind == form.Edge:
		into.Set(p.Path, p.Value)
		into.Set(p.Path+"/word", slices.Concat(p.Chosen, []string{"up_to"})[0])
	case p.Kind != form.Group && p.Kind != form.Rows && p.Kind != form.Names:
		into.Set(p.Path, p.Value)
	}
	for _, inner := range p.Parts {
		if inner.Name != "" {
			into.Set(inner.Path+"/name", inner.Name)
		}
		filled(inner, into)
	}
	return into
}

// TestFormOfTheGallery shows every plan of the gallery in a form that says all of it, and
// takes it back as it was.
func TestFormOfTheGallery(t *testing.T) {
	t.Parallel()
	files, err := plans.Files.ReadDir(".")
	require.NoError(t, err)
	for _, file := range files {
		t.Run(file.Name(), func(t *testing.T) {
			t.Parallel()
			text, err := plans.Files.ReadFile(file.Name())
			require.NoError(t, err)
			shape := Form(text)
			p, err := form.Read(text, shape)
			require.NoError(t, err)
			same, err := form.Fill(text, shape, filled(p, url.Values{}), "")
			require.NoError(t, err)
			require.Equal(t, string(text), string(same), "what was not changed is written as it was")

			fields := filled(p, url.Values{})
			fields.Set("name", "Another name: it says")
			changed, err := form.Fill(text, shape, fields, "")
			require.NoError(t, err)
			before, err := Parse(text)
			require.NoError(t, err)
			after, err := Parse(changed)
			require.NoError(t, err, string(changed))
			require.Equal(t, "Another name: it says", after.Name)
			after.Name = before.Name
			require.Empty(t, Diff(language.English, before, after))
			require.Len(t, after.Examples, len(before.Examples))
			require.Equal(t, strings.Count(string(text), "# "), strings.Count(string(changed), "# "), "comments stay")
		})
	}
}

// TestFormFillsIn changes a plan as somebody does who writes no YAML.
func TestFormFillsIn(t *testing.T) {
	t.Parallel()
	const text = `# What the north sells.
language: 1
plan: north
name: North
currency: USD
reads:
  transaction: {kind: text, units: number} # as the shop names them
  participant: {target: number}
components:
  - name: Commission
    measure: {sum: credits, where: transaction.kind == "new"}
    rate: 5% # since 2019
`
	for name, c := range map[string]struct {
		fields, act string
		want        []string // what the document says then
		gone        []string
	}{
		"a rate":                  {"components/0/rate=6.5%25", "", []string{"rate: 6.5% # since 2019", "# What the north sells.", "# as the shop names them"}, []string{"5% #\n"}},
		"nothing":                 {"components/0/rate=5%25", "", []string{text}, nil},
		"a participant's rate":    {"components/0/rate=participant.target", "", []string{"rate: participant.target"}, nil},
		"a cap":                   {"components/0/cap/amount=900", "", []string{"cap: 900"}, nil},
		"a cap that carries over": {"components/0/cap/amount=900&components/0/cap/excess=carried_over", "", []string{"cap: {amount: 900, excess: carried_over}"}, nil},
		"a table instead":         {"add/components/0=rate_table", "add:components/0", []string{"rate_table:", "tiers: [{up_to: 10000, rate: 1%}, {rate: 2%}]"}, []string{"rate: 5%"}},
		"a component":             {"", "add:components", []string{"name: North", "- name: New component\n    measure: {sum: credits}\n    rate: 1%"}, nil},
		"another filter":          {"components/0/measure/where/0/of=transaction.units&components/0/measure/where/0/is=%3E%3D&components/0/measure/where/0/value=10&components/0/measure/where/1/of=transaction.kind&components/0/measure/where/1/is=!%3D&components/0/measure/where/1/value=a%20%22b%22", "", []string{`transaction.units >= 10 and transaction.kind != "a \"b\""`}, []string{`kind == "new"`}},
		"no filter":               {"components/0/measure/where/0/of=&components/0/measure/where/0/is===", "", []string{"measure: {sum: credits}"}, nil},
		"another measure":         {"components/0/measure/aggregate=sum+transaction.units", "", []string{"sum: transaction.units"}, nil},
		"an attribute":            {"add/reads/participant=region", "add:reads/participant", []string{"target: number, region: text"}, nil},
		"a draw":                  {"add/=draw", "add:", []string{"draw: {amount: 1000, kind: recoverable}"}, nil},
		"a ratio":                 {"components/0/measure/aggregate=ratio&components/0/measure/where/0/of=&components/0/measure/where/0/is===&add/components/0=curve", "add:components/0", []string{"measure: {ratio: {sum: credits}, to: {count: credits}}"}, []string{"rate: 5%"}},
		"no such part":            {"", "remove:components/7", nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fields, err := url.ParseQuery(c.fields)
			require.NoError(t, err)
			got, err := form.Fill([]byte(text), Form([]byte(text)), fields, c.act)
			if c.want == nil {
				require.Error(t, err)
				return
			}
			require.NoError(t, err)
			for _, want := range c.want {
				require.Contains(t, string(got), want)
			}
			for _, gone := range c.gone {
				require.NotContains(t, string(got), gone)
			}
			_, err = Parse(got)
			require.NoError(t, err, string(got))
		})
	}
}

// TestFormKnowsTheLanguage holds the form to the schema: whatever the language has is in
// it, but what only the document shows.
func TestFormKnowsTheLanguage(t *testing.T) {
	t.Parallel()
	keys := map[string]bool{}
	var collect func(any)
	collect = func(one any) {
		switch one := one.(type) {
		case map[string]any:
			if properties, is := one["properties"].(map[string]any); is {
				for key := range properties {
					keys[key] = true
				}
			}
			for _, inner := range one {
				collect(inner)
			}
		case []any:
			for _, inner := range one {
				collect(inner)
			}
		}
	}
	var schema any
	require.NoError(t, json.Unmarshal(Schema, &schema))
	collect(schema)
	parsed := parsedKeys(t)
	require.Equal(t, slices.Sorted(maps.Keys(parsed)), slices.Sorted(maps.Keys(keys)), "the schema has what is read, and nothing else")
	for _, key := range []string{"language", // which nobody chooses
		"territories", "teams", "parent", "covers", // of examples
		"sum", "count", "distinct", "objectives", "up_to", "below"} { // of kinds of their own
		delete(keys, key)
	}
	known := map[string]bool{}
	var walk func(form.Shape)
	walk = func(s form.Shape) {
		known[s.Key] = true
		for _, part := range s.Parts {
			walk(part)
		}
	}
	walk(Form(nil))
	for key := range keys {
		require.True(t, known[key], "the form lacks %q", key)
	}
}

// parsedKeys are the keys that the parser reads, by its source.
func parsedKeys(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	keys := map[string]bool{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		require.NoError(t, err)
		keep := func(e ast.Expr) {
			if text, is := e.(*ast.BasicLit); is && text.Kind == token.STRING {
				key, err := strconv.Unquote(text.Value)
				require.NoError(t, err)
				keys[key] = true
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CompositeLit:
				if of, is := n.Type.(*ast.Ident); is && of.Name == "fields" {
					for _, e := range n.Elts {
						keep(e.(*ast.KeyValueExpr).Key)
					}
				}
			case *ast.AssignStmt:
				for _, left := range n.Lhs {
					if at, is := left.(*ast.IndexExpr); is {
						if of, is := at.X.(*ast.Ident); is && (of.Name == "known" || of.Name == "more") {
							keep(at.Index)
						}
					}
				}
			}
			return true
		})
	}
	require.Greater(t, len(keys), 80)
	return keys
}

// FuzzForm writes whatever a form may send into a plan: what comes of it is read again, or
// refused.
func FuzzForm(f *testing.F) {
	f.Add("components/0/rate", "6%", "add:components")
	f.Add("add/components/0", "curve", "add:components/0")
	f.Add("name", "a: [b", "remove:components/0/measure")
	text, err := plans.Files.ReadFile("seasonal-quota.yaml")
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, field, value, act string) {
		shape := Form(text)
		filled, err := form.Fill(text, shape, url.Values{field: {value}}, act)
		if err != nil {
			return
		}
		p, err := form.Read(filled, shape)
		require.NoError(t, err)
		require.False(t, p.Fixed)
	})
}
