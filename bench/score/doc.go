// Package score sets the readable models of credit/score beside a black box: the same
// folds, the same columns, gradient-boosted trees of any depth.
package score
