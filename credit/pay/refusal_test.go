package pay_test

import (
	"testing"

	"github.com/furrowcredit/furrow/credit/pay"
)

func TestRefusal(t *testing.T) {
	t.Parallel()
	for reason, want := range map[string][2]string{
		pay.WithCode("AC04", "销户"):         {"AC04", "销户"},
		pay.WithCode("AM04", ""):           {"AM04", ""},
		pay.WithCode("", "no"):             {"", "no"},
		pay.WithCode("E-12 x", "no cover"): {"", "no cover"},
		"ABCD no code":                     {"", "ABCD no code"},
		"":                                 {"", ""},
	} {
		if code, said := pay.Refusal(reason); code != want[0] || said != want[1] {
			t.Errorf("%q is %q %q", reason, code, said)
		}
	}
}
