package store

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
)

// Keys are the AES-256 keys, by version, that encrypt bank details in the database. New
// values are written with the newest; older ones only decrypt.
type Keys struct {
	newest int
	by     map[int]cipher.AEAD
}

// ParseKeys reads keys written as "1:<64 hex digits>,2:<64 hex digits>".
func ParseKeys(text string) (Keys, error) {
	keys := Keys{by: map[int]cipher.AEAD{}}
	for _, part := range strings.Split(text, ",") {
		number, secret, _ := strings.Cut(strings.TrimSpace(part), ":")
		version, err := strconv.Atoi(number)
		key, hexErr := hex.DecodeString(secret)
		if err != nil || hexErr != nil || version < 1 || len(key) != 32 {
			// The part itself is secret and stays out of the message.
			return Keys{}, incentive.Errorf(incentive.CodeInvalid, "the encryption keys cannot be read: write version:key pairs such as 1:<64 hexadecimal digits>, separated by commas")
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return Keys{}, err
		}
		if keys.by[version], err = cipher.NewGCM(block); err != nil {
			return Keys{}, err
		}
		keys.newest = max(keys.newest, version)
	}
	return keys, nil
}

// NewKey returns a fresh key in the form that ParseKeys reads.
func NewKey(version int) string {
	key := make([]byte, 32)
	rand.Read(key)
	return strconv.Itoa(version) + ":" + hex.EncodeToString(key)
}

// encrypt seals plain for the row and field that about names, so that a value moved to
// another row cannot be read there.
func (k Keys) encrypt(plain []byte, about string) (version int, sealed []byte, err error) {
	aead := k.by[k.newest]
	if aead == nil {
		return 0, nil, incentive.Errorf(incentive.CodeInvalid, "no encryption key is set: set GUERDON_ENCRYPTION_KEYS")
	}
	nonce := make([]byte, aead.NonceSize())
	rand.Read(nonce)
	return k.newest, aead.Seal(nonce, nonce, plain, []byte(about)), nil
}

func (k Keys) decrypt(version int, sealed []byte, about string) ([]byte, error) {
	aead := k.by[version]
	if aead == nil {
		return nil, incentive.Errorf(incentive.CodeInvalid, "encryption key version %d is needed and not set: add it to GUERDON_ENCRYPTION_KEYS", version)
	}
	if len(sealed) < aead.NonceSize() {
		return nil, incentive.Errorf(incentive.CodeInternal, "an encrypted value is cut short")
	}
	plain, err := aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], []byte(about))
	if err != nil {
		return nil, incentive.Errorf(incentive.CodeInternal, "an encrypted value has been altered")
	}
	return plain, nil
}

// decryptFile decrypts a file that was kept, and holds it to its SHA-256.
func (k Keys) decryptFile(version int, sealed []byte, about string, sum []byte) ([]byte, error) {
	content, err := k.decrypt(version, sealed, about)
	if digest := sha256.Sum256(content); err == nil && !bytes.Equal(digest[:], sum) {
		err = fmt.Errorf("%s is not what was stored", about)
	}
	return content, err
}

const (
	accountsKey  = "accounts"
	indexKeyName = "index-key/"
)

// accountIndex returns a digest by which an account is known again and that says nothing of
// it to whoever has no encryption key. Its own key never changes; the encryption keys seal it.
func (s *Store) accountIndex(ctx context.Context, tx pgx.Tx, account string) ([]byte, error) {
	if account == "" {
		return nil, nil
	}
	key := make([]byte, sha256.Size)
	rand.Read(key)
	version, sealed, err := s.keys.encrypt(key, indexKeyName+accountsKey)
	if err != nil {
		return nil, err
	}
	if _, err := tx.Exec(ctx, `INSERT INTO index_key (name, key_version, sealed) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, accountsKey, version, sealed); err != nil {
		return nil, fmt.Errorf("keep the key of the index of accounts: %w", err)
	}
	if err := tx.QueryRow(ctx, `SELECT key_version, sealed FROM index_key WHERE name = $1`, accountsKey).Scan(&version, &sealed); err != nil {
		return nil, fmt.Errorf("read the key of the index of accounts: %w", err)
	}
	if key, err = s.keys.decrypt(version, sealed, indexKeyName+accountsKey); err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(account))
	return mac.Sum(nil), nil
}
