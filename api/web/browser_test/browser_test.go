// Package browser_test uses the pages as people do: in Chromium, on the local installation
// with its sample company.
package browser_test

import (
	"bufio"
	"context"
	_ "embed"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

//go:embed testdata/axe.min.js
var axe string

// chromium returns the path of the browser, or skips.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	require.Empty(t, os.Getenv("GUERDON_NO_SKIP"), "chromium is absent")
	t.Skip("chromium is absent: install Debian's package chromium")
	return ""
}

// browse starts a browser.
func browse(t *testing.T, program string) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.DisableGPU)
	programs, done := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(done)
	browser, leave := chromedp.NewContext(programs)
	t.Cleanup(leave)
	require.NoError(t, chromedp.Run(browser), "the browser starts")
	return browser
}

// install builds and starts the local installation, with further flags, and returns its address.
func install(t *testing.T, flags ...string) string {
	t.Helper()
	directory, err := os.MkdirTemp("/tmp", "guerdon-test-") // t.TempDir is closed to PostgreSQL's own user
	require.NoError(t, err)
	require.NoError(t, os.Chmod(directory, 0o711))
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(directory)) })
	program := filepath.Join(directory, "local")
	output, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "github.com/guerdon/guerdon/deploy/local").CombinedOutput()
	require.NoError(t, err, "%s", output)
	command := exec.Command(program, append([]string{"--data-directory", filepath.Join(directory, "data"), "--api-port=0", "--temporal-port=0", "--ui-port=-1"}, flags...)...)
	command.Cancel = nil
	says, err := command.StdoutPipe()
	require.NoError(t, err)
	var complaint strings.Builder
	command.Stderr = &complaint
	require.NoError(t, command.Start())
	var address string
	lines := bufio.NewScanner(says)
	for lines.Scan() {
		if fields := strings.Fields(lines.Text()); len(fields) == 2 && fields[0] == "Pages" {
			address = fields[1]
		}
		if strings.Contains(lines.Text(), "Ctrl-C") {
			break
		}
	}
	drained := make(chan struct{})
	go func() { _, _ = io.Copy(io.Discard, says); close(drained) }()
	t.Cleanup(func() {
		require.NoError(t, command.Process.Signal(syscall.SIGTERM))
		<-drained
		require.NoError(t, command.Wait(), "%s", &complaint)
	})
	require.NotEmpty(t, address, "the installation did not start: %s", &complaint)
	return address
}

// screen is what the pages are looked at on.
type screen struct {
	name          string
	width, height int64
	phone, dark   bool
}

var (
	desktop = screen{"desktop", 1280, 860, false, false}
	night   = screen{"desktop-dark", 1280, 860, false, true}
	phone   = screen{"phone", 390, 844, true, false}
)

// person is somebody at a browser of their own.
type person struct {
	*testing.T
	ctx      context.Context
	address  string
	screen   screen
	id       string
	mutex    sync.Mutex
	troubles []string
}

// signIns are the screens on which the page to sign in was looked at: it is the same for everybody.
var signIns sync.Map

// arrives opens a window that knows nothing of the others, as a browser of its own would be, and signs somebody in
// by the page.
func arrives(t *testing.T, browser context.Context, address, id string, on screen) *person {
	t.Helper()
	executor := cdp.WithExecutor(browser, chromedp.FromContext(browser).Browser)
	profile, err := target.CreateBrowserContext().Do(executor)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, target.DisposeBrowserContext(profile).Do(executor)) })
	// A profile without a window has none to put a tab into: Chromium 156 refuses where chromedp asks for a tab only.
	window, err := target.CreateTarget("about:blank").WithBrowserContextID(profile).WithNewWindow(true).Do(executor)
	require.NoError(t, err)
	ctx, leave := chromedp.NewContext(browser, chromedp.WithTargetID(window))
	t.Cleanup(leave)
	ctx, cancel := context.WithTimeout(ctx, 6*time.Minute)
	t.Cleanup(cancel)
	p := &person{T: t, ctx: ctx, address: address, screen: on, id: id}
	chromedp.ListenTarget(ctx, p.hear)
	colours := "light"
	if on.dark {
		colours = "dark"
	}
	p.do(network.Enable(), log.Enable(), runtime.Enable(), page.Enable(),
		emulation.SetFocusEmulationEnabled(true), // whichever window is in front
		emulation.SetDeviceMetricsOverride(on.width, on.height, 1, on.phone),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: colours}}))
	p.visit("/")
	if _, seen := signIns.LoadOrStore(on, true); !seen {
		p.look("sign-in")
	}
	p.press(fmt.Sprintf(`//button[@value=%q]`, id))
	return p
}

// hear notes what a page should not do.
func (p *person) hear(event any) {
	trouble := ""
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Level == log.LevelError || e.Entry.Level == log.LevelWarning {
			trouble = fmt.Sprintf("log: %s %s", e.Entry.Text, e.Entry.URL)
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.APITypeError || e.Type == runtime.APITypeWarning {
			trouble = fmt.Sprintf("console: %v", e.Args)
		}
	case *runtime.EventExceptionThrown:
		trouble = "exception: " + e.ExceptionDetails.Error()
	case *network.EventLoadingFailed:
		if !e.Canceled {
			trouble = "request failed: " + e.ErrorText
		}
	case *network.EventResponseReceived:
		if e.Response.Status >= 400 {
			trouble = fmt.Sprintf("answer %d: %s", e.Response.Status, e.Response.URL)
		}
	}
	if trouble != "" {
		p.mutex.Lock()
		defer p.mutex.Unlock()
		p.troubles = append(p.troubles, trouble)
	}
}

