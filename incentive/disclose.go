package incentive

import "slices"

// DisclosedParts are some parts of a snapshot, with what shows them to belong to its
// digest. What they say stands in a snapshot that holds nothing else.
type DisclosedParts struct {
	Shown []Part `json:"shown"`
	Disclosure
}

// Disclose shows the parts that show chooses.
func (s Snapshot) Disclose(show func(Part) bool) DisclosedParts {
	all := s.Parts()
	d := DisclosedParts{Shown: []Part{}}
	at := []int{}
	for i, part := range all {
		if show(part) {
			d.Shown, at = append(d.Shown, Part{Kind: part.Kind, ID: part.ID}), append(at, i)
		}
	}
	d.Disclosure = disclose(digestsOf(all), at)
	return d
}

// Of returns the digest of the whole snapshot of which partial holds the disclosed parts,
// all of each, and nothing else. Its error is of code CodeNotDisclosed.
func (d DisclosedParts) Of(partial Snapshot) (Digest, error) {
	once := map[TransactionKey]bool{}
	for _, t := range partial.Transactions {
		if once[t.TransactionKey] {
			return Digest{}, Errorf(CodeNotDisclosed, "the inputs hold transaction %s of %s twice", t.ID, t.Source)
		}
		once[t.TransactionKey] = true
	}
	held := map[partKey]Digest{}
	all := partial.Parts()
	for _, part := range all {
		held[partKey{part.Kind, part.ID}] = part.digest
	}
	digests := make([]Digest, 0, len(d.Shown))
	for _, part := range d.Shown {
		digest, is := held[partKey{part.Kind, part.ID}]
		if !is {
			return Digest{}, Errorf(CodeNotDisclosed, "%s %s is disclosed twice, or not among the inputs", part.Kind, part.ID)
		}
		digests = append(digests, digest)
		delete(held, partKey{part.Kind, part.ID})
	}
	for _, part := range all {
		if digest, left := held[partKey{part.Kind, part.ID}]; left && digest != (partDigesters{}).of(part.Kind, part.ID).sum() {
			return Digest{}, Errorf(CodeNotDisclosed, "the inputs hold %s %s, which nothing shows to belong to the snapshot", part.Kind, part.ID)
		}
	}
	return d.Root(digests)
}

// DiscloseStatement shows one statement to belong to a run's digest.
func DiscloseStatement(statements []Digest, one Digest) Disclosure {
	sorted := inOrder(statements)
	return disclose(sorted, []int{slices.Index(sorted, one)})
}

// RunDigestOf is RunDigest for somebody who knows one of the statements and its disclosure.
func RunDigestOf(snapshot Digest, engineVersion string, one Digest, d Disclosure) (Digest, error) {
	root, err := d.Root([]Digest{one})
	return runDigest(snapshot, engineVersion, root), err
}
