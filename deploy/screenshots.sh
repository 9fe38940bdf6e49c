#!/usr/bin/env bash
# Renders the pictures of docs/event.md from a rehearsal: deploy/screenshots.sh DIR, the folder that deploy/rehearsal.sh
# has filled. Look at each before it is committed.
set -euo pipefail
run=$(realpath "${1:?the folder of a rehearsal}")/results/tuesday
cd "$(dirname "$0")/../docs/event"
profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT

# shot NAME WIDTH HEIGHT ADDRESS
shot() {
  chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --no-first-run --user-data-dir="$profile" \
    --window-size="$2,$3" --virtual-time-budget=5000 --screenshot="$PWD/$1.png" "file://$4" 2>/dev/null
}
shot wide 1200 1100 "$run/index.html"
shot cell 1200 900 "$run/index.html#cell/builtin/reference/main/draft-18/quic"
shot phone 390 900 "$run/index.html"
shot diagram 1130 880 "$run/cells/builtin/reference/main/draft-18-quic.fetch.svg"
shot rules 1420 420 "$run/rules/draft-18.html"
