package language

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/guerdon/guerdon/incentive"
)

// Texts are the texts of one language by key. A text may hold {name}, for what stands
// there.
type Texts struct {
	Language
	byKey map[string]string
}

// Family lists the values of a family of terms, such as "rejected" of decision.rejected, sorted.
func (t Texts) Family(family string) (values []string) {
	for key := range t.byKey {
		if value, is := strings.CutPrefix(key, family+"."); is {
			values = append(values, value)
		}
	}
	slices.Sort(values)
	return values
}

// ReadTexts reads the texts of every language from a directory's <language>.yaml. A text
// that a language lacks is the English one.
func ReadTexts(files fs.FS, directory string) (map[Language]Texts, error) {
	all := map[Language]Texts{}
	for _, l := range Languages {
		data, err := fs.ReadFile(files, path.Join(directory, string(l)+".yaml"))
		if err != nil {
			return nil, fmt.Errorf("read the texts: %w", err)
		}
		t := Texts{l, map[string]string{}}
		if err := yaml.Unmarshal(data, &t.byKey); err != nil {
			return nil, fmt.Errorf("read the texts of %s: %w", l, err)
		}
		for key, text := range all[English].byKey {
			if !t.Has(key) {
				t.byKey[key] = text
			}
		}
		all[l] = t
	}
	return all, nil
}

// Has reports whether there is a text of that key.
func (t Texts) Has(key string) bool { return t.byKey[key] != "" }

// Get returns the text of a key as it stands; "" where there is none.
func (t Texts) Get(key string) string { return t.byKey[key] }

// All returns every text by its key.
func (t Texts) All() map[string]string { return t.byKey }

// Say returns the text of a key, filled with pairs of a name and what stands there.
func (t Texts) Say(key string, pairs ...any) (string, error) {
	if len(pairs)%2 != 0 {
		return "", fmt.Errorf("text %s: a name without a value", key)
	}
	with := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		with[fmt.Sprint(pairs[i])] = pairs[i+1]
	}
	if !t.Has(key) {
		return "", fmt.Errorf("there is no text %q", key)
	}
	return t.Fill(key, with), nil
}

// Fill returns the text of a key filled; "" where there is none.
func (t Texts) Fill(key string, with map[string]any) string {
	text := t.byKey[key]
	for name, value := range with {
		text = strings.ReplaceAll(text, "{"+name+"}", t.write(value))
	}
	return text
}

// Numeral is a decimal that a text holds, written as its language writes numbers.
type Numeral string

func (t Texts) write(value any) string {
	switch value := value.(type) {
	case Numeral:
		return t.Number(string(value))
	case incentive.Money:
		return t.Money(value)
	case []incentive.Money:
		var all []string
		for _, m := range value {
			all = append(all, t.Money(m))
		}
		return strings.Join(all, ", ")
	}
	return fmt.Sprint(value)
}

// Count is Say for a number: the text is that of key.one or key.other, and {count} is
// the number.
func (t Texts) Count(key string, count int, pairs ...any) (string, error) {
	if count == 1 {
		key += ".one"
	} else {
		key += ".other"
	}
	return t.Say(key, append(pairs, "count", t.Number(fmt.Sprint(count)))...)
}

// Term is the word for a value of a family, such as a state; the value itself where
// there is no word for it.
func (t Texts) Term(family string, value any) string {
	if text := t.byKey[family+"."+fmt.Sprint(value)]; text != "" {
		return text
	}
	return fmt.Sprint(value)
}
