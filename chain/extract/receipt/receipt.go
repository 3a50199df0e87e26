// Package receipt reads fields of receipts (the shop, the day, its address, the total)
// and of China's invoices of value added tax, from their text. It abstains where a field
// cannot be told.
package receipt

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Receipt is what a receipt of a shop says. A field that was not found is "".
type Receipt struct {
	Company string `json:"company"`
	Date    string `json:"date"` // "2018-12-25"
	Address string `json:"address"`
	Total   string `json:"total"` // "9.00", what was to be paid, rounding included
}

// Lines reads a receipt from its lines, in the order of reading.
func Lines(lines []string) Receipt {
	clean := make([]string, 0, len(lines))
	for _, l := range lines {
		if l = strings.Join(strings.Fields(l), " "); l != "" {
			clean = append(clean, strings.ToUpper(l))
		}
	}
	head := headOf(clean)
	company, next := companyOf(clean[:head])
	address := addressOf(clean, next)
	if address == "" { // some print it above the name
		address = addressOf(clean[:next], 0)
	}
	return Receipt{Company: company, Address: address, Date: dateOf(clean), Total: totalOf(clean)}
}

// headEnd are words with which the part of a receipt that tells the shop is over.
var headEnd = regexp.MustCompile(`\b(TAX INVOICE|INVOICE|RECEIPT|CASH BILL|CASHIER|QTY|DESCRIPTION|BILL NO|TABLE|DATE)\b`)

// headOf is the number of lines at the top that tell who the shop is.
func headOf(lines []string) int {
	for i, l := range lines {
		if i >= 2 && headEnd.MatchString(l) {
			return min(i, 14)
		}
	}
	return min(len(lines), 14)
}

var (
	// legal are endings of firms; kinds are words for what a shop is.
	legal = regexp.MustCompile(`\b(S/?B|SDN\.? ?\.?BHD|SDN\.? ?BND|BHD|BERHAD|PLT|ENTERPRISE|ENTERPRISES|LTD|INC)\b|有限公司`)
	kinds = regexp.MustCompile(`\b(TRADING|RESTAURANT|RESTORAN|SUPERMARKET|HYPERMARKET|MINI ?MARKET|MARKET|MART|PERNIAGAAN|KEDAI|STORE|STATIONERY|HARDWARE|BAKERY|PHARMACY|FARMASI|CAFE|KOPITIAM|CORPORATION|INDUSTRIES|INDUSTRY|SERVICES|MACHINERY|BOOKS?|SHOP|CENTRE|CENTER|GROUP|COMPANY|CO\.|CLINIC|KLINIK|HOTEL|FURNITURE|AUTO|MOTOR|SEAFOOD|FOODS?|ELECTRICAL|GALLERY|PASARAYA|PUSAT|SALON|STUDIO|STEAMBOAT|BISTRO|GROCER|FASHION|PETROLEUM)\b`)
	// registration is the number of a firm in brackets or behind its name.
	registration = regexp.MustCompile(`[(\[]? ?\b(CO\.? ?(REG)?\.? ?(NO)?\.?:? ?|ROC ?(NO)?\.?:? ?|REG\.? ?NO\.?:? ?)?[A-Z]{0,3}\d{5,9} ?-? ?[A-Z0-9]?\b[)\]]?\.?$`)
	// not a name of a shop.
	noName = regexp.MustCompile(`\b(TAX INVOICE|CASH SALE|CASH BILL|THANK|WELCOME|TEL|FAX|GST|NO|JALAN|JLN|LOT|WWW|REG|ROC|ID)\b|[@]|^\W*$|\.COM\b|^\(?[A-Z]{0,3}[\d\W]+[A-Z]?\)?$`)
	// a line that can only be the end of a name.
	continued    = regexp.MustCompile(`^(ENTERPRISE|TRADING|SDN|BHD|COMPANY|CO\.)\b`)
	onlyKind     = regexp.MustCompile(`^(TRADING|ENTERPRISE|HARDWARE|RESTAURANT|COMPANY|STORE|MARKETING)$`)
	numberInside = regexp.MustCompile(`\([A-Z]{0,3}\d{5,9} ?-? ?[A-Z0-9]?\)`)
	misread      = regexp.MustCompile(`\b(BND|BHO|8HD|BH0)\b`)
	onlyLegal    = regexp.MustCompile(`^(CO\.?|COMPANY|\(M\)|\(MALAYSIA\)|SDN\.?|BHD\.?|BERHAD|S/B|LTD\.?|[ ,.&])+$`)
)

