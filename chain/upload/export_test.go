package upload

// ParseAmount and ParseDate are opened for the external tests of cells, GoodRows and
// Pack for those of parts.
var (
	ParseAmount = parseAmount
	ParseMoney  = parseMoney
	ParseDate   = parseDate
	Pack        = pack
)

// GoodRows says how many rows a part of good rows has.
func GoodRows(packed []byte, columns int) (int, error) {
	rows, err := goodRows(packed, columns)
	return len(rows), err
}

// Wait waits for the work on an upload that goes on by itself.
func Wait(s *Service, id string) {
	if t := s.running(id); t != nil {
		<-t.done
	}
}
