package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/furrowcredit/furrow/chain/extract"
	"github.com/furrowcredit/furrow/chain/extract/document"
	"github.com/furrowcredit/furrow/chain/extract/endpoint"
	"github.com/furrowcredit/furrow/chain/extract/receipt"
	"github.com/furrowcredit/furrow/chain/extract/rule"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

// extraction is one run of chain extract.
type extraction struct {
	extractor extract.Extractor
	reader    document.Reader
	kind      string // auto, relation, receipt, invoice
	subject   string
	split     string

	out    extractReport
	facts  []placedFact
	pairs  []extract.Pair
	found  [][]extract.Fact // of pairs
	slips  []receipt.Sample
	read   []receipt.Receipt // of slips
	failed int
}

// placedFact is a fact and where it was found; a line of --out.
type placedFact struct {
	Document string `json:"document"`
	SHA256   string `json:"sha256,omitempty"`
	extract.Fact
}

// extractReport is what --json prints.
type extractReport struct {
	Documents int                `json:"documents"`
	Sentences int                `json:"sentences,omitempty"`
	Outcome   extract.Outcome    `json:"outcome"`
	Files     []extractedFile    `json:"files,omitempty"`
	Facts     []placedFact       `json:"facts,omitempty"`
	Relations *extract.Score     `json:"relations,omitempty"` // when the sentences are labelled
	Receipts  []receipt.Receipt  `json:"receipts,omitempty"`
	Fields    *receipt.Score     `json:"fields,omitempty"` // when the receipts are labelled
	Invoices  []extractedInvoice `json:"invoices,omitempty"`
}

// extractedFile is what came of one file.
type extractedFile struct {
	Name    string           `json:"name"`
	Kind    string           `json:"kind,omitempty"`
	Facts   int              `json:"facts"`
	Outcome *extract.Outcome `json:"outcome,omitempty"`
	Notes   []string         `json:"notes,omitempty"`
	Error   string           `json:"error,omitempty"`
}

type extractedInvoice struct {
	Document string `json:"document"`
	receipt.Invoice
}

// runChainExtract finds relations, receipts and invoices in documents. The answer is no
// when a file could not be read.
func runChainExtract(ctx context.Context, args []string, std stdio) error {
	f := newFlags("chain extract", "[--in] F.jsonl|DIR|FILE... [--extractor rule|endpoint] [--kind auto|relation|receipt|invoice] [--out F.jsonl] [--json]", std)
	in := f.String("in", "", "a file or folder; more may follow")
	out := f.String("out", "", "file for the facts, one JSON object a line; packed when its name ends in .gz")
	kind := f.String("kind", "auto", "what the documents are: auto, relation, receipt, invoice")
	subject := f.String("subject", "", "the firm that the documents call the company")
	split := f.String("split", "", "take only the sentences of this split")
	asJSON := f.Bool("json", false, "print one JSON object")
	extractor := extractorFlags(f)
	paths, err := parseArgs(f, args)
	if err != nil {
		return err
	}
	if *in != "" {
		paths = append([]string{*in}, paths...)
	}
	if len(paths) == 0 {
		return errUsage.With("why", "name a file or a folder")
	}
	if !slices.Contains([]string{"auto", "relation", "receipt", "invoice"}, *kind) {
		return errUsage.With("why", "--kind is auto, relation, receipt or invoice")
	}
	e := &extraction{kind: *kind, subject: *subject, split: *split}
	if e.extractor, err = extractor(); err != nil {
		return err
	}
	files, err := documentFiles(paths)
	if err != nil {
		return err
	}
	for _, path := range files {
		if err := e.file(ctx, path, len(files) == 1); err != nil {
			return err
		}
	}
	e.finish()
	if *out != "" {
		if err := writeWhole(*out, e.write); err != nil {
			return err
		}
	}
	if *asJSON {
		if len(e.pairs) == 0 {
			e.out.Facts = e.facts
		}
		err = printJSON(std.Out, e.out)
	} else {
		e.print(std.Out, *out == "")
	}
	if err == nil && e.failed > 0 {
		err = errNo
	}
	return err
}

