// Package texts holds what pages and documents say, by key, in every language.
package texts

import (
	"embed"

	"github.com/guerdon/guerdon/incentive/language"
)

//go:embed *.yaml
var files embed.FS

// Read returns the texts of every language.
func Read() (map[language.Language]language.Texts, error) { return language.ReadTexts(files, ".") }