// companyOf finds the name of the firm at the top and the line after it.
func companyOf(top []string) (name string, next int) {
	at := -1
	for i, l := range top {
		if legal.MatchString(l) && !addressLike(l) {
			at = i
			break
		}
	}
	if at < 0 {
		for i, l := range top {
			if i < 4 && kinds.MatchString(l) && !noName.MatchString(l) && !addressLike(l) {
				at = i
				break
			}
		}
	}
	if at < 0 {
		for i, l := range top {
			if !noName.MatchString(l) && letters(l) >= 3 {
				at = i
				break
			}
		}
	}
	if at < 0 {
		return "", 0
	}
	name = top[at]
	next = at + 1
	if at > 0 && (onlyLegal.MatchString(registration.ReplaceAllString(name, "")) || continued.MatchString(name)) && !noName.MatchString(top[at-1]) {
		name = top[at-1] + " " + name
	}
	// A bracket that is open, a line of nothing but a form, a line in brackets: the name
	// goes on.
	for next < len(top) {
		l := registration.ReplaceAllString(top[next], "")
		open := strings.Count(name, "(") > strings.Count(name, ")")
		if l != top[next] || (!open && !onlyLegal.MatchString(l) && !onlyKind.MatchString(l)) {
			break
		}
		name += " " + l
		next++
	}
	name = strings.TrimSpace(registration.ReplaceAllString(name, ""))
	if m := numberInside.FindStringIndex(name); m != nil && m[0] > 4 {
		name = name[:m[0]]
	}
	name = strings.TrimSpace(misread.ReplaceAllString(name, "BHD"))
	for _, p := range []string{"OWNED BY ", "OWNED BY: ", "OPERATED BY ", "MANAGED BY ", "OWNER BY "} {
		name = strings.TrimPrefix(name, p)
	}
	return strings.TrimRight(name, " ,:-"), next
}

var (
	addressStart = regexp.MustCompile(`^(NO\.?:? ?\d|NO\.? ?[A-Z]?-?\d|LOT\b|L\d|\d+[-,/&A-Z ]|[A-Z]{0,2}-?\d+[A-Z]?-\d|UNIT\b|GROUND|LEVEL|BLOCK|BLK|PT ?\d|KM ?\d|BATU|SUITE|WISMA|\d(ST|ND|RD|TH)? FLOOR|G-?\d|B-?\d|JALAN|JLN|ADDRESS)`)
	addressWord  = regexp.MustCompile(`\b(JALAN|JLN|TAMAN|TMN|BANDAR|KAMPUNG|KG|LORONG|PERSIARAN|KAWASAN|SEKSYEN|SECTION|SELANGOR|KUALA LUMPUR|JOHOR|PENANG|PERAK|MELAKA|CHERAS|SHAH ALAM|PETALING|KLANG|PUCHONG|SUBANG|PERINDUSTRIAN|FLOOR|LEBUH|LRG|DARUL EHSAN|MALAYSIA|WILAYAH|COMPLEX|PLAZA|MALL|USJ ?\d|SS ?\d|PJU|PJS)\b`)
	branch       = regexp.MustCompile(`^\d{3,4}-[A-Z]`) // number and place of a shop of a chain
	postcode     = regexp.MustCompile(`\b\d{5}\b`)
	addressEnd   = regexp.MustCompile(`\b(TEL|TELEPHONE|PHONE|FAX|GST|GST ?NO|ROC|REG|REGISTRATION|INVOICE|RECEIPT|EMAIL|E-MAIL|WWW|DATE|CASHIER|BILL|TABLE|HOURS|HOTLINE|SST|TAX|WELCOME|SLIP|TRANS|STAFF|SHOPPING|MEMBER|COMPANY NO|BR NO|CO\.? ?NO|CUSTOMER|H/P|HP|TIME|DOC|OPEN|POS|TERMINAL)\b|^[-+(:]?[\d +()/-]{8,}[.,]?$|^\W*\d{6,7} ?-[A-Z]\W*$|@|\.COM|\d{1,2}[:.]\d{2} ?(AM|PM)`)
)

