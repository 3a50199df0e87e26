package model_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/credit/model"
)

func TestPointsOfATable(t *testing.T) {
	t.Parallel()
	got, err := model.ReadPoints("s.csv", strings.NewReader("id,points\n1,500\n2,612.0\n"))
	if err != nil || !slices.Equal(got, []int{500, 612}) {
		t.Errorf("got %v, %v", got, err)
	}
	for text, place := range map[string]string{
		"":                      "s.csv",
		"id,score\n1,2\n":       "s.csv:1",
		"id,points\n1,2\n3,x\n": "s.csv:3:3",
		"id,points\n1,1e99\n":   "s.csv:2:3",
		"id,points\n1\n":        "s.csv",
	} {
		if _, err := model.ReadPoints("s.csv", strings.NewReader(text)); !errors.Is(err, model.ErrPoints) || !strings.Contains(err.Error(), place) {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

func FuzzReadPoints(f *testing.F) {
	f.Add("id,points\n1,500\n")
	f.Add("points\n-1e6\n\"")
	f.Fuzz(func(t *testing.T, text string) {
		points, err := model.ReadPoints("s.csv", strings.NewReader(text))
		if err == nil && len(points) > len(text) {
			t.Errorf("%d points out of %d bytes", len(points), len(text))
		}
	})
}
