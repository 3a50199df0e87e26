package servicing

import "github.com/furrowcredit/furrow/money"

// Quote is what pays a loan off on a day.
func Quote(t Terms, events []Event, on money.Date) (Parts, error) {
	s, err := Replay(t, events, on)
	if err != nil {
		return Parts{}, err
	}
	if t.Recalculation == nil {
		// Interest of days that have not come is not owed.
		e := engine{t: &t, rows: s.Rows, off: s.ChargedOff, isOff: s.ChargedOff != 0}
		return e.owed(on), nil
	}
	return s.Outstanding, nil
}

// Preview is the state on a day with one more event.
func Preview(t Terms, events []Event, more Event, on money.Date) (*State, error) {
	all := make([]Event, len(events), len(events)+1)
	copy(all, events)
	return Replay(t, append(all, more), on)
}
