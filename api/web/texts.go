package web

import (
	"embed"
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/guerdon/guerdon/incentive"
)

//go:embed texts
var textFiles embed.FS

// texts are the texts of one language by key. A text may hold {name}, for what stands
// there.
type texts map[string]string

func readTexts(language string) (texts, error) {
	data, err := textFiles.ReadFile("texts/" + language + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("read the texts: %w", err)
	}
	t := texts{}
	if err := yaml.Unmarshal(data, &t); err != nil {
		return nil, fmt.Errorf("read the texts of %s: %w", language, err)
	}
	return t, nil
}

func (t texts) has(key string) bool { return t[key] != "" }

// say returns the text of a key, filled with pairs of a name and what stands there. It
// is t in templates.
func (t texts) say(key string, pairs ...any) (string, error) {
	if len(pairs)%2 != 0 {
		return "", fmt.Errorf("text %s: a name without a value", key)
	}
	with := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		with[fmt.Sprint(pairs[i])] = pairs[i+1]
	}
	if !t.has(key) {
		return "", fmt.Errorf("there is no text %q", key)
	}
	return t.fill(key, with), nil
}

// fill returns the text of a key filled.
func (t texts) fill(key string, with map[string]any) string {
	text := t[key]
	for name, value := range with {
		text = strings.ReplaceAll(text, "{"+name+"}", fmt.Sprint(value))
	}
	return text
}

// count is say for a number: the text is that of key.one or key.other, and {count} is
// the number. It is n in templates.
func (t texts) count(key string, count int, pairs ...any) (string, error) {
	if count == 1 {
		key += ".one"
	} else {
		key += ".other"
	}
	return t.say(key, append(pairs, "count", thousands(fmt.Sprint(count)))...)
}

// term is the word for a value of a family, such as a state; the value itself where
// there is no word for it. It is term in templates.
func (t texts) term(family string, value any) string {
	if text := t[family+"."+fmt.Sprint(value)]; text != "" {
		return text
	}
	return fmt.Sprint(value)
}

// problem is an error in words for whoever reads the page.
func (t texts) problem(err error) string {
	if incentive.ErrorCode(err) == incentive.CodeInternal {
		return t["problem.internal"]
	}
	message := incentive.ErrorMessage(err)
	if message == "" {
		return t["problem.internal"]
	}
	return strings.ToUpper(message[:1]) + message[1:]
}