// extractorFlags adds the flags that choose an extractor. The key comes from the
// environment, where no list of processes shows it.
func extractorFlags(f *flag.FlagSet) func() (extract.Extractor, error) {
	name := f.String("extractor", rule.Name, "rule, or endpoint: a language model behind an OpenAI-compatible address, with the rules when it fails")
	var cfg endpoint.Config
	f.StringVar(&cfg.URL, "endpoint", os.Getenv("FURROW_LLM_URL"), "address up to /v1 (FURROW_LLM_URL); its key is in FURROW_LLM_KEY")
	f.StringVar(&cfg.Model, "model", os.Getenv("FURROW_LLM_MODEL"), "name of the model (FURROW_LLM_MODEL)")
	f.StringVar(&cfg.Cache, "cache", "", "folder for answers and for what was spent today")
	f.DurationVar(&cfg.Timeout, "timeout", 0, "of one request; default a minute")
	f.Int64Var(&cfg.Budget.Tokens, "tokens-per-day", 0, "stop at so many tokens a day; 0 is no bound")
	yuan := f.String("yuan-per-day", "", "stop at so many yuan a day; needs both prices")
	priceIn := f.String("price-in", "0", "yuan for a million tokens of input")
	priceOut := f.String("price-out", "0", "yuan for a million tokens of output")
	return func() (extract.Extractor, error) {
		switch *name {
		case rule.Name:
			return rule.New(), nil
		case endpoint.Name:
		default:
			return nil, errUsage.With("why", "--extractor is rule or endpoint")
		}
		for _, p := range []struct {
			text string
			into *money.Fen
		}{{*yuan, &cfg.Budget.Fen}, {*priceIn, &cfg.Budget.FenIn}, {*priceOut, &cfg.Budget.FenOut}} {
			if p.text == "" {
				continue
			}
			v, err := money.ParseFen(p.text)
			if err != nil || v < 0 {
				return nil, errUsage.With("why", "prices and --yuan-per-day are yuan, such as 12.50")
			}
			*p.into = v
		}
		if cfg.Budget.Fen > 0 && cfg.Budget.FenIn+cfg.Budget.FenOut == 0 {
			return nil, errUsage.With("why", "--yuan-per-day needs --price-in and --price-out")
		}
		cfg.Key, cfg.Fallback = os.Getenv("FURROW_LLM_KEY"), rule.New()
		return endpoint.New(cfg)
	}
}

// documentFiles lists files in order; of a folder all that do not begin with a dot.
func documentFiles(paths []string) ([]string, error) {
	var out []string
	for _, path := range paths {
		err := filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return errUsage.With("why", err.Error())
			case name != path && strings.HasPrefix(d.Name(), "."):
				if d.IsDir() {
					return fs.SkipDir
				}
			case d.Type().IsRegular() || name == path && !d.IsDir():
				out = append(out, name)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if len(out) == 0 {
		return nil, errUsage.With("why", "there are no files in it")
	}
	return out, nil
}

// file reads one file; what is wrong with it is an error when it is the only one, and is
// listed otherwise.
func (e *extraction) file(ctx context.Context, path string, only bool) error {
	entry := extractedFile{Name: path}
	err := e.one(ctx, path, &entry)
	if err != nil {
		if f := (*fault.Error)(nil); only && errors.As(err, &f) && f.Place == "" {
			return f.At("%s", path)
		}
		if only || ctx.Err() != nil {
			return err
		}
		entry.Error = err.Error()
		e.failed++
	}
	e.out.Files = append(e.out.Files, entry)
	return nil
}

func (e *extraction) one(ctx context.Context, path string, entry *extractedFile) error {
	if strings.HasSuffix(strings.TrimSuffix(path, ".gz"), ".jsonl") {
		body, err := readLong(path, maxLines)
		if err != nil {
			return err
		}
		entry.Kind = "jsonl"
		return e.lines(ctx, path, body)
	}
	body, err := readLong(path, document.MaxBytes)
	if err != nil {
		return err
	}
	return e.document(ctx, path, body, entry)
}

// maxLines bounds a file of sentences: a hundred million characters.
const maxLines = 256 << 20

// readLong reads a file of up to most bytes, unpacked when its name ends in .gz. A larger
// one is refused before it is read.
func readLong(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, errUsage.With("why", err.Error())
	}
	defer func() { _ = f.Close() }() // read only
	if info, err := f.Stat(); err == nil && info.Size() > most {
		return nil, document.ErrTooLarge.At("%s", path).With("mib", most>>20)
	}
	var r io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			return nil, document.ErrDamaged.At("%s", path).Because(err)
		}
	}
	body, err := io.ReadAll(io.LimitReader(r, most+1))
	switch {
	case err != nil:
		return nil, document.ErrDamaged.At("%s", path).Because(err)
	case int64(len(body)) > most:
		return nil, document.ErrTooLarge.At("%s", path).With("mib", most>>20)
	}
	return body, nil
}

