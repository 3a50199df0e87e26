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
	textCell     cellKind = iota
	longCell              // a text of up to 2,000 characters
	numberCell            // names a document
	codeCell              // unified social credit code
	amountCell            // more than zero
	signedCell            // not zero; negative takes back
	taxCell               // any amount
	quantityCell          // a number
	dateCell              // from 2000 to today
	dueCell               // from 2000 to ten years ahead
	foundedCell           // from 1800 to today
	phoneCell
	roleCell
	typeCell
	statusCell
	industryCell
)

// Kinds are the documents that can be uploaded, in the order of the trade.
func Kinds() []chain.DocKind {
	return []chain.DocKind{chain.Suppliers, chain.Contract, chain.Order, chain.Delivery, chain.Invoice, chain.Payment, chain.Confirmation}
}

// The columns that several kinds share.
var (
	sellerColumn = Column{Field: "seller", Zh: "卖方名称", En: "seller", Sample: "青穗县丰岭粮油有限公司",
		Aliases: []string{"卖方", "供应商名称", "供应商", "销售方", "销售方名称", "销方名称", "收款方", "收款方名称", "收款人", "供方", "乙方", "supplier", "supplier name", "seller name", "payee"}}
	sellerCodeColumn = Column{Field: "seller_uscc", Zh: "卖方信用代码", En: "seller_uscc", Sample: sampleCode, Kind: codeCell,
		Aliases: []string{"卖方统一社会信用代码", "供应商信用代码", "供应商统一社会信用代码", "销售方税号", "销售方纳税人识别号", "销方税号", "销方识别号", "收款方信用代码", "收款方统一社会信用代码", "统一社会信用代码", "supplier uscc", "uscc", "seller tax no"}}
	buyerColumn = Column{Field: "buyer", Zh: "买方名称", En: "buyer",
		Aliases: []string{"买方", "采购方", "采购方名称", "购买方", "购买方名称", "购方名称", "付款方", "付款方名称", "付款人", "需方", "甲方", "buyer name", "payer"}}
	buyerCodeColumn = Column{Field: "buyer_uscc", Zh: "买方信用代码", En: "buyer_uscc", Kind: codeCell,
		Aliases: []string{"买方统一社会信用代码", "采购方信用代码", "购买方税号", "购买方纳税人识别号", "购方税号", "购方识别号", "购买方识别号", "付款方信用代码", "付款方统一社会信用代码", "buyer tax no"}}
	orderColumn = Column{Field: "order_no", Zh: "订单号", En: "order_no", Sample: "PO-2026-0001", Kind: numberCell,
		Aliases: []string{"订单编号", "采购订单号", "对应订单号", "关联订单号", "order number", "po", "po no"}}
	contractColumn = Column{Field: "contract_no", Zh: "合同编号", En: "contract_no", Sample: "HT-2026-001", Kind: numberCell,
		Aliases: []string{"合同号", "对应合同号", "采购合同号", "销售合同号", "contract number", "contract"}}
	invoiceColumn = Column{Field: "invoice_no", Zh: "对应发票", En: "invoice_no", Sample: "26372000000000000001", Kind: numberCell,
		Aliases: []string{"对应发票号", "发票号码", "发票号", "关联发票号", "数电票号码", "invoice number", "invoice"}}
	goodsColumn = Column{Field: "goods", Zh: "货物名称", En: "goods", Sample: "玉米",
		Aliases: []string{"货物", "品名", "商品名称", "物料名称", "货物或应税劳务名称", "货物或应税劳务、服务名称", "项目名称", "标的物", "摘要", "product", "item"}}
	quantityColumn = Column{Field: "quantity", Zh: "数量", En: "quantity", Sample: "50", Kind: quantityCell, Aliases: []string{"件数", "重量", "qty"}}
	unitColumn     = Column{Field: "unit", Zh: "单位", En: "unit", Sample: "吨", Aliases: []string{"计量单位", "uom"}}
)

func numberColumn(zh, en, sample string, aliases ...string) Column {
	return Column{Field: "number", Zh: zh, En: en, Sample: sample, Required: true, Kind: numberCell, Aliases: append(aliases, "单号", "number", "no")}
}

func amountColumn(kind cellKind, aliases ...string) Column {
	return Column{Field: "amount", Zh: "金额", En: "amount", Sample: "128,500.00", Required: true, Kind: kind, Aliases: append(aliases, "含税金额", "总金额", "total")}
}

