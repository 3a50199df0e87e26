package servicing

import "github.com/furrowcredit/furrow/money"

// Quote is what pays a loan off on a day.
func Quote(t Terms, events []Event, on money.Date) (Parts, error) {
	e := engine{t: &t, to: on, events: events}
	if err := e.run(); err != nil {
		return Parts{}, err
	}
	if e.recalculates() {
		return e.payoffRecalculated(on)
	}
	return e.owed(on), nil // interest of days that have not come is not owed
}

// Preview is the state on a day with one more event.
func Preview(t Terms, events []Event, more Event, on money.Date) (*State, error) {
	all := make([]Event, len(events), len(events)+1)
	copy(all, events)
	return Replay(t, append(all, more), on)
}
