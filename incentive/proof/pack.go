package proof

import (
	"archive/zip"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/guerdon/guerdon/incentive"
)

// PackFormat names the meaning of a pack's files.
const PackFormat = "guerdon evidence 2"

// The files of a pack that are read again; the others are for people.
const (
	PackManifest   = "manifest.json"
	PackSignature  = "manifest.sig"      // of the manifest's bytes: Ed25519, in hexadecimal
	PackKey        = "public-key.txt"    // in hexadecimal
	PackProof      = "proof.json"        // a File with the whole snapshot
	PackStatements = "statements.json"   // every statement of the run
	PackReport     = "verification.json" // a PeriodReport
	PackTexts      = "texts.jsonl"       // a PackedText a line
	largestInPack  = int64(4) << 30      // bytes of one file
)

// PackedFile is a file of a pack, as the manifest names it.
type PackedFile struct {
	Name   string           `json:"name"`
	SHA256 incentive.Digest `json:"sha256"`
}

// Manifest says what is in a pack.
type Manifest struct {
	Format   string       `json:"format"`
	Period   string       `json:"period"`
	Revision int          `json:"revision"`
	MadeAt   time.Time    `json:"made_at"`
	MadeBy   string       `json:"made_by"`
	Key      string       `json:"public_key"` // in hexadecimal
	Files    []PackedFile `json:"files"`
}

// ParseKey reads the key that packs are signed with: the 64 hexadecimal digits of its seed.
func ParseKey(text string) (ed25519.PrivateKey, error) {
	seed, err := hex.DecodeString(strings.TrimSpace(text))
	if err != nil || len(seed) != ed25519.SeedSize { // the text itself is secret
		return nil, incentive.Errorf(incentive.CodeInvalid, "the key that signs evidence cannot be read: write the 64 hexadecimal digits of an Ed25519 seed")
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// PublicKey is the public part of a key, in hexadecimal.
func PublicKey(key ed25519.PrivateKey) string {
	return hex.EncodeToString(key.Public().(ed25519.PublicKey))
}

// Packer writes a pack, file by file.
type Packer struct {
	zip      *zip.Writer
	key      ed25519.PrivateKey
	manifest Manifest
}

// NewPacker begins a pack, of which the manifest says everything but key and files.
func NewPacker(w io.Writer, key ed25519.PrivateKey, m Manifest) *Packer {
	m.Format, m.Key, m.Files = PackFormat, PublicKey(key), []PackedFile{}
	return &Packer{zip.NewWriter(w), key, m}
}

// File adds a file that write writes.
func (p *Packer) File(name string, write func(io.Writer) error) error {
	w, err := p.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: p.manifest.MadeAt})
	if err != nil {
		return fmt.Errorf("pack %s: %w", name, err)
	}
	digest := sha256.New()
	if err := write(io.MultiWriter(w, digest)); err != nil {
		return fmt.Errorf("pack %s: %w", name, err)
	}
	p.manifest.Files = append(p.manifest.Files, PackedFile{name, incentive.Digest(digest.Sum(nil))})
	return nil
}

// Close signs the manifest and ends the pack. It returns the digest of the manifest.
func (p *Packer) Close() (incentive.Digest, error) {
	err := p.File(PackKey, func(w io.Writer) error { _, err := io.WriteString(w, p.manifest.Key+"\n"); return err })
	if err != nil {
		return incentive.Digest{}, err
	}
	content, err := json.MarshalIndent(p.manifest, "", "  ")
	if err != nil {
		return incentive.Digest{}, fmt.Errorf("write the manifest: %w", err)
	}
	if err := p.plain(PackManifest, content); err != nil {
		return incentive.Digest{}, err
	}
	if err := p.plain(PackSignature, []byte(hex.EncodeToString(ed25519.Sign(p.key, content))+"\n")); err != nil {
		return incentive.Digest{}, err
	}
	return incentive.Digest(sha256.Sum256(content)), p.zip.Close()
}

func (p *Packer) plain(name string, content []byte) error {
	w, err := p.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: p.manifest.MadeAt})
	if err == nil {
		_, err = w.Write(content)
	}
	if err != nil {
		return fmt.Errorf("pack %s: %w", name, err)
	}
	return nil
}

// PackVerified is what was proved of a pack.
type PackVerified struct {
	Period    string   `json:"period"`
	Revision  int      `json:"revision"`
	Key       string   `json:"public_key"`
	Manifest  string   `json:"manifest_sha256"`
	Proved    []string `json:"proved"`
	NotProved []string `json:"not_proved"`

	chain      Chain
	statements map[string]incentive.Digest // by participant
}

