# What a person types. Everything that is needed beyond a Rust toolchain, make, a C compiler and the package registries is
# installed by the targets themselves.
CARGO ?= cargo

.PHONY: demo test lint bench fixture bless clean-demo

# Builds, simulates a compromised tenant, judges it, prints the answer and names (or opens) the report.
# The dev profile brings a newcomer to the answer soonest (docs/adr/0004).
demo:
	$(CARGO) run --quiet -p reflexe -- demo

# Everything: unit tests, every case of every check through the real engine, whole runs of the binary.
test:
	$(CARGO) test --workspace --profile ci

# In the profile of the tests, so that macros and build scripts are compiled once for both.
lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --profile ci --quiet -- -D warnings

# Import and checks beside DuckDB, in the same run. BENCH_GB=10 for the long one.
bench:
	$(CARGO) build --release -p reflexe
	python3 -m venv target/bench-venv
	target/bench-venv/bin/pip install --quiet duckdb
	target/bench-venv/bin/python bench/run.py $(or $(BENCH_GB),1)

# Rewrites what speaks; the difference is the review.
bless:
	REFLEXE_BLESS=1 $(CARGO) test --workspace --profile ci

clean-demo:
	rm -rf reflexe-demo reflexe-case
