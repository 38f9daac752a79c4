package browser_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/deploy/local/sample"
)

// looked is a page as somebody looks at it, by the name of its picture.
type looked struct{ page, person, screen string }

// guides are the pictures that the guides in docs show.
var guides = map[looked]string{
	{"live", "p12", desktop.name}:                       "rep-this-period",
	{"statement", "p12", phone.name}:                    "rep-statement",
	{"dispute-raised", "p12", phone.name}:               "rep-dispute",
	{"team", "p06", desktop.name}:                       "manager-team",
	{"dispute-to-answer", "p06", phone.name}:            "manager-dispute",
	{"cockpit", sample.FinanceRelease, desktop.name}:    "finance-cockpit",
	{"release", sample.FinanceRelease, desktop.name}:    "finance-release",
	{"verification", sample.Auditor, desktop.name}:      "auditor-proof",
	{"sample", sample.Auditor, desktop.name}:            "auditor-sample",
	{"audit", sample.Auditor, desktop.name}:             "auditor-audit",
	{"page-people", sample.Administrator, desktop.name}: "administrator-people",
	{"draft", sample.Administrator, desktop.name}:       "administrator-plan",
	{"policy", sample.Administrator, desktop.name}:      "administrator-policy",
}

const images = "../../../docs/images"

// guide keeps what is on the screen as a picture of the guides, where GUERDON_GUIDES is set.
func (p *person) guide(page string) {
	p.Helper()
	name, shown := guides[looked{page, p.id, p.screen.name}]
	if !shown || os.Getenv("GUERDON_GUIDES") == "" {
		return
	}
	var picture []byte
	p.do(chromedp.Evaluate(`window.scrollTo(0, 0)`, nil), chromedp.CaptureScreenshot(&picture))
	require.NoError(p, os.WriteFile(filepath.Join(images, name+".png"), picture, 0o644))
}

// TestGuidesHaveTheirPictures holds the guides and their pictures to each other.
func TestGuidesHaveTheirPictures(t *testing.T) {
	t.Parallel()
	shown := map[string]bool{}
	documents, err := filepath.Glob("../../../docs/*.md")
	require.NoError(t, err)
	for _, path := range documents {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		for _, found := range regexp.MustCompile(`!\[([^\]]*)\]\(images/([a-z-]+)\.png\)`).FindAllStringSubmatch(string(text), -1) {
			require.NotEmpty(t, found[1], "%s says in words what %s shows", path, found[2])
			shown[found[2]] = true
		}
	}
	for of, name := range guides {
		require.True(t, shown[name], "no guide shows %s, of %v", name, of)
		delete(shown, name)
		file, err := os.Stat(filepath.Join(images, name+".png"))
		require.NoError(t, err, "make it anew: GUERDON_GUIDES=1 go test ./api/web/browser_test")
		require.Less(t, file.Size(), int64(150_000), "%s is too large", name)
	}
	require.Empty(t, shown, "no test makes these pictures")
	files, err := os.ReadDir(images)
	require.NoError(t, err)
	require.Len(t, files, len(guides), "there are pictures that no guide shows")
}
