package rail

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/credit/pay"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/money"
)

// ErrConfig is returned for a rail that cannot be asked.
var ErrConfig = fault.New(fault.Invalid, "rail.config", "the payment rail cannot be used: {why}")

// Bounds of what is read.
const (
	maxAnswer    = 64 << 10
	maxStatement = 20 << 20
)

// Currency of every amount.
const Currency = "CNY"

// OrderMessage is a payment order on the wire. Amounts are fen.
type OrderMessage struct {
	ID        string    `json:"id"`
	Direction string    `json:"direction"` // "out": to the party, "in": from it
	Amount    money.Fen `json:"amount"`
	Currency  string    `json:"currency"`
	PartyID   string    `json:"party_id"`
	PartyName string    `json:"party_name"`
	Account   string    `json:"account,omitempty"`
	Bank      string    `json:"bank,omitempty"`
	Purpose   string    `json:"purpose,omitempty"`
}

// Message is o on the wire.
func Message(o pay.Order) OrderMessage {
	return OrderMessage{
		ID: o.ID, Direction: string(o.Direction), Amount: o.Amount, Currency: Currency, PartyID: o.PartyID, PartyName: o.PartyName,
		Account: o.Account, Bank: o.Bank, Purpose: o.Purpose,
	}
}

// ReceiptMessage is what became of an order.
type ReceiptMessage struct {
	OrderID  string    `json:"order_id"`
	Outcome  string    `json:"outcome"` // "settled", "failed", "unknown": not yet
	Ref      string    `json:"ref,omitempty"`
	Code     string    `json:"code,omitempty"` // of a refusal, by ISO 20022
	Reason   string    `json:"reason,omitempty"`
	Amount   money.Fen `json:"amount"`
	Currency string    `json:"currency"`
	At       time.Time `json:"at"`
}

// Refusal is the body of an answer that is no receipt.
type Refusal struct {
	Code    string `json:"code"` // "unseen", "reused", ...
	Message string `json:"message"`
}

// Unseen is the code of an order that never arrived.
const Unseen = "unseen"

// Config says how to reach a bank.
type Config struct {
	URL     string        // "https://bank.example/furrow"; the paths of the protocol are below it
	Key     Key           // shared with the bank
	Timeout time.Duration // of one request; 0 means 10 s
	Client  *http.Client  // nil means one of its own
	Now     func() time.Time
}

// HTTP is a rail that is reached by HTTP.
type HTTP struct {
	cfg  Config
	base *url.URL
}

var _ pay.Rail = (*HTTP)(nil)

// New returns ErrConfig for an address or a secret that is no good. Plain http is for
// this machine only.
func New(cfg Config) (*HTTP, error) {
	u, err := url.Parse(strings.TrimSuffix(cfg.URL, "/"))
	switch {
	case err != nil || u.Host == "" || u.RawQuery != "" || u.User != nil:
		return nil, ErrConfig.With("why", "write its address as https://HOST/PATH")
	case u.Scheme != "https" && (u.Scheme != "http" || !local(u.Hostname())):
		return nil, ErrConfig.With("why", "money moves over https only; http is for this machine")
	case len(cfg.Key.Secret) < MinSecret:
		return nil, ErrConfig.With("why", errShort)
	case cfg.Key.ID == "":
		return nil, ErrConfig.With("why", "the secret needs an id")
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = 10 * time.Second
	}
	client := &http.Client{}
	if cfg.Client != nil {
		*client = *cfg.Client
	}
	// An order that is sent on elsewhere is signed for another path; nobody follows it.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	cfg.Client = client
	return &HTTP{cfg, u}, nil
}

func local(host string) bool { return host == "localhost" || host == "127.0.0.1" || host == "::1" }

// Send implements pay.Rail.
func (h *HTTP) Send(ctx context.Context, o pay.Order) (pay.Receipt, error) {
	body, err := json.Marshal(Message(o))
	if err != nil {
		return pay.Receipt{}, err
	}
	status, answer, err := h.do(ctx, http.MethodPost, "/v1/orders", body, o.ID, maxAnswer)
	if err != nil {
		return pay.Receipt{}, err
	}
	if status != http.StatusOK {
		return pay.Receipt{}, refused(status, answer)
	}
	return receipt(answer, o.ID, o.Amount)
}

