package upload

import (
	"strings"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/party"
)

// Column is one column of an upload.
type Column struct {
	Field    string // stable name: "number", "seller", "amount"...
	Zh, En   string // headers; either is accepted
	Aliases  []string
	Required bool
	Sample   string // of the template
	Kind     cellKind
}

type cellKind int

const (
	textCell cellKind = iota
	codeCell          // unified social credit code
	amountCell
	dateCell
	phoneCell
)

// Kinds are the documents that can be uploaded, in the order of the trade.
func Kinds() []chain.DocKind {
	return []chain.DocKind{chain.Suppliers, chain.Order, chain.Delivery, chain.Invoice, chain.Payment}
}

// Columns returns the columns of a kind in the order of its template, or
// ErrKind.
func Columns(kind chain.DocKind) ([]Column, error) {
	number := func(zh, en, sample string, aliases ...string) Column {
		return Column{Field: "number", Zh: zh, En: en, Sample: sample, Required: true, Aliases: append(aliases, "单号", "number", "no")}
	}
	seller := Column{Field: "seller", Zh: "卖方名称", En: "seller", Sample: "青穗县丰岭粮油有限公司",
		Aliases: []string{"卖方", "供应商名称", "供应商", "销售方", "销售方名称", "销方名称", "收款方", "收款方名称", "收款人", "供方", "supplier", "supplier name", "seller name", "payee"}}
	sellerCode := Column{Field: "seller_uscc", Zh: "卖方信用代码", En: "seller_uscc", Sample: sampleCode, Kind: codeCell,
		Aliases: []string{"卖方统一社会信用代码", "供应商信用代码", "供应商统一社会信用代码", "销售方税号", "销售方纳税人识别号", "销方税号", "收款方信用代码", "收款方统一社会信用代码", "统一社会信用代码", "supplier uscc", "uscc", "seller tax no"}}
	buyer := Column{Field: "buyer", Zh: "买方名称", En: "buyer",
		Aliases: []string{"买方", "采购方", "采购方名称", "购买方", "购买方名称", "购方名称", "付款方", "付款方名称", "付款人", "需方", "buyer name", "payer"}}
	buyerCode := Column{Field: "buyer_uscc", Zh: "买方信用代码", En: "buyer_uscc", Kind: codeCell,
		Aliases: []string{"买方统一社会信用代码", "采购方信用代码", "购买方税号", "购买方纳税人识别号", "购方税号", "付款方信用代码", "付款方统一社会信用代码", "buyer tax no"}}
	orderNo := Column{Field: "order_no", Zh: "订单号", En: "order_no", Sample: "PO-2026-0001",
		Aliases: []string{"订单编号", "采购订单号", "对应订单号", "关联订单号", "合同编号", "order number", "po", "po no"}}
	goods := Column{Field: "goods", Zh: "货物名称", En: "goods", Sample: "玉米",
		Aliases: []string{"货物", "品名", "商品名称", "物料名称", "货物或应税劳务名称", "摘要", "product", "item"}}
	amount := func(aliases ...string) Column {
		return Column{Field: "amount", Zh: "金额", En: "amount", Sample: "128,500.00", Required: true, Kind: amountCell,
			Aliases: append(aliases, "含税金额", "总金额", "total")}
	}
	date := func(zh, en string, aliases ...string) Column {
		return Column{Field: "date", Zh: zh, En: en, Sample: "2026-02-28", Required: true, Kind: dateCell, Aliases: append(aliases, "日期", "date")}
	}
	switch kind {
	case chain.Suppliers:
		name := seller
		name.Zh, name.En, name.Required = "供应商名称", "supplier", true
		name.Aliases = append([]string{"企业名称", "公司名称", "名称", "卖方名称", "name", "company"}, name.Aliases...)
		code := sellerCode
		code.Zh, code.En = "统一社会信用代码", "uscc"
		code.Aliases = append([]string{"信用代码", "税号", "credit code"}, code.Aliases...)
		return []Column{
			name, code,
			{Field: "legal_rep", Zh: "法定代表人", En: "legal_rep", Sample: "王小禾", Aliases: []string{"法人", "法人代表", "负责人", "legal representative"}},
			{Field: "phone", Zh: "联系电话", En: "phone", Sample: "0539-5550100", Kind: phoneCell, Aliases: []string{"电话", "手机", "手机号", "联系方式", "tel", "mobile"}},
			{Field: "region", Zh: "所在地区", En: "region", Sample: "青穗县", Aliases: []string{"地区", "区域", "地址", "所在地", "address"}},
			{Field: "industry", Zh: "所属行业", En: "industry", Sample: "粮油加工", Aliases: []string{"行业", "主营业务", "主营产品", "经营范围", "trade"}},
			{Field: "date", Zh: "合作开始日期", En: "since", Sample: "2023-05-01", Kind: dateCell, Aliases: []string{"合作日期", "开始合作日期", "准入日期", "start date"}},
		}, nil
	case chain.Order:
		no := orderNo
		no.Field, no.Required, no.Zh = "number", true, "订单号"
		no.Aliases = append([]string{"单号", "number", "no", "order number"}, no.Aliases...)
		return []Column{no, seller, sellerCode, buyer, buyerCode, goods, amount("订单金额", "order amount"), date("订单日期", "order_date", "下单日期", "签订日期")}, nil
	case chain.Delivery:
		return []Column{number("送货单号", "delivery_no", "SH-2026-0001", "交货单号", "入库单号", "收货单号", "delivery number"), orderNo,
			seller, sellerCode, buyer, buyerCode, goods, amount("收货金额", "入库金额"), date("收货日期", "delivery_date", "交货日期", "送货日期", "入库日期")}, nil
	case chain.Invoice:
		return []Column{number("发票号码", "invoice_no", "26372000000000000001", "发票号", "数电票号码", "数电发票号码", "invoice number"), orderNo,
			seller, sellerCode, buyer, buyerCode, goods, amount("价税合计", "开票金额", "发票金额", "invoice amount"), date("开票日期", "invoice_date", "发票日期"),
			{Field: "funder", Zh: "融资机构", En: "funder", Aliases: []string{"保理商", "受让机构", "融资方", "质权人", "factor"}}}, nil
	case chain.Payment:
		return []Column{number("付款流水号", "payment_no", "FK-2026-0001", "流水号", "交易流水号", "付款单号", "payment number", "transaction no"), orderNo,
			seller, sellerCode, buyer, buyerCode, amount("付款金额", "支付金额", "交易金额", "payment amount"), date("付款日期", "payment_date", "支付日期", "交易日期")}, nil
	}
	return nil, ErrKind.With("kind", kind)
}

// sampleCode is made up: no place has the region code 990000.
const sampleCode = "91990000MA0TEMPE3R"

// headerKey makes the key by which headers are compared, and says whether the
// header gives the unit 万元: "*金额（万元）" is "金额" in units of ten thousand.
func headerKey(header string) (key string, wan bool) {
	h := strings.ReplaceAll(strings.ReplaceAll(header, "（", "("), "）", ")")
	if i := strings.IndexByte(h, '('); i > 0 {
		wan = strings.Contains(h[i:], "万")
		h = h[:i]
	}
	key = party.Normalise(h)
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("*_-:：", r) {
			return -1
		}
		return r
	}, key), wan
}
