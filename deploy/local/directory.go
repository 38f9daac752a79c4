package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/guerdon/guerdon/deploy/local/postgres"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

// directory is where a local installation keeps everything:
//
//	<root>/postgres          the database
//	<root>/encryption-keys   of the bank details in it
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
	path := filepath.Join(string(d), "encryption-keys")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		text = []byte(store.NewKey(1))
		unfinished := path + ".new"
		if err = os.WriteFile(unfinished, text, 0o600); err == nil {
			err = os.Rename(unfinished, path)
		}
	}
	if err != nil {
		return store.Keys{}, incentive.Errorf(postgres.CodeDirectory, "The encryption keys in the data directory cannot be read: %v", err)
	}
	return store.ParseKeys(string(text))
}