// Query implements pay.Rail.
func (h *HTTP) Query(ctx context.Context, orderID string) (pay.Receipt, error) {
	status, answer, err := h.do(ctx, http.MethodGet, "/v1/orders/"+url.PathEscape(orderID), nil, "", maxAnswer)
	if err != nil {
		return pay.Receipt{}, err
	}
	var r Refusal
	switch {
	case status == http.StatusOK:
		return receipt(answer, orderID, 0)
	case status == http.StatusNotFound && json.Unmarshal(answer, &r) == nil && r.Code == Unseen:
		return pay.Receipt{}, pay.ErrUnseen
	}
	return pay.Receipt{}, refused(status, answer)
}

// Statement returns the bank's statement of a day, a file for [pay.ParseStatement].
func (h *HTTP) Statement(ctx context.Context, day money.Date) ([]byte, error) {
	status, answer, err := h.do(ctx, http.MethodGet, "/v1/statements/"+day.String(), nil, "", maxStatement)
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK {
		return nil, refused(status, answer)
	}
	return answer, nil
}

func refused(status int, answer []byte) error {
	var r Refusal
	_ = json.Unmarshal(answer, &r) // any body will do
	return pay.ErrRail.Because(fmt.Errorf("status %d %s %s", status, r.Code, r.Message))
}

// receipt reads a receipt of an order; amount 0 is not compared.
func receipt(answer []byte, orderID string, amount money.Fen) (pay.Receipt, error) {
	var m ReceiptMessage
	if err := json.Unmarshal(answer, &m); err != nil {
		return pay.Receipt{}, pay.ErrRail.Because(err)
	}
	outcome := pay.Outcome(m.Outcome)
	switch {
	case m.OrderID != orderID:
		return pay.Receipt{}, pay.ErrRail.Because(fmt.Errorf("the answer is of order %q", m.OrderID))
	case m.Currency != Currency:
		return pay.Receipt{}, pay.ErrRail.Because(fmt.Errorf("the answer is in %q", m.Currency))
	case amount != 0 && m.Amount != amount:
		return pay.Receipt{}, pay.ErrRail.Because(fmt.Errorf("the answer is of %s yuan, the order of %s", m.Amount, amount))
	case outcome != pay.Settled && outcome != pay.Failed && outcome != pay.Unknown:
		return pay.Receipt{}, pay.ErrRail.Because(fmt.Errorf("there is no outcome %q", m.Outcome))
	}
	return pay.Receipt{OrderID: m.OrderID, Outcome: outcome, Ref: m.Ref, Reason: pay.WithCode(m.Code, m.Reason), At: m.At}, nil
}

// do sends one signed request. An answer that is not signed as agreed is no answer.
func (h *HTTP) do(ctx context.Context, method, path string, body []byte, key string, limit int64) (int, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, h.cfg.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, h.base.String()+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, pay.ErrRail.Because(err)
	}
	nonce := ident.New()
	h.cfg.Key.Sign(req.Header, method, req.URL.EscapedPath(), body, nonce, h.cfg.Now())
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		req.Header.Set(IdempotencyKey, key)
	}
	res, err := h.cfg.Client.Do(req)
	if err != nil {
		return 0, nil, pay.ErrRail.Because(err)
	}
	defer res.Body.Close() //nolint:errcheck // it was read
	answer, err := io.ReadAll(io.LimitReader(res.Body, limit+1))
	switch {
	case err != nil:
		return 0, nil, pay.ErrRail.Because(err)
	case int64(len(answer)) > limit:
		return 0, nil, pay.ErrRail.Because(errors.New("the answer is too long"))
	}
	if err := h.cfg.Key.CheckAnswer(res.Header, res.StatusCode, answer, nonce, h.cfg.Now()); err != nil {
		return 0, nil, pay.ErrRail.Because(err)
	}
	return res.StatusCode, answer, nil
}
