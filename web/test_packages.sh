#!/usr/bin/env bash
# Installs the npm packages into an empty folder, and runs them from a bundler and from a plain module in both browsers.
set -euo pipefail
cd "$(dirname "$0")/.."
tools/setup.sh npm
built=$(realpath "${CARGO_TARGET_DIR:-target}")
tests=$(realpath web/tests)
app=$(mktemp -d)
trap 'rm -rf "$app"' EXIT
web/pack.sh "$app"
cp web/tests/package/* web/tests/test.js examples/chelsea.png "$app"
cd "$app"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund ./*.tgz vite@5
npx vite build --logLevel error
for browser in firefox chromium; do
    echo "== bundled in $browser"
    "$built/tool/gradcam-web-tool" test $browser index.html dist "$app"
    echo "== a plain module in $browser"
    "$built/tool/gradcam-web-tool" test $browser plain.html "$app" "$tests"
done
