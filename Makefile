# Everything that a person does here, by name. `make help` lists it.

GO      ?= go
BIN     := bin/tandem
FUZZ    ?= 30s
PACKAGES ?= ./...

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.PHONY: run
run: build ## Serve the embedded default: SQLite, sandbox gateway, demo page.
	@$(BIN) serve

.PHONY: build
build: ## Build bin/tandem.
	@$(GO) build -trimpath -o $(BIN) ./cmd/tandem

.PHONY: setup
setup: ## Find or install what the tests need: PostgreSQL, PgBouncer, Chromium, Node.
	@scripts/setup

# All commands of a target share these flags, and what tests build does: nothing
# is compiled twice. SQLite is C in Go's words: its memory is not Go's, so that
# the race detector sees nothing there, and looking takes most of the time.
RACE := -race $(foreach p,sqlite/lib libc libc/...,-gcflags=modernc.org/$(p)=-race=false)
TMPDIR_BEFORE := $(TMPDIR)
RACE_TEST := $(GO) test -vet=off -timeout 30m -p 4

.PHONY: test
test test-slow: export GOFLAGS = $(shell $(GO) env GOFLAGS) $(RACE)
test test-slow: export GOTMPDIR = $(or $(TMPDIR_BEFORE),/tmp)
test test-slow: export TMPDIR = $(shell scripts/tmpdir)
test: setup ## Pass every test, races included.
	@$(GO) vet ./...
	@$(RACE_TEST) ./...
	@$(GO) vet -tags bench ./cmd/tandem
	@$(RACE_TEST) -tags bench -run TestBench ./cmd/tandem

.PHONY: test-slow
test-slow: setup ## Name the packages and tests that take longest; PACKAGES=./app of some.
	@$(RACE_TEST) -count 1 -json $(PACKAGES) | $(GO) run ./internal/slow

.PHONY: quick
quick: ## The tests without the race detector.
	@$(GO) test ./...
	@$(GO) test -tags bench -run TestBench ./cmd/tandem

.PHONY: bench
bench: setup ## Measure against the baseline, side by side.
	@$(GO) run ./bench/compare

.PHONY: lint
lint: ## Lint; every exception says why, in .golangci.yaml or beside the line.
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "run: make format"; exit 1; }
	@$(GO) vet ./...
	@$(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0 run ./...

.PHONY: format
format: ## Format.
	@gofmt -w .

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZ (30s) each.
	@scripts/fuzz $(FUZZ)

.PHONY: generate
generate: ## Make again what is made from code: the API document, the diagrams.
	@$(GO) generate ./...

.PHONY: screenshots
screenshots: setup ## Take the pictures of the documents anew.
	@$(GO) test ./checkout -run TestScreenshots -screenshots ../docs/screenshots

.PHONY: clean
clean: ## Remove what was built (never data).
	@rm -rf bin
