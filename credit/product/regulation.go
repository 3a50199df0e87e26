package product

import "github.com/furrowcredit/furrow/money"

// Regulation is the class of rules that the law sets for a loan.
type Regulation string

// Classes of regulation.
const (
	Consumer      Regulation = "consumer"
	Productive    Regulation = "productive"
	FarmerMicro   Regulation = "farmer_micro"
	PovertyRelief Regulation = "poverty_relief"
)

// Bound is what a class of regulation allows at the most. Zero does not bound.
type Bound struct {
	HouseholdFen money.Fen // of one household, this loan in it
	Counts       Counts    // what HouseholdFen sums
	Months       int
	BulletMonths int  // of loans whose principal is repaid at once
	Unsecured    bool // nothing may be pledged and nobody else may answer
	Article      map[string]string
}

// bounds by class. The texts: CBIRC Order 9 of 2020 (internet loans of commercial
// banks); PBOC 银发[2001]397 (farmers' micro-credit); the poverty-relief form as county
// rules state it.
var bounds = map[Regulation]Bound{
	Consumer: {
		// The article bounds the line of credit (个人信用贷款授信额度).
		HouseholdFen: 200_000_00, Counts: CreditGranted, BulletMonths: 12,
		Article: map[string]string{
			"zh-CN": "《商业银行互联网贷款管理暂行办法》（银保监会令2020年第9号）第六条",
			"en":    "CBIRC Order 9 of 2020 on internet loans, article 6",
		},
	},
	Productive: {},
	FarmerMicro: {
		Unsecured: true,
		Article: map[string]string{
			"zh-CN": "《农村信用合作社农户小额信用贷款管理指导意见》（银发〔2001〕397号）",
			"en":    "PBOC notice 397 of 2001 on farmers' micro-credit",
		},
	},
	PovertyRelief: {
		// The form bounds the loan, which is paid out and back.
		HouseholdFen: 50_000_00, Counts: LoansOutstanding, Months: 36, Unsecured: true,
		Article: map[string]string{
			"zh-CN": "脱贫人口小额信贷政策：5万元以下、3年期以内、免担保免抵押",
			"en":    "Micro-credit for households out of poverty: up to 50,000 yuan, up to 3 years, without collateral",
		},
	},
}

// Known says whether r is one of the classes above.
func (r Regulation) Known() bool {
	_, ok := bounds[r]
	return ok
}

// Bound returns what r allows; a product without a class is not bound.
func (r Regulation) Bound() Bound { return bounds[r] }

// Shares and multiples that the law sets.
const (
	// PartnerShareBP is the least that partners give of a joint loan: notice
	// 银保监办发〔2021〕24, in force since 2022.
	PartnerShareBP = 3000
	// SuretyShareBP of its net assets is the most that a guarantee company may answer for
	// one debtor: 融资担保公司监督管理条例, article 16.
	SuretyShareBP = 1000
)
