package proof

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/guerdon/guerdon/incentive"
)

// PackedText is a reason or comment in a pack, as the tables name it.
type PackedText struct {
	ID        string    `json:"id"`
	SHA256    string    `json:"sha256"` // of the text, in hexadecimal
	WrittenBy string    `json:"written_by"`
	WrittenAt time.Time `json:"written_at"`
	Body      *string   `json:"body"` // nil once it was erased
}

// rows are the rows of a table in a pack, each by the names of its columns.
type rows []map[string]string

// packReader reads a file of a pack.
type packReader func(name string) ([]byte, error)

// table reads a table that has at least these columns.
func (read packReader) table(name string, columns ...string) (rows, error) {
	content, err := read(name)
	if err != nil {
		return nil, err
	}
	all, err := csv.NewReader(bytes.NewReader(content)).ReadAll()
	if err != nil || len(all) == 0 {
		return nil, wrong("%s cannot be read: %v", name, err)
	}
	for _, c := range columns {
		if !slices.Contains(all[0], c) {
			return nil, wrong("%s lacks the column %s: it has %s", name, c, strings.Join(all[0], ", "))
		}
	}
	table := make(rows, len(all)-1)
	for i, row := range all[1:] {
		table[i] = make(map[string]string, len(row))
		for at, value := range row {
			table[i][all[0][at]] = value
		}
	}
	return table, nil
}

// says adds a sentence to what is proved.
type says func(format string, arguments ...any)

// tables proves what the tables of a pack say of each other, of the statements and of the audit chain.
func (r *PackVerified) tables(read packReader, proved says) error {
	links, err := r.links(read, proved)
	if err != nil {
		return err
	}
	for _, prove := range []func(packReader, rows, says) error{r.approvals, payoutsOf, ledgerOf, r.histories, textsOf} {
		if err := prove(read, links, proved); err != nil {
			return err
		}
	}
	return nil
}

// links proves that the links of the audit chain in the pack are links of the chain, and returns them.
func (r *PackVerified) links(read packReader, proved says) (rows, error) {
	const file = "audit-chain.csv"
	links, err := read.table(file, "number", "at", "actor", "act", "subject", "body", "previous_hash", "hash")
	if err != nil {
		return nil, err
	}
	inside, first, end := 0, r.chain.First, r.chain.First+int64(len(r.chain.Links))
	for _, l := range links {
		number, err := strconv.ParseInt(l["number"], 10, 64)
		if err != nil {
			return nil, wrong("%s holds a link whose number is none: %q", file, l["number"])
		}
		at, err := time.Parse(time.RFC3339Nano, l["at"])
		if err != nil {
			return nil, wrong("link %d of %s has no time: %q", number, file, l["at"])
		}
		previous, err := hex.DecodeString(l["previous_hash"])
		if err != nil {
			return nil, wrong("link %d of %s names no hash before it", number, file)
		}
		entry := incentive.AuditEntry{Number: number, At: at, Actor: l["actor"], Act: l["act"], Subject: l["subject"], Body: l["body"]}.Digest()
		if hash := incentive.AuditHash(previous, entry); hex.EncodeToString(hash[:]) != l["hash"] {
			return nil, wrong("link %d of %s is not what its hash says", number, file)
		}
		if number < first || number >= end {
			continue
		}
		if r.chain.Links[number-first] != entry {
			return nil, wrong("link %d of %s is not that link of the audit chain", number, file)
		}
		inside++
	}
	proved("Each of the %d links in %s is what its hash says, and %d of them are links of the chain in %s; the others are from before the lock, or newer than it.", len(links), file, inside, PackProof)
	return links, nil
}

// approvals proves that what was released had been approved at every level, by its digest, and that the chain names
// who released which list.
func (r *PackVerified) approvals(read packReader, links rows, proved says) error {
	lists, err := read.table("payout-lists.csv", "supplement", "digest", "released_by")
	if err != nil {
		return err
	}
	approvals, err := read.table("approvals.csv", "participant_id", "level", "statement_digest", "decision")
	if err != nil {
		return err
	}
	released := 0
	for _, list := range lists {
		if list["released_by"] == "" {
			continue
		}
		released++
		named := slices.ContainsFunc(links, func(l map[string]string) bool {
			var body struct {
				Digest string `json:"payout_list_digest"`
			}
			return l["act"] == string(incentive.Release) && l["actor"] == list["released_by"] && json.Unmarshal([]byte(l["body"]), &body) == nil && body.Digest == list["digest"]
		})
		if !named {
			return wrong("the audit chain names no release of the payout list %s by %s", list["digest"], list["released_by"])
		}
	}
	if released == 0 {
		proved("Nothing of the period has been released.")
		return nil
	}
	levels := map[string]int{} // that have approved, by participant
	for _, a := range approvals {
		digest, known := r.statements[a["participant_id"]]
		if !known || a["statement_digest"] != hex.EncodeToString(digest[:]) {
			continue
		}
		if a["decision"] != "approved" {
			return wrong("the period is released, and the statement of %s is not approved at level %s", a["participant_id"], a["level"])
		}
		levels[a["participant_id"]]++
	}
	for participant := range r.statements {
		if levels[participant] == 0 {
			return wrong("the period is released, and nobody has approved the statement of %s with the digest that it has", participant)
		}
	}
	proved("Each of the %d statements was approved at every level by its digest, and the audit chain names who released each of the %d payout lists, by its digest.", len(r.statements), released)
	return nil
}

