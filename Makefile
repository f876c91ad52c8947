# Everything a developer does, and everything CI runs. `make help` lists it.
SHELL := /bin/bash
.DEFAULT_GOAL := help

BIN := bin
LINT_VERSION := $(shell awk '$$1 == "github.com/golangci/golangci-lint/v2" {print $$2}' tools/go.mod)

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

.PHONY: build
build: ## Build bin/tenantry
	go build -o $(BIN)/tenantry ./cmd/tenantry

.PHONY: run
run: build ## Build and start the demo: a seeded service, with commands to try
	./$(BIN)/tenantry demo

.PHONY: test
test: verify lint ## Everything CI runs: generated files, linter, all tests, most with the race detector, and a little fuzzing
	$(MAKE) --jobs=2 $(if $(filter output-sync,$(.FEATURES)),--output-sync=line) test-app test-others

# Collect garbage when there is five times as much as there was, not twice: compilers, linter and tests take a fifth
# less time, and more memory. `make test GOGC=100` is for small machines.
test lint build: export GOGC ?= 400

# internal/app has the tests that take longest, one after the other: about as long as those of all the rest.
.PHONY: test-app
test-app:
	go test -vet=off -timeout 15m -skip '$(PARALLEL)' ./internal/app
	go test -race -vet=off -timeout 15m -run '$(PARALLEL)' ./internal/app

.PHONY: test-others
test-others:
	go test -race -vet=off -timeout 15m -skip '$(LARGE)' $$(go list ./... | grep -v -E '$(LONG)')
	go test -vet=off -timeout 15m -skip '$(PARALLEL)' $$(go list ./... | grep -E '$(LONG)' | grep -v '/internal/app$$')
	go test -race -vet=off -timeout 15m -run '$(PARALLEL)' ./internal/store ./internal/engine/...
	go test -race -vet=off -timeout 15m -run 'TestWatch|TestCorpus' ./internal/schemacheck/scenario ./internal/schemacheck/mutate
	cd bench && go vet ./... && go test -vet=off -timeout 10m ./...
	GOGC=100 go test -vet=off -timeout 15m -run '$(LARGE)' ./internal/httpapi
	$(MAKE) fuzz-short

# The race detector makes these packages' tests many times as long: random histories, crashes, SpiceDB's conformance suite;
# cli runs the program as it is shipped, and the rest do one thing after the other. With it run those of their tests in
# which much goes on at once, and not again without it. LARGE are tests of other packages about size, and about memory.
# Lint vets all of it.
LONG := /(client|internal/(access|app|cli|directory|engine|engine/sqlite|schemacheck(/mutate|/scenario)?|store))$$
LARGE := SlowReaders
PARALLEL := Replica|Writers|Beside|Concurren|Parallel|Life|Foreign|Changes|Close

.PHONY: lint
lint: $(BIN)/golangci-lint-$(LINT_VERSION) ## Formatting, import rules and the linter
	GOGC=100 $(BIN)/golangci-lint-$(LINT_VERSION) run ./... # with more garbage it takes 8 GB and no less time

$(BIN)/golangci-lint-$(LINT_VERSION):
	cd tools && go build -o ../$@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

.PHONY: generate
generate: build ## Generate the built schema and the OpenAPI document
	./$(BIN)/tenantry schema build -o schema/tenantry.zed
	./$(BIN)/tenantry openapi > docs/openapi.json

.PHONY: verify
verify: build ## Check that generated files are current, and that the schema passes its validation files, lints and scenarios
	@./$(BIN)/tenantry schema build | diff -u schema/tenantry.zed - || { echo "schema/tenantry.zed is stale: run make generate"; exit 1; }
	@./$(BIN)/tenantry openapi | diff -u docs/openapi.json - || { echo "docs/openapi.json is stale: run make generate"; exit 1; }
	./$(BIN)/tenantry schema validate schema --strict --min-coverage 100
	./$(BIN)/tenantry schema test testdata/scenarios

.PHONY: bench
bench: ## Compare Tenantry with its peers: writes bench/RESULTS.md and plots; half an hour. make bench ARGS=-help
	cd bench && go run . $(ARGS)

.PHONY: bench-engine
bench-engine: ## Compare SpiceDB on SQLite with SpiceDB on PostgreSQL and in memory, a quarter of an hour
	cd bench && go run ./engine $(ARGS)

.PHONY: bench-go
bench-go: ## Run the benchmarks in the code, five times each
	go test -run '^$$' -bench . -benchmem -count 5 ./...

.PHONY: fuzz
fuzz: ## Fuzz every parser, for five minutes in all; make fuzz FOR=3600 for longer
	.ci/fuzz $(or $(FOR),300)

.PHONY: fuzz-short
fuzz-short:
	.ci/fuzz 40

.PHONY: clean
clean: ## Remove what was built
	rm -rf $(BIN)
