# Two commands: `make run` shows the product, `make test` proves it.

export CGO_ENABLED = 1
BIN   = $(CURDIR)/.cache/bin
LINT  = $(BIN)/golangci-lint
DATA ?= data

.PHONY: run test build web lint e2e race nightly drill bench bench-geo bench-iot bench-chain bench-names bench-credit bench-ledger bench-dayend api clean

run: build ## everything installed, built and started on http://127.0.0.1:8080
	./bin/furrow demo --data $(DATA)

build: web
	@scripts/install run
	go build -trimpath -o bin/furrow ./cmd/furrow

web: dashboard/dist/.built ## the three faces, embedded by the Go build

dashboard/node_modules/.installed: dashboard/package-lock.json
	npm --prefix dashboard ci --no-audit --no-fund
	@touch $@

dashboard/dist/.built: dashboard/node_modules/.installed api/openapi.yaml \
		$(shell find dashboard/officer dashboard/farmer dashboard/anchor dashboard/shared -type f -not -path '*/node_modules/*' 2>/dev/null)
	npm --prefix dashboard run build
	@touch $@

test: ## everything: Go on both databases and real servers, web, browser
	@scripts/install test
	@$(MAKE) --no-print-directory build
	scripts/test

lint: $(LINT) dashboard/node_modules/.installed
	$(LINT) run ./...
	npm --prefix dashboard run lint

$(LINT):
	@scripts/install run
	GOBIN=$(BIN) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

e2e: ## signs in, opens every page in both languages, screenshots into shots/
	@scripts/install test
	@$(MAKE) --no-print-directory build
	scripts/e2e

nightly: ## what takes too long for each change: 100,000 random operations on loans
	FURROW_OPERATIONS=100000 go test -run TestRandomOperations -timeout 60m ./credit/loan

drill: ## kills the house during 1,000 drawdowns and repayments on each database; each is there exactly once
	eval "$$(scripts/services start)" && FURROW_DRILL=$${FURROW_DRILL:-1000} go test -v -count=1 -run TestMoneyKilled -timeout 60m ./cmd/furrow

race: ## the Go tests under the race detector
	scripts/test race

bench: ## benchmarks with a peer or a limit beside them
	go test -run '^$$' -bench . -benchmem ./...

bench-geo: ## the satellite part beside its peers and the machine's limits, one table
	@scripts/install bench
	go test -run '^$$' -bench . -benchtime 1x -timeout 30m ./bench/geo

bench-iot: ## the tags' way to the disk beside Telegraf and a plain client, one table
	@scripts/install bench
	go test -run '^$$' -bench . -benchtime 1x -timeout 60m ./bench/iot

bench-chain: ## the graph of firms beside plain C++, igraph and GraphBLAS; names, shocks, uploads
	@scripts/install bench
	go test -run '^$$' -bench . -benchtime 1x -timeout 60m ./bench/chain ./bench/contagion ./bench/names ./bench/upload

bench-dayend: ## the day end of a million loans on both databases beside plain SQL; FURROW_BENCH_LOANS sets how many
	eval "$$(scripts/services start)" && FURROW_BENCH_LOANS=$${FURROW_BENCH_LOANS:-1000000} go test -run '^$$' -bench . -benchtime 1x -timeout 120m ./bench/dayend

bench-names: ## names of firms against a registry and against themselves, one table; FURROW_BENCH_NAMES adds a size
	go test -run '^$$' -bench . -benchtime 1x -timeout 60m ./bench/names

bench-credit: ## a decision beside expr, cel-go and ZEN; over HTTP on both databases; about everybody; scores beside boosted trees
	@scripts/install bench
	go test -run '^$$' -bench Decision -benchtime 1x -timeout 10m ./bench/credit
	eval "$$(scripts/services start)" && go test -run '^$$' -bench . -benchtime 1x -timeout 60m ./bench/decision
	go test -v -timeout 30m ./bench/score

bench-ledger: ## postings a second in batches and one by one, beside plain inserts of the same rows, on both databases
	eval "$$(scripts/services start)" && go test -run '^$$' -bench . -benchtime 1x -timeout 30m ./bench/ledger

api: ## regenerates api/openapi.yaml and the web client's types
	go test ./server -run TestOpenAPI -update
	npm --prefix dashboard run api

clean:
	rm -rf bin .cache shots dashboard/node_modules
	find dashboard/dist -mindepth 1 -not -name README -delete
