package party_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/party"
)

func TestFindTwins(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	firms := []chain.Party{
		{ID: "01", Name: "山东青穗种业有限公司", USCC: "91370700MA3C000018", LegalRep: "张禾"},
		{ID: "02", Name: "河南金谷面业股份有限公司"},
		{ID: "03", Name: "青穗种业（山东）有限公司", LegalRep: "张禾"}, // the first in another order
		{ID: "04", Name: "河北金谷面业股份有限公司"},                 // another province
		{ID: "05", Name: "湖北丰岭农机有限公司"},
		{ID: "06", Name: "湖北丰岭农机有限公司"}, // a namesake, no codes
		{ID: "07", Name: "清远南坡饲料厂", FormerNames: []string{"广东垄上饲料厂"}},
		{ID: "08", Name: "广东垄上饲料厂"},
		{ID: "09", Name: "安徽禾本粮贸有限公司", USCC: "91340100MA2M000015"},
		{ID: "10", Name: "安徽禾本粮贸有限公司", USCC: "91340100MA2M100023"}, // sound codes that differ
	}
	for i, p := range firms { // the codes of the example must be sound
		if len(p.USCC) == 18 {
			firms[i].USCC = p.USCC[:8] + p.USCC[8:16] + string(party.OrgCheckChar(p.USCC[8:16]))
			firms[i].USCC += string(party.CheckChar(firms[i].USCC))
			if party.Check(firms[i].USCC).Status == party.Bad {
				t.Fatal(firms[i].USCC, party.Check(firms[i].USCC))
			}
		}
	}
	pairs := func(newest int) map[string]string {
		found, err := party.FindTwins(t.Context(), firms, newest, now)
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]string{}
		for _, p := range found {
			if p.Score < 0.3 || p.Score > 1 || !p.FoundAt.Equal(now) {
				t.Error(p)
			}
			out[min(p.FirmID, p.OtherID)+max(p.FirmID, p.OtherID)] = p.Reasons["name"] + " " + p.Reasons["legal_rep"]
		}
		return out
	}
	if d := cmp.Diff(map[string]string{"0103": "like same", "0506": "same ", "0708": "like "}, pairs(len(firms))); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(map[string]string{"0708": "like "}, pairs(3)); d != "" {
		t.Error("only the newest are looked for:", d)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := party.FindTwins(ctx, firms, 10, now); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