// lines reads JSON lines of receipts or of sentences, by what the first one has.
func (e *extraction) lines(ctx context.Context, path string, body []byte) error {
	first, _, _ := bytes.Cut(bytes.TrimSpace(body), []byte("\n"))
	var probe struct {
		Lines []string `json:"lines"`
	}
	if err := json.Unmarshal(first, &probe); err != nil {
		return extract.ErrLine.At("%s:1", path).Because(err)
	}
	if len(probe.Lines) > 0 {
		samples, err := receipt.ReadSamples(bytes.NewReader(body), path)
		if err != nil {
			return err
		}
		for _, s := range samples {
			e.slips, e.read = append(e.slips, s), append(e.read, receipt.Lines(s.Lines))
		}
		e.out.Documents += len(samples)
		return nil
	}
	all, err := extract.ReadPairs(bytes.NewReader(body), path)
	if err != nil {
		return err
	}
	pairs := slices.DeleteFunc(all, func(p extract.Pair) bool { return e.split != "" && p.Split != e.split })
	found, err := extract.Pairs(ctx, e.extractor, pairs, &e.out.Outcome)
	if err != nil {
		return err
	}
	for i, facts := range found {
		for _, f := range facts {
			e.facts = append(e.facts, placedFact{Document: fmt.Sprintf("%s#%d", path, i+1), Fact: f})
		}
	}
	e.pairs, e.found = append(e.pairs, pairs...), append(e.found, found...)
	e.out.Sentences += len(pairs)
	return nil
}

func (e *extraction) document(ctx context.Context, path string, body []byte, entry *extractedFile) error {
	d, rep, err := e.reader.Read(ctx, path, body)
	if err != nil {
		return err
	}
	d.Subject = e.subject
	entry.Kind, entry.Notes = rep.Kind, rep.Notes
	e.out.Documents++
	kind := e.kind
	if kind == "auto" {
		kind = kindOf(d.Text)
	}
	switch kind {
	case "receipt":
		lines := strings.FieldsFunc(d.Text, func(r rune) bool { return r == '\n' || r == '\f' })
		e.slips = append(e.slips, receipt.Sample{ID: path, Lines: lines})
		e.read = append(e.read, receipt.Lines(lines))
		entry.Kind += " receipt"
		return nil
	case "invoice":
		v := receipt.ReadInvoice(d.Text)
		e.out.Invoices = append(e.out.Invoices, extractedInvoice{path, v})
		var o extract.Outcome
		var facts []extract.Fact
		if f, ok := v.Fact(d.Text); ok {
			facts = extract.Verify(d, []extract.Fact{f}, &o)
		}
		o.Close(len(facts), "incomplete_invoice")
		entry.Kind += " invoice"
		e.keep(d, facts, o, entry)
		return nil
	}
	facts, o, err := e.extractor.Extract(ctx, d)
	if err != nil {
		return err
	}
	e.keep(d, facts, o, entry)
	return nil
}

func (e *extraction) keep(d extract.Document, facts []extract.Fact, o extract.Outcome, entry *extractedFile) {
	entry.Facts, entry.Outcome = len(facts), &o
	e.out.Outcome.Add(o)
	if o.Empty != "" {
		e.out.Outcome.Drop("document_" + o.Empty)
	}
	for _, f := range facts {
		e.facts = append(e.facts, placedFact{d.Name, d.SHA256, f})
	}
}

