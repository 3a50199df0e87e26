// Package rail speaks to a bank's payment service over HTTP: orders out, questions after
// their outcome, statements of a day, and what the bank tells by itself. Everything is
// signed in both directions with a secret that both share. docs/formats/payment.md is the
// protocol.
package rail

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/fault"
)

// Headers of a signed message.
const (
	KeyHeader       = "Furrow-Key"       // id of the secret
	TimeHeader      = "Furrow-Time"      // Unix seconds
	NonceHeader     = "Furrow-Nonce"     // never used twice within [Window]
	SignatureHeader = "Furrow-Signature" // hex of HMAC-SHA256
	IdempotencyKey  = "Idempotency-Key"  // the number of the order
)

// Window is how far the clocks of the two sides may differ, and how long a nonce is kept.
const Window = 5 * time.Minute

// CallbackPath is what a bank signs as the path of a callback, wherever the house is
// reached.
const CallbackPath = "/rail/callback"

// version begins every text that is signed.
const version = "furrow-rail-1"

// ErrSignature is returned for a message that is not signed as agreed.
var ErrSignature = fault.New(fault.Unauthorized, "rail.signature", "this message is not signed as agreed: {why}")

// Key is a shared secret with its id.
type Key struct {
	ID     string
	Secret []byte
}

func (k Key) sum(parts ...string) string {
	mac := hmac.New(sha256.New, k.Secret)
	mac.Write([]byte(strings.Join(append([]string{version}, parts...), "\n")))
	return hex.EncodeToString(mac.Sum(nil))
}

func digest(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// Sign puts the signature of a request into its headers.
func (k Key) Sign(h http.Header, method, path string, body []byte, nonce string, now time.Time) {
	at := strconv.FormatInt(now.Unix(), 10)
	h.Set(KeyHeader, k.ID)
	h.Set(TimeHeader, at)
	h.Set(NonceHeader, nonce)
	h.Set(SignatureHeader, k.sum("request", method, path, k.ID, at, nonce, digest(body)))
}

// SignAnswer signs the answer to the request with a nonce.
func (k Key) SignAnswer(h http.Header, status int, body []byte, nonce string, now time.Time) {
	at := strconv.FormatInt(now.Unix(), 10)
	h.Set(KeyHeader, k.ID)
	h.Set(TimeHeader, at)
	h.Set(NonceHeader, nonce)
	h.Set(SignatureHeader, k.sum("answer", strconv.Itoa(status), k.ID, at, nonce, digest(body)))
}

// Check says whether a request is signed with k and of now: ErrSignature. The caller sees
// to it that its nonce was not used before.
func (k Key) Check(h http.Header, method, path string, body []byte, now time.Time) error {
	at, nonce := h.Get(TimeHeader), h.Get(NonceHeader)
	return k.check(h, k.sum("request", method, path, k.ID, at, nonce, digest(body)), now)
}

// CheckAnswer says whether an answer is signed with k, of now, and the answer to the
// request with a nonce: ErrSignature.
func (k Key) CheckAnswer(h http.Header, status int, body []byte, nonce string, now time.Time) error {
	if h.Get(NonceHeader) != nonce {
		return ErrSignature.With("why", "it answers another request")
	}
	return k.check(h, k.sum("answer", strconv.Itoa(status), k.ID, h.Get(TimeHeader), nonce, digest(body)), now)
}

func (k Key) check(h http.Header, want string, now time.Time) error {
	switch {
	case len(k.Secret) == 0 || h.Get(KeyHeader) != k.ID:
		return ErrSignature.With("why", "unknown key")
	case len(h.Get(NonceHeader)) < 16 || len(h.Get(NonceHeader)) > 128:
		return ErrSignature.With("why", "the nonce has 16 to 128 characters")
	case subtle.ConstantTimeCompare([]byte(want), []byte(h.Get(SignatureHeader))) != 1:
		return ErrSignature.With("why", "wrong signature")
	}
	sec, err := strconv.ParseInt(h.Get(TimeHeader), 10, 64)
	if err != nil {
		return ErrSignature.With("why", "no time")
	}
	if d := now.Sub(time.Unix(sec, 0)); d > Window || d < -Window {
		return ErrSignature.With("why", "the clocks differ by more than five minutes")
	}
	return nil
}

// errShort is the reason of a secret that anybody can guess.
var errShort = errors.New("a secret has at least 32 bytes")

// MinSecret is the shortest secret, in bytes.
const MinSecret = 32
