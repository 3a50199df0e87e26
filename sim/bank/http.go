package bank

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/credit/pay"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/rail"
)

// Server is a bank that is reached by HTTP, in the protocol of package rail.
type Server struct {
	Bank *Bank
	Key  rail.Key
	// Callback is where outcomes are told, such as
	// "http://127.0.0.1:8080/api/v1/rail/callback"; "" tells nobody.
	Callback string
	Client   *http.Client // for callbacks; nil means the usual one
}

// ServeHTTP answers a signed request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
	if err != nil {
		s.answer(w, r, http.StatusRequestEntityTooLarge, rail.Refusal{Code: "too_large", Message: err.Error()})
		return
	}
	if err := s.Key.Check(r.Header, r.Method, r.URL.EscapedPath(), body, s.Bank.now()); err != nil {
		s.answer(w, r, http.StatusUnauthorized, rail.Refusal{Code: "signature", Message: err.Error()})
		return
	}
	order, isOrder := strings.CutPrefix(r.URL.Path, "/v1/orders/")
	day, isDay := strings.CutPrefix(r.URL.Path, "/v1/statements/")
	switch {
	case r.Method == http.MethodPost && r.URL.Path == "/v1/orders":
		s.order(w, r, body)
	case r.Method == http.MethodGet && isOrder:
		s.query(w, r, order)
	case r.Method == http.MethodGet && isDay:
		s.statement(w, r, day)
	default:
		s.answer(w, r, http.StatusNotFound, rail.Refusal{Code: "path", Message: "there is nothing here"})
	}
}

func (s *Server) order(w http.ResponseWriter, r *http.Request, body []byte) {
	var m rail.OrderMessage
	if err := json.Unmarshal(body, &m); err != nil {
		s.answer(w, r, http.StatusBadRequest, rail.Refusal{Code: "unreadable", Message: err.Error()})
		return
	}
	o := pay.Order{
		ID: m.ID, Direction: pay.Direction(m.Direction), Amount: m.Amount, PartyID: m.PartyID, PartyName: m.PartyName,
		Account: m.Account, Bank: m.Bank, Purpose: m.Purpose,
	}
	if m.Currency != rail.Currency || o.Amount <= 0 || o.ID == "" || o.ID != r.Header.Get(rail.IdempotencyKey) ||
		o.Direction != pay.In && o.Direction != pay.Out {
		s.answer(w, r, http.StatusUnprocessableEntity, rail.Refusal{Code: "order", Message: "an order has a number, a direction and an amount in CNY above zero"})
		return
	}
	got, err := s.Bank.Send(r.Context(), o)
	switch {
	case errors.Is(err, errReused):
		s.answer(w, r, http.StatusConflict, rail.Refusal{Code: "reused", Message: err.Error()})
	case err != nil:
		s.drop(w)
	default:
		s.answer(w, r, http.StatusOK, message(got, o.Amount))
	}
}

// drop closes the connection without an answer.
func (s *Server) drop(w http.ResponseWriter) {
	if h, ok := w.(http.Hijacker); ok {
		if c, _, err := h.Hijack(); err == nil {
			_ = c.Close()
			return
		}
	}
	panic(http.ErrAbortHandler)
}

func (s *Server) query(w http.ResponseWriter, r *http.Request, id string) {
	got, err := s.Bank.Query(r.Context(), id)
	switch {
	case errors.Is(err, pay.ErrUnseen):
		s.answer(w, r, http.StatusNotFound, rail.Refusal{Code: rail.Unseen, Message: err.Error()})
	case err != nil:
		s.drop(w)
	default:
		s.answer(w, r, http.StatusOK, message(got, s.Bank.amount(id)))
	}
}

func (b *Bank) amount(id string) money.Fen {
	b.mu.Lock()
	defer b.mu.Unlock()
	if m := b.done[id]; m != nil && m.Order != nil {
		return m.Order.Amount
	}
	return 0
}

func (s *Server) statement(w http.ResponseWriter, r *http.Request, text string) {
	day, err := money.ParseDate(text)
	if err != nil {
		s.answer(w, r, http.StatusBadRequest, rail.Refusal{Code: "date", Message: err.Error()})
		return
	}
	file, err := s.Bank.Statement(r.Context(), day)
	if err != nil {
		s.drop(w)
		return
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	s.write(w, r, http.StatusOK, file)
}

func message(r pay.Receipt, amount money.Fen) rail.ReceiptMessage {
	code, said := pay.Refusal(r.Reason)
	return rail.ReceiptMessage{
		OrderID: r.OrderID, Outcome: string(r.Outcome), Ref: r.Ref, Code: code, Reason: said, Amount: amount, Currency: rail.Currency, At: r.At,
	}
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		s.drop(w)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	s.write(w, r, status, body)
}

func (s *Server) write(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	s.Key.SignAnswer(w.Header(), status, body, r.Header.Get(rail.NonceHeader), s.Bank.now())
	w.WriteHeader(status)
	_, _ = w.Write(body) // the payer may have left
}

// Tell calls back what there is to tell of an order, as often as its conduct says. It
// returns the last status.
func (s *Server) Tell(ctx context.Context, orderID string) (status int, err error) {
	if s.Callback == "" {
		return 0, nil
	}
	for _, r := range s.Bank.Tellings(orderID) {
		body, err := json.Marshal(message(r, s.Bank.amount(orderID)))
		if err != nil {
			return 0, err
		}
		if status, err = s.call(ctx, body); err != nil {
			return status, err
		}
	}
	return status, nil
}

func (s *Server) call(ctx context.Context, body []byte) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Callback, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	s.Key.Sign(req.Header, http.MethodPost, rail.CallbackPath, body, ident.New(), s.Bank.now())
	client := s.Client
	if client == nil {
		client = http.DefaultClient
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	return res.StatusCode, res.Body.Close()
}