// VerifyPack proves a pack again, with neither database nor network. With an error, the report
// says what was proved before.
func VerifyPack(ctx context.Context, content io.ReaderAt, size int64) (r PackVerified, err error) {
	r.Proved, r.NotProved = []string{}, []string{}
	proved := func(format string, arguments ...any) { r.Proved = append(r.Proved, fmt.Sprintf(format, arguments...)) }
	z, err := zip.NewReader(content, size)
	if err != nil {
		return r, incentive.Errorf(CodeUnreadable, "the file is no pack: %v", err)
	}
	files := map[string]*zip.File{}
	for _, f := range z.File {
		if files[f.Name] != nil {
			return r, wrong("the pack holds %s twice", f.Name)
		}
		files[f.Name] = f
	}
	read := func(name string) ([]byte, error) {
		f := files[name]
		if f == nil {
			return nil, wrong("the pack lacks %s", name)
		}
		opened, err := f.Open()
		if err != nil {
			return nil, wrong("%s cannot be read: %v", name, err)
		}
		defer opened.Close()
		content, err := io.ReadAll(io.LimitReader(opened, largestInPack))
		if err != nil {
			return nil, wrong("%s cannot be read: %v", name, err)
		}
		return content, nil
	}
	manifest, err := read(PackManifest)
	if err != nil {
		return r, err
	}
	var m Manifest
	if err := json.Unmarshal(manifest, &m); err != nil {
		return r, incentive.Errorf(CodeUnreadable, "the manifest cannot be read: %v", err)
	}
	if m.Format != PackFormat {
		return r, incentive.Errorf(CodeUnreadable, "the pack's format is %q, and this program reads %q", m.Format, PackFormat)
	}
	digest := sha256.Sum256(manifest)
	r.Period, r.Revision, r.Key, r.Manifest = m.Period, m.Revision, m.Key, hex.EncodeToString(digest[:])
	signed, err := read(PackSignature)
	if err != nil {
		return r, err
	}
	key, keyErr := hex.DecodeString(m.Key)
	signature, err := hex.DecodeString(strings.TrimSpace(string(signed)))
	if err != nil || keyErr != nil || len(key) != ed25519.PublicKeySize || !ed25519.Verify(key, manifest, signature) {
		return r, wrong("the manifest is not signed with the key that it names: it, or the signature, has been changed")
	}
	proved("The manifest is signed with the key %s.", m.Key)
	named := map[string]bool{PackManifest: true, PackSignature: true}
	for _, f := range m.Files {
		named[f.Name] = true
		content, err := read(f.Name)
		if err != nil {
			return r, err
		}
		if incentive.Digest(sha256.Sum256(content)) != f.SHA256 {
			return r, wrong("%s is not what the manifest says: it has been changed", f.Name)
		}
	}
	for _, f := range z.File {
		if !named[f.Name] {
			return r, wrong("the pack holds %s, which the manifest does not name", f.Name)
		}
	}
	proved("Each of the %d files is what the manifest says.", len(m.Files))
	if err := r.run(ctx, read, proved); err != nil {
		return r, err
	}
	if err := r.tables(read, proved); err != nil {
		return r, err
	}
	kept, err := read(PackReport)
	if err != nil {
		return r, err
	}
	report, err := ReadReport(kept)
	if err != nil {
		return r, err
	}
	said := "and found nothing wrong"
	if !report.Proved() {
		said = "and something was NOT proved: " + report.Failure().Error()
	}
	proved("The last verification beside the database made %d checks %s.", len(report.Checks), said)
	r.NotProved = append(r.NotProved, "that the key is the company's: compare it with the one on the pages, or with one that somebody noted",
		"that the histories replay: the verification beside the database has replayed them, with the program's own workflow code",
		"that money arrived: the pack holds what rails and banks have said")
	return r, nil
}

// run proves the whole run from the snapshot in the pack.
func (r *PackVerified) run(ctx context.Context, read func(string) ([]byte, error), proved func(string, ...any)) error {
	content, err := read(PackProof)
	if err != nil {
		return err
	}
	f, err := Read(content)
	if err != nil {
		return err
	}
	if !f.whole() || f.Statement.PeriodID != r.Period || f.Inputs.Period.Revision != r.Revision {
		return wrong("%s is not the whole of %s, revision %d", PackProof, r.Period, r.Revision)
	}
	one, err := f.Verify(ctx)
	r.Proved = append(r.Proved, one.Proved...)
	if err != nil {
		return err
	}
	r.NotProved = append(r.NotProved, one.NotProved...)
	if content, err = read(PackStatements); err != nil {
		return err
	}
	var all []incentive.Statement
	if err := json.Unmarshal(content, &all); err != nil {
		return incentive.Errorf(CodeUnreadable, "%s cannot be read: %v", PackStatements, err)
	}
	digests := make([]incentive.Digest, len(all))
	r.chain, r.statements = f.Chain, map[string]incentive.Digest{}
	for i, s := range all {
		digests[i] = s.Digest()
		r.statements[s.ParticipantID] = digests[i]
	}
	if incentive.RunDigest(f.SnapshotDigest, f.EngineVersion, digests) != f.RunDigest {
		return wrong("the statements in %s are not those of the run %x", PackStatements, f.RunDigest[:])
	}
	proved("The %d statements in %s are those of the run.", len(all), PackStatements)
	return nil
}
