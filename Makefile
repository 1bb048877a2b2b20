.PHONY: demo setup check test test-all check-binary check-shaders check-backends

# Explains an example photo with the bundled model.
demo:
	@tools/setup.sh run
	cargo run --release -- explain examples/chelsea.png --output chelsea.gradcam.png
	@echo "Open chelsea.gradcam.png: the heat shows where the network saw the cat."

# Installs what the tests need.
setup:
	@tools/setup.sh test

# The fast loop: format, lints, the house's rules, units, and every operation in the kernel variant `textures`.
check: setup
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings
	cargo test --lib --test house --test public
	GRADCAM_TEST_VARIANT=textures cargo test --test ops --test gradients

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

# Every variant of every shader by compilers that know nothing of naga: spirv-val, glslangValidator, DXC (67 MB, once),
# g++ for Metal's language, with a stand-in for Apple's headers instead of Apple's compiler.
check-shaders:
	@tools/check_shaders.sh

# `gradcam verify` on every software driver that can be had: two of lavapipe, SwiftShader, OpenGL, OpenGL ES, none.
check-backends:
	@tools/check_backends.sh
