package officer

// ParseBBox is tested from outside.
var ParseBBox = parseBBox
