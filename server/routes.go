package server

import (
	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/server/route"
)

// Roles is the one table of who may call what: every operation by its id. The
// server does not start when an operation is missing here or named in vain, and a
// test walks the whole table.
func Roles() map[string][]access.Role {
	var (
		anyone   = []access.Role{route.Anyone}
		signedIn = access.Roles()
		officer  = []access.Role{access.Officer}
		reader   = []access.Role{access.Officer, access.Auditor}
		house    = []access.Role{access.Officer, access.Auditor, access.Operator}
		borrower = []access.Role{access.Borrower}
		anchor   = []access.Role{access.Anchor}
		operator = []access.Role{access.Operator}
		partner  = []access.Role{access.Partner}
	)
	return map[string][]access.Role{
		"session-create": anyone,
		"session":        signedIn,
		"session-end":    signedIn,
		"catalogue":      signedIn,
		"tile":           signedIn,
		"legend":         signedIn,
		"live":           signedIn, // each is sent what it may see

		"officer-home":              reader,
		"officer-applications":      reader,
		"officer-application":       reader,
		"officer-approve":           officer,
		"officer-refuse":            officer,
		"officer-reassess":          officer,
		"officer-replay":            reader, // changes nothing: it compares
		"officer-plots":             reader,
		"officer-plot":              reader,
		"officer-scenes":            reader,
		"officer-tile":              reader,
		"officer-herds":             reader,
		"officer-herd":              reader,
		"officer-herd-animals":      house,
		"officer-herd-count":        officer,
		"officer-animal-timeline":   reader,
		"officer-animal-confirm":    officer,
		"officer-animal-weigh":      officer,
		"officer-animal-find":       house,
		"officer-animal":            house,
		"officer-firms":             reader,
		"officer-firm":              reader,
		"officer-industries":        reader,
		"officer-firm-place":        reader,
		"officer-suppliers":         reader,
		"officer-dealers":           reader,
		"officer-paths":             reader,
		"officer-shock":             officer,
		"officer-merges":            reader,
		"officer-merge-suggestions": reader,
		"officer-merge":             officer,
		"officer-merge-undo":        officer,
		"officer-document":          officer,
		"officer-facts":             reader,
		"officer-fact-decide":       officer,
		"officer-alerts":            reader,
		"officer-alert-close":       officer,
		"officer-loans":             reader,
		"officer-loan":              reader,
		"officer-quarantine":        house,
		"officer-quarantine-counts": house,
		"officer-audit":             house,

		"officer-strategies":         reader,
		"officer-strategy-versions":  reader,
		"officer-strategy-version":   reader,
		"officer-strategy-draft":     officer,
		"officer-strategy-revise":    officer,
		"officer-strategy-move":      officer,
		"officer-strategy-try":       reader, // it keeps nothing
		"officer-strategy-back-test": reader,
		"officer-strategy-shadow":    reader,

		"officer-receivables":        reader,
		"officer-receivable":         reader,
		"officer-receivable-events":  reader,
		"officer-receivable-pledge":  officer,
		"officer-receivable-owe":     officer,
		"officer-receivable-file":    officer,
		"officer-receivable-freeze":  officer,
		"officer-receivable-release": officer,
		"officer-exposures":          reader,
		"officer-exposure-limit":     officer,
		"officer-borrowing-base":     reader,
		"officer-models":             reader,
		"officer-model":              reader,
		"officer-model-monitor":      reader,
		"officer-model-submit":       officer,
		"officer-model-review":       officer,
		"officer-model-publish":      officer,
		"officer-model-retire":       officer,

		"farmer-home":         borrower,
		"farmer-plot-check":   borrower,
		"farmer-plot-add":     borrower,
		"farmer-plot-suggest": {access.Borrower, access.Officer}, // who draws with the holder
		"farmer-plot":         borrower,
		"farmer-apply":        borrower,
		"farmer-application":  borrower,
		"farmer-contract":     borrower,
		"farmer-sign":         borrower,
		"farmer-draw":         borrower,
		"farmer-withdraw":     borrower,
		"farmer-loan":         borrower,
		"farmer-repay":        borrower,
		"farmer-scene":        borrower,
		"farmer-herd":         borrower,
		"farmer-animals":      borrower,
		"farmer-animal":       borrower,
		"farmer-animal-event": borrower,
		"farmer-birth":        borrower,
		"farmer-device-claim": borrower,

		"farmer-holdings":         borrower,
		"farmer-holding":          borrower,
		"farmer-holding-events":   borrower,
		"farmer-holding-accept":   borrower,
		"farmer-holding-cancel":   borrower,
		"farmer-holding-split":    borrower,
		"farmer-holding-transfer": borrower,
		"farmer-holding-set-off":  borrower,
		"farmer-holding-ask":      borrower,
		"farmer-holding-unask":    borrower,

		"anchor-template":       anchor,
		"anchor-upload":         anchor,
		"anchor-uploads":        anchor,
		"anchor-upload-get":     anchor,
		"anchor-upload-errors":  anchor,
		"anchor-upload-commit":  anchor,
		"anchor-upload-undo":    anchor,
		"anchor-suppliers":      anchor,
		"anchor-supplier-names": anchor,
		"anchor-payables":       anchor,

		"anchor-receivables":             anchor,
		"anchor-receivable-propose":      anchor,
		"anchor-receivable":              anchor,
		"anchor-receivable-events":       anchor,
		"anchor-receivable-confirm":      anchor,
		"anchor-receivable-cancel":       anchor,
		"anchor-receivable-pay":          anchor,
		"anchor-receivable-template":     anchor,
		"anchor-receivable-file":         anchor,
		"anchor-receivable-file-confirm": anchor,
		"anchor-holdings":                anchor, // what others owe the anchor
		"anchor-holding":                 anchor,
		"anchor-holding-events":          anchor,
		"anchor-holding-accept":          anchor,
		"anchor-holding-cancel":          anchor,
		"anchor-holding-split":           anchor,
		"anchor-holding-transfer":        anchor,
		"anchor-holding-set-off":         anchor,
		"anchor-holding-ask":             anchor,
		"anchor-holding-unask":           anchor,

		"operator-user-add":       operator,
		"operator-users":          operator,
		"operator-herd-add":       operator,
		"operator-herd-change":    operator,
		"operator-animals-add":    operator,
		"operator-animals-import": operator,
		"operator-animal-event":   operator,
		"operator-template":       operator,
		"operator-devices-add":    operator,
		"operator-devices":        operator,
		"operator-device-claim":   operator,
		"operator-device-rotate":  operator,
		"operator-device-revoke":  operator,
		"operator-device-forget":  operator,
		"operator-firm-add":       operator,
		"operator-plot-add":       operator,
		"operator-plot-import":    operator,
		"operator-report":         operator,
		"operator-scan":           operator,
		"operator-dayend":         operator,
		"operator-jobs":           operator,
		"operator-reference":      operator,

		"partner-apply":       partner,
		"partner-application": partner,
	}
}