func addressLike(l string) bool { return addressStart.MatchString(l) && addressWord.MatchString(l) }

// addressOf joins the lines of the address that follow the name.
func addressOf(lines []string, from int) string {
	var parts []string
	for i := from; i < len(lines) && i < from+12; i++ {
		l := lines[i]
		if len(parts) == 0 {
			if Day(l) != "" || (strings.HasPrefix(l, "(") && strings.HasSuffix(l, ")")) {
				continue
			}
			if !addressStart.MatchString(l) && !strings.HasSuffix(l, ",") && i+1 < len(lines) && addressStart.MatchString(lines[i+1]) {
				continue // the trade name of a branch
			}
			if addressEnd.MatchString(l) && !addressLike(l) {
				continue
			}
			if !addressStart.MatchString(l) && !addressWord.MatchString(l) && !strings.HasSuffix(l, ",") || registration.ReplaceAllString(l, "") == "" {
				continue
			}
		} else if addressEnd.MatchString(l) && !strings.HasPrefix(l, "JALAN") {
			break
		}
		done := len(parts) > 0 && postcode.MatchString(strings.Join(parts, " "))
		if Day(l) != "" || len(amounts(l)) > 0 {
			break
		}
		if done && !addressWord.MatchString(l) && !postcode.MatchString(l) && !branch.MatchString(l) {
			break
		}
		parts = append(parts, l)
		if len(parts) == 6 {
			break
		}
	}
	address := strings.Join(parts, " ")
	for _, p := range []string{"ADDRESS :", "ADDRESS:", "ADDRESS"} {
		address = strings.TrimPrefix(address, p)
	}
	return strings.Trim(address, " ,")
}

var (
	numericDay = regexp.MustCompile(`(?:^|[^\d])(\d{1,2}) ?([/.\-]) ?(\d{1,2}) ?([/.\-]) ?(\d{4}|\d{2})(?:[^\d]|$)`)
	isoDay     = regexp.MustCompile(`(?:^|[^\d])(20\d\d)[/.\-](\d{1,2})[/.\-](\d{1,2})(?:[^\d]|$)`)
	namedDay   = regexp.MustCompile(`(?:^|[^\d])(\d{1,2})[ /.\-]*(JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)[A-Z]*[ ,/.'\-]*(\d{4}|\d{2})(?:[^\d]|$)`)
	monthFirst = regexp.MustCompile(`(JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)[A-Z]* ?(\d{1,2}),? ?(20\d\d)`)
	compactDay = regexp.MustCompile(`(?:^|[^\d])(20[12]\d)([01]\d)([0-3]\d)(?:[^\d]|$)`)
	months     = []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}
	fullYear   = regexp.MustCompile(`(?:^|[^\d])(19|20)\d\d(?:[^\d]|$)|\d(19|20)\d\d[^\d]`)
	otherDay   = regexp.MustCompile(`EXPIR|VALID|PERIOD|SINCE|EFFECTIVE|DUE|UNTIL`)
)

// Day reads the first day of a text, day before month; "" when there is none.
func Day(text string) string {
	text = strings.ToUpper(text)
	if m := isoDay.FindStringSubmatch(text); m != nil {
		if d := dayOf(m[1], m[2], m[3]); d != "" {
			return d
		}
	}
	for rest := text; ; {
		at := numericDay.FindStringSubmatchIndex(rest)
		if at == nil {
			break
		}
		part := func(i int) string { return rest[at[2*i]:at[2*i+1]] }
		if part(2) == part(4) {
			if d := dayOf(part(5), part(3), part(1)); d != "" {
				return d
			}
			if d := dayOf(part(5), part(1), part(3)); d != "" {
				return d
			}
		}
		rest = rest[at[3]:] // "#19- 24/07/2016": the day may begin with what did not fit
	}
	for i, name := range months {
		month := strconv.Itoa(i + 1)
		if m := namedDay.FindStringSubmatch(text); m != nil && m[2] == name {
			return dayOf(m[3], month, m[1])
		}
		if m := monthFirst.FindStringSubmatch(text); m != nil && m[1] == name {
			return dayOf(m[3], month, m[2])
		}
	}
	if m := compactDay.FindStringSubmatch(text); m != nil {
		return dayOf(m[1], m[2], m[3])
	}
	return ""
}