func dateColumn(zh, en string, aliases ...string) Column {
	return Column{Field: "date", Zh: zh, En: en, Sample: "2026-02-28", Required: true, Kind: dateCell, Aliases: append(aliases, "日期", "date")}
}

func dueColumn(zh string, aliases ...string) Column {
	return Column{Field: "due", Zh: zh, En: "due_date", Sample: "2026-08-31", Kind: dueCell, Aliases: append(aliases, "到期日", "到期日期", "due", "due date")}
}

// Columns returns the columns of a kind in the order of its template, or
// ErrKind.
func Columns(kind chain.DocKind) ([]Column, error) {
	sides := func(before []Column, after ...Column) []Column {
		return append(append(before, sellerColumn, sellerCodeColumn, buyerColumn, buyerCodeColumn), after...)
	}
	switch kind {
	case chain.Suppliers:
		return partyColumns(), nil
	case chain.Contract:
		return sides([]Column{numberColumn("合同编号", "contract_no", "HT-2026-001", "合同号", "contract number")},
			goodsColumn, amountColumn(amountCell, "合同金额", "合同总价", "contract amount"),
			dateColumn("签订日期", "contract_date", "合同日期", "签约日期", "签署日期"), dueColumn("合同到期日", "有效期至", "终止日期", "合同终止日期")), nil
	case chain.Order:
		return sides([]Column{numberColumn("订单号", "order_no", "PO-2026-0001", append([]string{"order number"}, orderColumn.Aliases...)...), contractColumn},
			goodsColumn, quantityColumn, unitColumn, amountColumn(amountCell, "订单金额", "order amount"),
			dateColumn("订单日期", "order_date", "下单日期", "签订日期")), nil
	case chain.Delivery:
		return sides([]Column{numberColumn("送货单号", "delivery_no", "SH-2026-0001", "交货单号", "入库单号", "收货单号", "发货单号", "运单号", "delivery number"), orderColumn},
			goodsColumn, quantityColumn, unitColumn, amountColumn(amountCell, "收货金额", "入库金额", "送货金额"),
			dateColumn("收货日期", "delivery_date", "交货日期", "送货日期", "入库日期", "发货日期")), nil
	case chain.Invoice:
		return invoiceColumns(sides), nil
	case chain.Payment:
		return sides([]Column{numberColumn("付款流水号", "payment_no", "FK-2026-0001", "流水号", "交易流水号", "付款单号", "payment number", "transaction no"), orderColumn, invoiceColumn},
			amountColumn(signedCell, "付款金额", "支付金额", "交易金额", "payment amount"), dateColumn("付款日期", "payment_date", "支付日期", "交易日期")), nil
	case chain.Confirmation:
		return sides([]Column{numberColumn("确认单号", "confirmation_no", "QR-2026-0001", "确权编号", "确权单号", "债权编号", "confirmation number"), invoiceColumn, orderColumn},
			amountColumn(amountCell, "确认金额", "确权金额", "应付金额", "confirmed amount"), dateColumn("确认日期", "confirmation_date", "确权日期", "签发日期"),
			dueColumn("付款到期日", "应付日期", "承诺付款日")), nil
	case chain.Statement: // it comes from documents, not from tables
	}
	return nil, ErrKind.With("kind", kind)
}

