package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/guerdon/guerdon/deploy/local/postgres"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/proof"
	"github.com/guerdon/guerdon/store"
)

// directory is where a local installation keeps everything:
//
//	<root>/postgres          the database
//	<root>/encryption-keys   of the bank details in it
//	<root>/evidence-key      that signs evidence packs
//	<root>/stripe-standin    what the stand-in for Stripe has done
type directory string

func openDirectory(root string) (directory, error) {
	if root == "" {
		usual, err := postgres.DefaultDirectory()
		if err != nil {
			return "", err
		}
		root = filepath.Dir(usual)
	}
	// PostgreSQL's own user passes through here when we are root.
	mode := fs.FileMode(0o700)
	if os.Geteuid() == 0 {
		mode = 0o711
	}
	root, err := filepath.Abs(root)
	if err == nil {
		err = os.MkdirAll(root, mode)
	}
	if err != nil {
		return "", incentive.Errorf(postgres.CodeDirectory, "The data directory cannot be made: %v. Name another one.", err)
	}
	return directory(root), nil
}

func (d directory) postgres() string { return filepath.Join(string(d), "postgres") }
func (d directory) standin() string  { return filepath.Join(string(d), "stripe-standin") }
func (d directory) mail() string     { return filepath.Join(string(d), "mail") }

// keys reads the encryption keys, or makes one at the first start.
func (d directory) keys() (store.Keys, error) {
	text, err := d.secret("encryption-keys", func() string { return store.NewKey(1) })
	if err != nil {
		return store.Keys{}, err
	}
	return store.ParseKeys(text)
}

// evidenceKey reads the key that signs evidence packs, or makes one at the first start.
func (d directory) evidenceKey() (ed25519.PrivateKey, error) {
	text, err := d.secret("evidence-key", func() string {
		seed := make([]byte, ed25519.SeedSize)
		rand.Read(seed)
		return hex.EncodeToString(seed)
	})
	if err != nil {
		return nil, err
	}
	return proof.ParseKey(text)
}

// secret reads a file that nobody else may read, and makes it where there is none.
func (d directory) secret(name string, fresh func() string) (string, error) {
	path := filepath.Join(string(d), name)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		text = []byte(fresh())
		unfinished := path + ".new"
		if err = os.WriteFile(unfinished, text, 0o600); err == nil {
			err = os.Rename(unfinished, path)
		}
	}
	if err != nil {
		return "", incentive.Errorf(postgres.CodeDirectory, "The file %s in the data directory cannot be read: %v", name, err)
	}
	return string(text), nil
}