func dayOf(year, month, day string) string {
	y, _ := strconv.Atoi(year)
	m, _ := strconv.Atoi(month)
	d, _ := strconv.Atoi(day)
	if y < 100 {
		y += 2000
	}
	t := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
	if y < 1990 || y > 2100 || m < 1 || m > 12 || t.Day() != d {
		return ""
	}
	return t.Format(time.DateOnly)
}

// dateOf prefers a day beside the word DATE, then one beside a time, then the first.
func dateOf(lines []string) string {
	best, score := "", 0
	for i, l := range lines {
		d := Day(l)
		if d == "" {
			continue
		}
		s := 2
		before := ""
		if i > 0 {
			before = lines[i-1]
		}
		switch {
		case otherDay.MatchString(l) || otherDay.MatchString(before):
			s = 1
		case strings.Contains(l, "DATE") || strings.Contains(before, "DATE"):
			s = 4
		case strings.Contains(l, ":"):
			s = 3
		}
		if fullYear.MatchString(l) {
			s += 2
		}
		if s > score {
			best, score = d, s
		}
	}
	return best
}

var (
	sumOfMoney   = regexp.MustCompile(`(?:^|[^\d.,])(\d{1,3}(?:,\d{3})+|\d*) ?[.,] ?(\d{2})(?:[^\d.%]|$)`)
	strongTotal  = regexp.MustCompile(`ROUND[A-Z ]*TOTAL|TOTAL[A-Z ()]*ROUND|AFTER ADJ|NETT? ?TOTAL|GRAND ?TOTAL|TOTAL (AMOUNT )?(PAYABLE|DUE)|(AMOUNT|BALANCE) DUE|NETT? ?AM(OUN)?T|TOTAL TO PAY|AMOUNT PAYABLE|TOTAL PAYMENT`)
	inclTotal    = regexp.MustCompile(`TOTAL.*INCL|INCL.*TOTAL|TOTAL SALES`)
	weakTotal    = regexp.MustCompile(`T[O0]TAL|JUMLAH|^AMOUNT\b`)
	noTotal      = regexp.MustCompile(`SUB ?-?T|EXCL|\bEX\b|EXC\.|QTY|QUANTITY|ITEM|TAX(?:ABLE| AM|:|$| \()|TOTAL (GST|TAX|SST|DISC|SAV)|SUPPL|DISCOUNT|SAVING|POINT|CHANGE|ROUNDING(?: ADJ)?\W*$|TENDER|COUNT|BEFORE|LITRE|GST AM|TOTAL ?%`)
	summary      = regexp.MustCompile(`(GST|TAX|SST) (SUMMARY|ANALYSIS)|TAX CODE|GST RATE`)
	cashLine     = regexp.MustCompile(`^(CASH|TENDER|TENDERED|PAID|PAYMENT|CASH RECEIVED|CASH TENDERED|AMOUNT PAID|CASH PAID|TUNAI)\b`)
	changeLine   = regexp.MustCompile(`^\(?(CHANGE|CHANGE DUE|BALANCE|BAKI|CHANGE AMT)\b`)
	cardLine     = regexp.MustCompile(`^(VISA|MASTER|MASTERCARD|CREDIT CARD|DEBIT|CARD|BANK CARD|MYDEBIT)\b`)
	roundedLine  = regexp.MustCompile(`^ROUNDING( RM)?\W*$`)
	roundingLine = regexp.MustCompile(`ROUND`)
)

