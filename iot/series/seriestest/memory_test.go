package seriestest_test

import (
	"testing"

	"github.com/furrowcredit/furrow/iot/series"
	"github.com/furrowcredit/furrow/iot/series/seriestest"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	seriestest.Run(t, func(*testing.T) series.Store { return &seriestest.Memory{} })
}
