# What a newcomer types. Everything is built into one folder, which CI keeps beyond its clone.
.PHONY: demo test test-long kills bench install oracle check tools

CARGO ?= cargo

## demo: build, run the digits study, write reports/digits.html
demo:
	$(CARGO) run --quiet -- demo

## test: every test of every day; installs a browser for the report's if the machine has none
test: tools
	$(CARGO) test --quiet

## test-long: the same, with ten thousand damaged study files, a thousand kills, and a failure at every operation on a disk
test-long: tools
	VISAVIS_LONG=1 $(CARGO) test --quiet

## kills: the table of kills; VISAVIS_LONG=1 makes twenty a thousand
kills:
	$(CARGO) test --quiet --test visavis kills -- --nocapture

## bench: speed of what `make demo` builds, each number beside a peer (scikit-learn, MLflow) or a limit; PYTHON names a Python
## with the peers
bench:
	$(CARGO) bench --quiet --profile dev

## oracle: the table of scores beside scikit-learn's
oracle:
	$(CARGO) test --quiet --test visavis oracle -- --nocapture

## install: the program, optimised, where cargo puts programs
install:
	$(CARGO) install --path . --locked

## check: what CI checks beyond the tests
check:
	$(CARGO) fmt --check
	$(CARGO) clippy --quiet --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --quiet --no-deps --document-private-items

tools:
	@scripts/browser
