package model

// Wilson for tests.
var Wilson = wilson
