package sim

import "fmt"

// surnames and givens make up the names of the county's people: common parts, so
// that no name points at anybody.
var (
	surnames = []string{"王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "马", "朱", "胡", "郭", "何", "林", "高", "罗"}
	givens   = []string{"建国", "秀英", "志强", "玉兰", "海涛", "春梅", "大勇", "桂花", "小军", "丽华", "长河", "雪梅", "宝山", "金凤", "永福", "腊梅", "铁柱", "彩霞", "满仓", "素珍"}
)

// personName is the nth made-up name; the first 400 differ.
func personName(n int) string {
	return surnames[n%len(surnames)] + givens[(n/len(surnames)+n)%len(givens)]
}

// Person is a login of the demo county.
type Person struct {
	ID    string `json:"id"`
	Login string `json:"login"`
	Name  string `json:"name"`
	Role  string `json:"role"`
}

// group numbers the logins of one kind: farmer01, farmer02, ...
func group(kind, role string, n, from int) []Person {
	out := make([]Person, n)
	for i := range out {
		out[i] = Person{Login: fmt.Sprintf("%s%02d", kind, i+1), Name: personName(from + i), Role: role}
	}
	return out
}
