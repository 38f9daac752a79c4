package incentive

import "encoding/hex"

// A tree digest covers a list of parts so that some of them can be shown to belong to it
// while nothing is learnt of the others. Each leaf is blinded by a digest that only
// somebody who has all the parts can compute: whoever is shown the digests beside their
// own parts cannot try out what a colleague's part may say.

// Disclosure shows some parts of a tree digest to belong to it.
type Disclosure struct {
	Parts  int      `json:"parts"`  // how many parts the whole has
	At     []int    `json:"at"`     // where the disclosed ones stand, ascending
	Blinds []Digest `json:"blinds"` // one for each disclosed part
	Hidden []Digest `json:"hidden"` // of the branches that disclose nothing, from the first to the last
}

// mostParts is more than any snapshot or run has: a number from a file is not trusted.
const mostParts = 1 << 40

// CodeNotDisclosed says that a disclosure does not show what it should.
const CodeNotDisclosed Code = "not-disclosed"

// treeDigest returns the tree digest of the parts.
func treeDigest(parts []Digest) Digest {
	d := disclosing{blinds: blinds(parts)}
	return rootOf(len(parts), d.whole(parts, 0))
}

// disclose returns the disclosure of the parts at the ascending places.
func disclose(parts []Digest, at []int) Disclosure {
	all := disclosing{blinds: blinds(parts)}
	shown := Disclosure{Parts: len(parts), At: at, Blinds: []Digest{}, Hidden: []Digest{}}
	for _, i := range at {
		shown.Blinds = append(shown.Blinds, all.blinds[i])
	}
	var walk func(parts []Digest, first int, at []int)
	walk = func(parts []Digest, first int, at []int) {
		switch {
		case len(at) == 0 && len(parts) > 0:
			shown.Hidden = append(shown.Hidden, all.whole(parts, first))
		case len(parts) > 1:
			left := leftOf(len(parts))
			n := 0
			for n < len(at) && at[n] < first+left {
				n++
			}
			walk(parts[:left], first, at[:n])
			walk(parts[left:], first+left, at[n:])
		}
	}
	walk(parts, 0, at)
	return shown
}

// Root returns the tree digest that has the disclosed parts, in the order of At.
func (shown Disclosure) Root(disclosed []Digest) (Digest, error) {
	if len(disclosed) != len(shown.At) || len(shown.Blinds) != len(shown.At) {
		return Digest{}, Errorf(CodeNotDisclosed, "%d places and %d blinds are given for %d parts", len(shown.At), len(shown.Blinds), len(disclosed))
	}
	if shown.Parts > mostParts {
		return Digest{}, Errorf(CodeNotDisclosed, "%d parts are more than there can be", shown.Parts)
	}
	for i, at := range shown.At {
		if at < 0 || at >= shown.Parts || i > 0 && at <= shown.At[i-1] {
			return Digest{}, Errorf(CodeNotDisclosed, "there is no place %d after the one before it among %d parts", at, shown.Parts)
		}
	}
	hidden := shown.Hidden
	var walk func(parts, first, from, to int) (Digest, error)
	walk = func(parts, first, from, to int) (Digest, error) {
		switch {
		case from == to:
			if len(hidden) == 0 {
				return Digest{}, Errorf(CodeNotDisclosed, "a digest of what is not disclosed is missing")
			}
			next := hidden[0]
			hidden = hidden[1:]
			return next, nil
		case parts == 1:
			return leaf(shown.Blinds[from], disclosed[from]), nil
		}
		left := leftOf(parts)
		middle := from
		for middle < to && shown.At[middle] < first+left {
			middle++
		}
		a, err := walk(left, first, from, middle)
		if err != nil {
			return Digest{}, err
		}
		b, err := walk(parts-left, first+left, middle, to)
		return node(a, b), err
	}
	var top Digest
	if shown.Parts > 0 {
		var err error
		if top, err = walk(shown.Parts, 0, 0, len(disclosed)); err != nil {
			return Digest{}, err
		}
	}
	if len(hidden) > 0 {
		return Digest{}, Errorf(CodeNotDisclosed, "%d digests of what is not disclosed are too many", len(hidden))
	}
	return rootOf(shown.Parts, top), nil
}

// disclosing computes branches of a tree all of whose parts are known.
type disclosing struct{ blinds []Digest }

func (d disclosing) whole(parts []Digest, first int) Digest {
	switch len(parts) {
	case 0:
		return Digest{}
	case 1:
		return leaf(d.blinds[first], parts[0])
	}
	left := leftOf(len(parts))
	return node(d.whole(parts[:left], first), d.whole(parts[left:], first+left))
}

// blinds returns a digest for each part that cannot be computed without all of them.
func blinds(parts []Digest) []Digest {
	seed := newDigester("guerdon tree seed 1")
	seed.number(int64(len(parts)))
	for _, part := range parts {
		seed.Write(part[:])
	}
	secret := seed.sum()
	all := make([]Digest, len(parts))
	for i := range parts {
		d := newDigester("guerdon tree blind 1")
		d.Write(secret[:])
		d.number(int64(i))
		all[i] = d.sum()
	}
	return all
}

// leftOf returns how many of n parts, at least two, the left branch has: the largest
// power of two below n.
func leftOf(n int) int {
	left := 1
	for left*2 < n {
		left *= 2
	}
	return left
}

func leaf(blind, part Digest) Digest { return joined("guerdon tree leaf 1", blind, part) }
func node(left, right Digest) Digest { return joined("guerdon tree node 1", left, right) }

func joined(name string, a, b Digest) Digest {
	d := newDigester(name)
	d.Write(a[:])
	d.Write(b[:])
	return d.sum()
}

// rootOf binds the number of parts too.
func rootOf(parts int, top Digest) Digest {
	d := newDigester("guerdon tree 1")
	d.number(int64(parts))
	d.Write(top[:])
	return d.sum()
}

// MarshalText writes a digest in hexadecimal.
func (d Digest) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, d[:]), nil }

// UnmarshalText reads a digest written in hexadecimal.
func (d *Digest) UnmarshalText(text []byte) error {
	read, err := hex.DecodeString(string(text))
	if err != nil || len(read) != len(d) {
		return Errorf(CodeInvalid, "%q is not a digest: it has 64 hexadecimal digits", text)
	}
	copy(d[:], read)
	return nil
}