// payoutsOf proves that whatever counts as sent or paid has an attempt that the rail confirmed.
func payoutsOf(read packReader, _ rows, proved says) error {
	payouts, err := read.table("payouts.csv", "id", "state")
	if err != nil {
		return err
	}
	attempts, err := read.table("attempts.csv", "payout_id", "state")
	if err != nil {
		return err
	}
	confirmed := map[string]bool{}
	for _, a := range attempts {
		if a["state"] == "confirmed" {
			confirmed[a["payout_id"]] = true
		}
	}
	sent := 0
	for _, o := range payouts {
		if o["state"] != "paid" && o["state"] != "submitted" {
			continue
		}
		if !confirmed[o["id"]] {
			return wrong("payout %s is %s without an attempt that its rail has confirmed", o["id"], o["state"])
		}
		sent++
	}
	proved("Of the %d payouts, each of the %d that are submitted or paid has an attempt that its rail has confirmed.", len(payouts), sent)
	return nil
}

// ledgerOf proves that the journal entries of the pack balance.
func ledgerOf(read packReader, _ rows, proved says) error {
	const file = "ledger.csv"
	postings, err := read.table(file, "entry_id", "currency", "amount_minor")
	if err != nil {
		return err
	}
	sums, entries := map[[2]string]*big.Int{}, map[string]bool{}
	for _, p := range postings {
		minor, ok := new(big.Int).SetString(p["amount_minor"], 10)
		if !ok {
			return wrong("%s holds an amount that is none: %q", file, p["amount_minor"])
		}
		at := [2]string{p["entry_id"], p["currency"]}
		if sums[at] == nil {
			sums[at] = new(big.Int)
		}
		sums[at].Add(sums[at], minor)
		entries[p["entry_id"]] = true
	}
	for _, p := range postings {
		if sums[[2]string{p["entry_id"], p["currency"]}].Sign() != 0 {
			return wrong("journal entry %s does not balance in %s", p["entry_id"], p["currency"])
		}
	}
	proved("The %d journal entries of the period balance.", len(entries))
	return nil
}

// histories proves that the archived histories are those that the audit chain names: of the period and of each of its
// disputes.
func (r *PackVerified) histories(read packReader, links rows, proved says) error {
	all, err := read.table("histories.csv", "file", "workflow_id", "run_id", "dispute_id", "sha256")
	if err != nil {
		return err
	}
	type archive struct {
		count int
		root  strings.Builder
	}
	archives := map[string]*archive{} // by what the audit chain calls them
	for _, h := range all {
		content, err := read(h["file"])
		if err != nil {
			return err
		}
		if digest := sha256.Sum256(content); hex.EncodeToString(digest[:]) != h["sha256"] {
			return wrong("%s is not the history of %s (run %s) that was archived", h["file"], h["workflow_id"], h["run_id"])
		}
		subject := fmt.Sprintf("archive/%s/%d", r.Period, r.Revision)
		if h["dispute_id"] != "" {
			subject = "archive/dispute/" + h["dispute_id"]
		}
		if archives[subject] == nil {
			archives[subject] = &archive{}
		}
		archives[subject].count++
		fmt.Fprintf(&archives[subject].root, "%q %q %s\n", h["workflow_id"], h["run_id"], h["sha256"])
	}
	named := 0
	for _, l := range links {
		if l["act"] != "archive" {
			continue
		}
		var body struct {
			Histories int    `json:"histories"`
			Root      string `json:"root"`
		}
		if err := json.Unmarshal([]byte(l["body"]), &body); err != nil {
			return wrong("link %s of the audit chain does not say what was archived", l["number"])
		}
		a := archives[l["subject"]]
		if a == nil {
			a = &archive{}
		}
		if root := sha256.Sum256([]byte(a.root.String())); a.count != body.Histories || hex.EncodeToString(root[:]) != body.Root {
			return wrong("the audit chain says that %s holds %d histories with the digest %s, and the pack holds %d others", l["subject"], body.Histories, body.Root, a.count)
		}
		named += a.count
	}
	if named < len(all) {
		r.NotProved = append(r.NotProved, fmt.Sprintf("that %d of the histories are all there are: what they are of has not come to its end", len(all)-named))
	}
	proved("Each of the %d archived histories is what its digest says, and the audit chain names %d of them as whole archives.", len(all), named)
	return nil
}

// textsOf proves that reasons and comments are those that were written.
func textsOf(read packReader, _ rows, proved says) error {
	content, err := read(PackTexts)
	if err != nil {
		return err
	}
	count, erased := 0, 0
	for line := range bytes.Lines(content) {
		var t PackedText
		if err := json.Unmarshal(line, &t); err != nil {
			return wrong("%s cannot be read: %v", PackTexts, err)
		}
		count++
		if t.Body == nil {
			erased++
			continue
		}
		if digest := sha256.Sum256([]byte(*t.Body)); hex.EncodeToString(digest[:]) != t.SHA256 {
			return wrong("the text %s is not what was written", t.ID)
		}
	}
	proved("Each of the %d reasons and comments is what was written; %d were erased since.", count, erased)
	return nil
}
