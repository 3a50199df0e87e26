// Package forecast foretells monthly series, above all the turnover of a firm: the
// water level of the months to come.
package forecast
