.PHONY: demo setup test test-all check-binary

# Explains an example photo with the bundled model.
demo:
	@tools/setup.sh run
	cargo run --release -- explain examples/chelsea.png --output chelsea.gradcam.png
	@echo "Open chelsea.gradcam.png: the heat shows where the network saw the cat."

# Installs what the tests need.
setup:
	@tools/setup.sh test

# Every test, on the software drivers if there is no graphics card.
test: setup
	cargo test
	cargo test --features shaders-from-disk --test mutants

# The networks over 100 million parameters too: some ten gigabytes of memory, some minutes.
test-all: test
	GRADCAM_TEST_GIANTS=1 cargo test --test zoo -- --nocapture

# The promises about the release binary: size, and what it is linked with.
check-binary:
	cargo build --release
	@tools/check_binary.sh target/release/gradcam