func partyColumns() []Column {
	name := sellerColumn
	name.Zh, name.En, name.Required = "供应商名称", "supplier", true
	name.Aliases = append([]string{"企业名称", "公司名称", "单位名称", "经销商名称", "客户名称", "名称", "卖方名称", "name", "company", "dealer"}, name.Aliases...)
	code := sellerCodeColumn
	code.Zh, code.En = "统一社会信用代码", "uscc"
	code.Aliases = append([]string{"信用代码", "税号", "纳税人识别号", "credit code"}, code.Aliases...)
	return []Column{
		name, code,
		{Field: "role", Zh: "角色", En: "role", Sample: "供应商", Kind: roleCell, Aliases: []string{"类型", "往来类型", "合作角色", "关系", "type"}},
		{Field: "legal_rep", Zh: "法定代表人", En: "legal_rep", Sample: "王小禾", Aliases: []string{"法人", "法人代表", "负责人", "legal representative"}},
		{Field: "controller", Zh: "实际控制人", En: "controller", Sample: "王小禾", Aliases: []string{"实控人", "控制人", "控股股东", "actual controller"}},
		{Field: "phone", Zh: "联系电话", En: "phone", Sample: "0539-5550100", Kind: phoneCell, Aliases: []string{"电话", "手机", "手机号", "联系方式", "tel", "mobile"}},
		{Field: "region", Zh: "所在地区", En: "region", Sample: "青穗县", Aliases: []string{"地区", "区域", "所在地"}},
		{Field: "address", Zh: "地址", En: "address", Sample: "青穗县粮站路 8 号", Aliases: []string{"注册地址", "企业地址", "住所", "经营地址", "registered address"}},
		{Field: "industry", Zh: "所属行业", En: "industry", Sample: "粮油加工", Aliases: []string{"行业", "行业名称", "主营业务", "主营产品", "trade"}},
		{Field: "industry_code", Zh: "行业代码", En: "industry_code", Sample: "C1310", Kind: industryCell, Aliases: []string{"国民经济行业代码", "industry code"}},
		{Field: "scope", Zh: "经营范围", En: "scope", Sample: "粮食收购；粮油加工、销售", Kind: longCell, Aliases: []string{"business scope"}},
		{Field: "founded", Zh: "成立日期", En: "founded", Sample: "2016-03-18", Kind: foundedCell, Aliases: []string{"注册日期", "成立时间", "established"}},
		{Field: "capital", Zh: "注册资本", En: "capital", Sample: "500万元", Kind: amountCell, Aliases: []string{"注册资金", "registered capital"}},
		{Field: "former_names", Zh: "曾用名", En: "former_names", Kind: longCell, Aliases: []string{"历史名称", "原名称", "former name"}},
		{Field: "short_names", Zh: "简称", En: "short_names", Sample: "丰岭粮油", Kind: longCell, Aliases: []string{"企业简称", "公司简称", "short name"}},
		{Field: "date", Zh: "合作开始日期", En: "since", Sample: "2023-05-01", Kind: dateCell, Aliases: []string{"合作日期", "开始合作日期", "准入日期", "start date"}},
	}
}

func invoiceColumns(sides func([]Column, ...Column) []Column) []Column {
	code := Column{Field: "code", Zh: "发票代码", En: "invoice_code", Kind: numberCell, Aliases: []string{"code"}}
	return sides([]Column{numberColumn("发票号码", "invoice_no", "26372000000000000001", "发票号", "数电票号码", "数电发票号码", "全电发票号码", "invoice number"), code,
		{Field: "type", Zh: "发票类型", En: "invoice_type", Sample: "数电专票", Kind: typeCell, Aliases: []string{"票种", "发票种类", "发票票种", "type"}}, orderColumn, contractColumn},
		goodsColumn, quantityColumn, unitColumn,
		amountColumn(signedCell, "价税合计", "开票金额", "发票金额", "价税合计金额", "invoice amount"),
		Column{Field: "tax", Zh: "税额", En: "tax", Sample: "10,610.09", Kind: taxCell, Aliases: []string{"税金", "合计税额", "tax amount"}},
		dateColumn("开票日期", "invoice_date", "发票日期"),
		Column{Field: "status", Zh: "发票状态", En: "status", Sample: "正常", Kind: statusCell, Aliases: []string{"状态", "invoice status"}},
		Column{Field: "invoice_no", Zh: "被红冲的发票", En: "original_invoice", Kind: numberCell,
			Aliases: []string{"原发票号码", "原蓝字发票号码", "对应蓝字发票号码", "被红冲蓝字数电票号码", "红冲发票号码", "original invoice number"}},
		Column{Field: "funder", Zh: "融资机构", En: "funder", Aliases: []string{"保理商", "受让机构", "融资方", "质权人", "factor"}})
}

// sampleCode is made up: no place has the region code 990000.
const sampleCode = "91990000MA0TEMPE3R"

// headerKey makes the key by which headers are compared, and says which unit the header
// gives, in fen, or 0: "*金额（万元）" is "金额" in units of ten thousand yuan.
func headerKey(header string) (key string, unit int64) {
	h := strings.ReplaceAll(strings.ReplaceAll(header, "（", "("), "）", ")")
	if i := strings.IndexByte(h, '('); i > 0 {
		for _, u := range units {
			if unit == 0 && strings.Contains(h[i:], u.word) {
				unit = u.fen
			}
		}
		h = h[:i]
	}
	key = party.Normalise(h)
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("*_-:：", r) {
			return -1
		}
		return r
	}, key), unit
}