// forget drops what a page noted of a refusal that was meant.
func (p *person) forget(parts ...string) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.troubles = slices.DeleteFunc(p.troubles, func(trouble string) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(trouble, part) })
	})
}

func (p *person) do(actions ...chromedp.Action) {
	p.Helper()
	require.NoError(p, chromedp.Run(p.ctx, actions...), "%s on %s", p.id, p.screen.name)
}

// visit opens a page.
func (p *person) visit(path string) {
	p.Helper()
	_, err := chromedp.RunResponse(p.ctx, chromedp.Navigate(p.address+path))
	require.NoError(p, err, path)
}

// press presses what an XPath finds and waits for the page that follows.
func (p *person) press(xpath string) {
	p.Helper()
	pressing, cancel := context.WithTimeout(p.ctx, time.Minute)
	defer cancel()
	_, err := chromedp.RunResponse(pressing, chromedp.Click(xpath, chromedp.BySearch))
	require.NoError(p, err, "%s presses %s", p.id, xpath)
}

// follow follows the link of that text, which may stand in the menu of a phone.
func (p *person) follow(text string) {
	p.Helper()
	link := fmt.Sprintf(`//a[normalize-space()=%q]`, text)
	var closed bool
	p.do(chromedp.Evaluate(fmt.Sprintf(`(() => {
		const link = document.evaluate(%q, document, null, XPathResult.FIRST_ORDERED_NODE_TYPE, null).singleNodeValue;
		return !!link && !!link.closest(".menu") && !link.checkVisibility();
	})()`, link), &closed))
	if closed {
		p.do(chromedp.Click(`.opens-menu`, chromedp.ByQuery), chromedp.WaitVisible(link, chromedp.BySearch))
	}
	p.press(link)
}

// open opens what stands behind a summary.
func (p *person) open(text string) {
	p.Helper()
	p.do(chromedp.Click(fmt.Sprintf(`//summary[normalize-space()=%q]`, text), chromedp.BySearch))
}

// button presses a button of that text.
func (p *person) button(text string) {
	p.Helper()
	p.press(fmt.Sprintf(`//button[normalize-space()=%q]`, text))
}

// write writes into a field.
func (p *person) write(css, text string) {
	p.Helper()
	p.do(chromedp.SetValue(css, text, chromedp.ByQuery))
}

// fill writes into what an XPath finds.
func (p *person) fill(xpath, text string) {
	p.Helper()
	p.do(chromedp.SetValue(xpath, text, chromedp.BySearch))
}

// text returns what the page says.
func (p *person) text() string {
	p.Helper()
	var text string
	p.do(chromedp.Text("main", &text, chromedp.ByQuery))
	return strings.ReplaceAll(text, "\u00a0", " ")
}

// sees waits until something is on the page, which may go on by itself.
func (p *person) sees(xpath string) {
	p.Helper()
	waiting, cancel := context.WithTimeout(p.ctx, time.Minute)
	defer cancel()
	require.NoError(p, chromedp.Run(waiting, chromedp.WaitVisible(xpath, chromedp.BySearch)), "%s waits for %s", p.id, xpath)
}

// finding is what axe-core has to say about a page.
type finding struct {
	ID, Impact, Help string
	Nodes            []struct{ HTML, FailureSummary string }
}

// look checks the page that is shown: nothing went wrong, everybody can use it, and it
// fits the screen. With GUERDON_SCREENSHOTS it is kept as a picture in that directory.
func (p *person) look(name string) {
	p.Helper()
	var findings []finding
	var wide bool
	p.do(
		chromedp.Evaluate(axe+";0", nil),
		chromedp.Evaluate(`axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations.map(v => ({ID: v.id, Impact: v.impact, Help: v.help,
			Nodes: v.nodes.map(n => ({HTML: n.html, FailureSummary: n.failureSummary}))})))`, &findings,
			func(e *runtime.EvaluateParams) *runtime.EvaluateParams { return e.WithAwaitPromise(true) }),
		chromedp.Evaluate(`document.documentElement.scrollWidth > document.documentElement.clientWidth`, &wide),
	)
	if directory := os.Getenv("GUERDON_SCREENSHOTS"); directory != "" {
		var picture []byte
		p.do(chromedp.FullScreenshot(&picture, 100))
		require.NoError(p, os.WriteFile(filepath.Join(directory, fmt.Sprintf("%s-%s-%s.png", name, p.id, p.screen.name)), picture, 0o644))
	}
	p.guide(name)
	for _, f := range findings {
		require.NotContains(p, []string{"serious", "critical"}, f.Impact, "%s for %s on %s: %s: %v", name, p.id, p.screen.name, f.Help, f.Nodes)
	}
	require.False(p, wide, "%s for %s is wider than the %s", name, p.id, p.screen.name)
	p.mutex.Lock()
	defer p.mutex.Unlock()
	require.Empty(p, p.troubles, "%s for %s on %s", name, p.id, p.screen.name)
}
