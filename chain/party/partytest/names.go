// Package partytest makes up names of firms, as many as one wants, with the variants
// under which people write them and the truth of who is who.
package partytest

import (
	"encoding/csv"
	"io/fs"
	"strings"

	"github.com/furrowcredit/furrow/catalog"
)

// Names is a source of made-up names: four fifths are firms, the others are other
// writings of them. Name i is always the same. Places, lines of business and cores are
// as uneven as in life: a few are everywhere.
type Names struct {
	n                      int
	regions, trades, chars []string
}

// New returns n names.
func New(n int) (*Names, error) {
	fsys, err := catalog.Open("")
	if err != nil {
		return nil, err
	}
	s := &Names{n: n}
	err = each(fsys, "names/regions.csv", func(r []string) {
		if len(r[0]) == 4 || len(r[0]) == 6 && !strings.HasSuffix(r[1], "区") {
			s.regions = append(s.regions, r[1])
		}
	})
	if err != nil {
		return nil, err
	}
	err = each(fsys, "names/words.csv", func(r []string) {
		if r[0] == "trade" {
			s.trades = append(s.trades, r[1])
		}
	})
	// The characters that people like in names of firms.
	s.chars = strings.Split("华中天金海大新东鑫德盛达宏兴安信恒瑞泰和嘉康福隆丰源顺诚美亚龙城通利永联科光博富佳正元成祥凯润飞创远百万星宝明鼎力庆卓优艺众合方圆汇聚银旺腾骏驰昌茂荣辉煌锦绣弘毅立志远航宇宙晨曦阳月日升朝霞云帆梦想未来智慧睿捷迅速雅致韵秀清泉溪湖江河山川峰岭岳松柏竹梅兰菊荷莲桂桐枫林森木石玉珠玺玮琪琳瑶珂璐沃野禾穗稼穑耕牧田园农家乐民惠仁义礼孝廉忠勇谦和", "")
	return s, err
}

func each(fsys fs.FS, name string, row func([]string)) error {
	f, err := fsys.Open(name)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read
	rows, err := csv.NewReader(f).ReadAll()
	for _, r := range rows[min(1, len(rows)):] {
		row(r)
	}
	return err
}

// Len returns how many names there are.
func (s *Names) Len() int { return s.n }

// Firm returns the number of the name that name i is a writing of: i itself for a firm.
func (s *Names) Firm(i int) int {
	if i%5 != 4 {
		return i
	}
	r := random(uint64(i) * 77)
	return int(r.next()%uint64(i/5+1))*5 + int(r.next()%4)
}

// Name returns name i.
func (s *Names) Name(i int) string {
	f := s.firm(s.Firm(i))
	if i%5 != 4 {
		return f.region + f.core + f.trade + f.form
	}
	r := random(uint64(i) * 31)
	whole := []rune(f.region + f.core + f.trade + f.form)
	at := 1 + int(r.next()%uint64(len(whole)-2))
	switch r.next() % 7 {
	case 0:
		return f.region + f.core + f.trade + map[string]string{"有限公司": "有限责任公司", "有限责任公司": "有限公司", "股份有限公司": "股份公司", "专业合作社": "农民专业合作社"}[f.form]
	case 1:
		return f.core + "（" + f.region + "）" + f.trade + f.form
	case 2:
		return f.region + " " + f.core + f.trade + "　" + f.form
	case 3:
		return f.core + f.trade + f.form
	case 4:
		whole[at], whole[at-1] = whole[at-1], whole[at]
		return string(whole)
	case 5:
		return string(whole[:at]) + string(whole[at+1:])
	}
	return f.core + string([]rune(f.trade)[:2])
}

type firm struct{ region, core, trade, form string }

func (s *Names) firm(i int) firm {
	r := random(uint64(i))
	f := firm{region: r.uneven(s.regions), trade: r.uneven(s.trades)}
	if r.next()%2 == 0 {
		f.trade += r.uneven(s.trades)
	}
	for range 2 + r.next()%2 {
		f.core += r.uneven(s.chars)
	}
	switch f.form = "有限公司"; r.next() % 10 {
	case 0:
		f.form = "股份有限公司"
	case 1:
		f.form = "有限责任公司"
	case 2:
		f.form = "专业合作社"
	}
	return f
}

// source is a small random generator (splitmix64).
type source uint64

func random(seed uint64) *source {
	s := source(seed*0x9E3779B97F4A7C15 + 1)
	return &s
}

func (s *source) next() uint64 {
	*s += 0x9E3779B97F4A7C15
	z := uint64(*s)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// uneven picks a value: the first ones far more often, by the square of a uniform share.
func (s *source) uneven(of []string) string {
	u := float64(s.next()>>11) / (1 << 53)
	return of[int(u*u*float64(len(of)))]
}
