package upload

// ParseAmount and ParseDate are opened for the external tests of cells.
var (
	ParseAmount = parseAmount
	ParseDate   = parseDate
)