// kindOf guesses what a document is.
func kindOf(text string) string {
	if receipt.IsInvoice(text) {
		return "invoice"
	}
	han := strings.IndexFunc(text, func(r rune) bool { return unicode.Is(unicode.Han, r) })
	upper := strings.ToUpper(text)
	if han < 0 && strings.Contains(upper, "TOTAL") && (strings.Contains(upper, "CASH") || strings.Contains(upper, "RECEIPT") || strings.Contains(upper, "INVOICE")) {
		return "receipt"
	}
	return "relation"
}

// finish scores what is labelled.
func (e *extraction) finish() {
	if slices.ContainsFunc(e.pairs, func(p extract.Pair) bool { return len(p.Labels) > 0 }) {
		s := extract.Judge(e.pairs, e.found, 0)
		e.out.Relations = &s
	}
	if slices.ContainsFunc(e.slips, func(s receipt.Sample) bool { return len(s.Key) > 0 }) {
		s := receipt.Judge(e.slips, e.read)
		e.out.Fields = &s
	} else {
		e.out.Receipts = e.read
	}
}

// write writes what --out gets: facts, then receipts and invoices.
func (e *extraction) write(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	var errs []error
	for _, f := range e.facts {
		errs = append(errs, enc.Encode(f))
	}
	for i, r := range e.read {
		errs = append(errs, enc.Encode(struct {
			ID string `json:"id"`
			receipt.Receipt
		}{e.slips[i].ID, r}))
	}
	for _, v := range e.out.Invoices {
		errs = append(errs, enc.Encode(v))
	}
	return errors.Join(errs...)
}

func (e *extraction) print(w io.Writer, list bool) {
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }
	if list && e.out.Relations == nil {
		for _, f := range e.facts {
			planned := ""
			if f.Planned {
				planned = " planned"
			}
			p("%s: %s %s %s (%.2f%s) “%s”\n", f.Document, f.Head, f.Relation, f.Tail, f.Confidence, planned, strings.Join(strings.Fields(f.Quote), " "))
		}
		for i, r := range e.out.Receipts {
			p("%s: %s | %s | %s | %s\n", e.slips[i].ID, r.Company, r.Date, r.Total, r.Address)
		}
		for _, v := range e.out.Invoices {
			p("%s: %s %s %s %s -> %s %s %v\n", v.Document, v.Type, v.Number, v.Date, v.Seller, v.Buyer, v.Total, v.Doubts)
		}
	}
	for _, f := range e.out.Files {
		if f.Error != "" {
			p("failed %s: %s\n", f.Name, f.Error)
		}
	}
	o := e.out.Outcome
	p("%d documents, %d sentences: %d facts found, %d kept\n", e.out.Documents, e.out.Sentences, o.Found, o.Kept)
	for _, reason := range extract.Reasons(o.Dropped) {
		p("%-24s %7d\n", reason, o.Dropped[reason])
	}
	if o.Fallback != "" {
		p("the rules took over: %s\n", o.Fallback)
	}
	if s := e.out.Relations; s != nil {
		row := func(name string, c extract.Count) {
			p("%-14s %6d predicted %6d right %6d labelled  precision %.3f  recall %.3f  F1 %.3f\n", name, c.Predicted, c.Right, c.Labelled, c.Precision, c.Recall, c.F1)
		}
		for _, r := range extract.Relations() {
			row(string(r), s.Relations[r])
		}
		row("supply type", s.Supply)
		row("any supply", s.AnySupply)
	}
	if s := e.out.Fields; s != nil {
		row := func(name string, c receipt.Count) {
			p("%-14s %6d read %6d right %6d labelled  precision %.3f  recall %.3f  F1 %.3f\n", name, c.Read, c.Right, c.Labelled, c.Precision, c.Recall, c.F1)
		}
		for _, field := range receipt.Fields() {
			row(field, s.Fields[field])
		}
		row("all", s.All)
	}
}
