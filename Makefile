.PHONY: demo setup check test test-all check-binary check-shaders check-backends web test-web python test-cluster test-peers test-hostile fuzz deny check-windows check-macos

# Explains an example photo with the bundled model.
demo:
	@tools/setup.sh run
	cargo run --profile demo -- explain examples/chelsea.png --output chelsea.gradcam.png
	@echo "Open chelsea.gradcam.png: the heat shows where the network saw the cat."

# Installs what the tests need.
setup:
	@tools/setup.sh test

# The fast loop: format, lints, dependency rules, unit tests, and every operation in the kernel variant `textures`.
check: setup deny
	rustfmt --edition 2024 --check $$(git ls-files '*.rs')
	cargo clippy --all-targets -- -D warnings
	cargo test --lib --test house --test public
	GRADCAM_TEST_VARIANT=textures cargo test --test ops --test gradients

# Licences, advisories, sources and duplicates of the dependencies. Installs cargo-deny, once.
deny:
	@command -v cargo-deny >/dev/null || cargo install --locked cargo-deny
	cargo deny --workspace --locked check

# Every test, on the software drivers if there is no graphics card.
test: setup
	cargo test

# Also the networks over 100 million parameters. Needs about ten gigabytes of memory and a few minutes.
test-all: test
	GRADCAM_TEST_GIANTS=1 cargo test --test zoo -- --nocapture

# Checks the size of the release binary and the libraries that it links.
check-binary:
	cargo build --release
	@tools/check_binary.sh target/release/gradcam

# Checks every variant of every shader with compilers independent of naga: spirv-val, glslangValidator, DXC (downloads 67 MB,
# once). For Metal's language g++ with a stand-in for Apple's headers replaces Apple's compiler.
check-shaders:
	@tools/check_shaders.sh

# Builds the page into web/dist.
web:
	@web/build.sh wasm

# Tests the page in Chromium and Firefox, and its npm packages.
test-web:
	@web/test.sh full

# Runs `gradcam verify` on every available software driver: two lavapipes, SwiftShader, OpenGL, OpenGL ES, and no driver.
check-backends:
	@tools/check_backends.sh

# Kills, bombs, a full disk, files that are no files, and 10,000 photos in a row: some minutes.
test-hostile: setup
	GRADCAM_KILLS=34 cargo test --test hostile -- --include-ignored --nocapture

# Feeds damaged files to everything that reads files, for so many seconds each. An hour: make fuzz SECONDS=3600.
SECONDS ?= 60
fuzz:
	@tools/fuzz.sh $(SECONDS)

# Builds the Python wheel, and tests it in fresh environments, without PyTorch and with it.
python:
	@python/test.sh wheel

# Explains photos with Ray Data on a cluster of two nodes on this machine, and kills workers meanwhile.
test-cluster:
	@python/test.sh wheel cluster

# Runs pytorch-grad-cam's and TorchCAM's own tests with the classes of the Python package.
test-peers:
	@python/test.sh wheel peers

# Builds gradcam for Windows and tests it under wine: on Vulkan, on OpenGL, and on DX12 with Microsoft's FXC.
check-windows:
	@tools/check_windows.sh

# Checks that gradcam compiles for macOS, and that its kernels in Metal's language are right, on the CPU.
check-macos:
	@tools/check_macos.sh
