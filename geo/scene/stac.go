package scene

import "errors"

var errGridChanged = errors.New("the file has another grid than the catalogue says; index the folder again")