// amounts are the sums of a line, in hundredths.
func amounts(line string) []int64 {
	var out []int64
	for line != "" {
		m := sumOfMoney.FindStringSubmatchIndex(line)
		if m == nil {
			break
		}
		whole := strings.ReplaceAll(line[m[2]:m[3]], ",", "")
		if n, err := strconv.ParseInt(whole+line[m[4]:m[5]], 10, 64); err == nil && len(whole) < 10 {
			out = append(out, n)
		}
		line = line[m[5]:]
	}
	return out
}

// after are the sums on a line or, when it has none, on one of the next lines before
// another word for money.
func after(lines []string, i int) []int64 {
	if list := amounts(lines[i]); len(list) > 0 {
		return list
	}
	for j := i + 1; j < len(lines) && j <= i+3; j++ {
		if list := amounts(lines[j]); len(list) > 0 {
			return list
		}
		if letters(lines[j]) > 3 {
			break
		}
	}
	return nil
}

// totalOf weighs every sum of the receipt: the words beside it, whether cash less change
// gives it, and how often it is repeated. The last of equals wins.
func totalOf(lines []string) string {
	type vote struct {
		score float64
		last  int
	}
	votes := map[int64]*vote{}
	give := func(sum int64, score float64, at int) {
		if sum <= 0 {
			return
		}
		v := votes[sum]
		if v == nil {
			v = &vote{}
			votes[sum] = v
		}
		v.score, v.last = v.score+score, at
	}
	var cash, change, all []int64
	inSummary := false
	for i, l := range lines {
		if summary.MatchString(l) {
			inSummary = true
		}
		for _, a := range amounts(l) {
			give(a, 0.3, i)
			all = append(all, a)
		}
		list := after(lines, i)
		if len(list) == 0 {
			continue
		}
		sum := list[len(list)-1]
		switch {
		case cashLine.MatchString(l):
			cash = append(cash, list...)
		case changeLine.MatchString(l):
			change = append(change, list...)
		case cardLine.MatchString(l):
			give(sum, 2, i)
		case roundedLine.MatchString(l) && sum >= 100: // what it was rounded to
			give(sum, 6, i)
		case noTotal.MatchString(l) && !strongTotal.MatchString(l):
		case inSummary:
			if strongTotal.MatchString(l) {
				give(sum, 1, i)
			}
		case strongTotal.MatchString(l):
			give(sum, 6, i)
		case inclTotal.MatchString(l):
			give(sum, 3.5, i)
		case weakTotal.MatchString(l):
			score := 3.0
			if i > 0 && roundingLine.MatchString(lines[max(0, i-2)]+lines[i-1]) {
				score = 4.5 // the total after rounding
			}
			give(sum, score, i)
		}
	}
	for _, c := range cash {
		for _, d := range change {
			if v := votes[c-d]; v != nil && c > d {
				v.score += 3
			}
		}
		if v := votes[c]; v != nil && len(change) == 0 {
			v.score += 1.5
		}
	}
	if len(cash) > 0 || len(change) > 0 || slices.ContainsFunc(lines, changeLine.MatchString) {
		columns := map[int64]bool{}
		// Read by columns: the total, what was given, what came back.
		for i := range all {
			for j := i + 1; j < min(i+4, len(all)); j++ {
				for k := j + 1; k < min(j+3, len(all)); k++ {
					sum := all[i]
					if sum <= 0 || all[j]-sum != all[k] || columns[sum] {
						continue
					}
					columns[sum] = true
					if all[k] > 0 {
						give(sum, 4, votes[sum].last)
					} else {
						give(sum, 2, votes[sum].last)
					}
				}
			}
		}
	}
	best, at := int64(0), -1
	for sum, v := range votes {
		switch {
		case at < 0, v.score > votes[best].score, v.score == votes[best].score && (v.last > at || v.last == at && sum > best):
			best, at = sum, v.last
		}
	}
	if at < 0 || votes[best].score < 1 {
		return ""
	}
	return fmt.Sprintf("%d.%02d", best/100, best%100)
}

func letters(s string) int {
	n := 0
	for _, r := range s {
		if unicode.IsLetter(r) {
			n++
		}
	}
	return n
}
