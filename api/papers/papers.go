// Package papers makes the documents that people take away, as PDF: statements, payment
// advices, certificates, the reports of proofs. The same input gives the same bytes: nothing in
// a document comes from a clock.
package papers

import (
	"embed"
	"fmt"
	"time"

	"github.com/guerdon/guerdon/api/web/texts"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/language"
)

//go:embed fonts/*.ttf
var fonts embed.FS

// Maker makes documents.
type Maker struct {
	texts         map[language.Language]language.Texts
	regular, bold []byte
}

// New returns a maker, with its texts and fonts.
func New() (*Maker, error) {
	m := &Maker{}
	var err error
	if m.texts, err = texts.Read(); err != nil {
		return nil, err
	}
	if m.regular, err = fonts.ReadFile("fonts/NotoSans-Regular.ttf"); err != nil {
		return nil, fmt.Errorf("read a font: %w", err)
	}
	if m.bold, err = fonts.ReadFile("fonts/NotoSans-Bold.ttf"); err != nil {
		return nil, fmt.Errorf("read a font: %w", err)
	}
	return m, nil
}

// Head is what every document is made with.
type Head struct {
	Language language.Language
	Company  string
	Zone     *time.Location // in which moments are written
	Period   string         // what the period is called in the language
	StartsOn incentive.Date
	EndsOn   incentive.Date
}
