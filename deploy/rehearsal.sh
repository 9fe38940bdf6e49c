#!/usr/bin/env bash
# Rehearses an event: deploy/rehearsal.sh small|whole PROGRAM DIR. Fifteen relays, two days with changes between them (a
# port, a flag, a version, a relay that is down, one that dies, one that broke), then report with history, compare and
# badges, and what an organiser asks of them. small takes half a minute and needs no other stack; whole takes minutes
# and wants Chromium, MOQ_PEERS and MOQ_NET: the folders of the stacks that .ci/run installs.
set -euo pipefail
size=${1:?small or whole}
program=$(realpath "${2:?the program}")
dir=$(mkdir -p "${3:?a new folder}" && cd "$3" && pwd)
cd "$(dirname "$0")/.."
export REHEARSAL_TOKEN=only-for-guests-7f3a
page=24461 # the port of the page that publishes and subscribes
running=()
trap 'kill "${running[@]}" 2>/dev/null || true' EXIT

case $size in
  small)
    what=(--draft 18 --test "setup-only,fetch,subscribe-error,pub-sub" --client builtin --client builtin-to-builtin --pairs)
    for name in reference drops corrupts zero late wordy few ported flagged versioned token absent dying; do
      what+=(--relay "$name")
    done ;;
  whole)
    what=(--draft "14,16,18")
    : "${MOQ_PEERS:?the folder of the stacks}" "${MOQ_NET:?the folder of @moq/net}"
    NODE_PATH=$MOQ_NET/node_modules "$MOQ_NET/node_modules/.bin/esbuild" internal/browser/testdata/net.js --bundle \
      --format=iife --outfile="$dir/net.js" --log-level=warning
    "$MOQ_PEERS/bin/python" deploy/rehearsal_net.py page "$page" "$dir/net.js" & running+=($!)
    for _ in {1..100}; do # the page reports once that it is open
      if [ "$(curl -s -o "$dir/page.json" -w '%{http_code}' "http://127.0.0.1:$page/reports/page")" = 200 ]; then break; fi
      sleep 0.1
    done
    grep -q open "$dir/page.json" ;;
  *) echo "want small or whole" >&2; exit 2 ;;
esac

# day NAME PORT RELAYFLAG VERSION JOBS DYING FETCH: the catalogue of a day, and its run.
day() {
  sed -e "s|@PORT@|$2|g" -e "s|@RELAYFLAG@|$3|" -e "s|@VERSION@|$4|" -e "s|@JOBS@|$5|" -e "s|@DYING@|$6|" \
    -e "s|@FETCH@|$7|" -e "s|@PAGE@|$page|g" deploy/rehearsal.json > "$dir/$1.json"
  "$program" relays validate "$dir/$1.json"
  code=0
  "$program" matrix run --relays "$dir/$1.json" "${what[@]}" --qlog --report --quiet --dir "$dir/results/$1" \
    > "$dir/$1.txt" || code=$?
  if [ "$code" != 1 ]; then # some relays have faults
    echo "day $1 ended with $code"; cat "$dir/$1.txt"; exit 1
  fi
}
# says FILE PATTERN: the file has a line like that.
says() {
  if ! grep -Eq "$2" "$1"; then
    echo "$1 does not say: $2"; head -c 5000 "$1"; exit 1
  fi
}

"$program" serve --addr 127.0.0.1:24460 --quiet & absent=$!
running+=("$absent")
day monday 24443 --max-connections=500 1.0 1 "" ""
kill "$absent"; wait "$absent" 2>/dev/null || true
day tuesday 24444 --max-connections=400 1.1 2 "(sleep 2; kill -9 \$\$) \& " "?fault=fetch-corrupt-payload"
"$program" report "$dir/results/tuesday" --history "$dir/results" > /dev/null
code=0
"$program" compare --slower-factor 1000 "$dir/results/monday" "$dir/results/tuesday" > "$dir/compare.txt" || code=$?
[ "$code" = 1 ] || { echo "compare ended with $code"; cat "$dir/compare.txt"; exit 1; }

# What broke, and in which layer? Ports, flags and versions hide nothing.
says "$dir/compare.txt" 'builtin/reference/main'
says "$dir/compare.txt" 'pass -> fail in data'
says "$dir/compare.txt" 'pass -> down'
if grep -Eq 'builtin/(ported|flagged|versioned)/' "$dir/compare.txt"; then
  echo "a port, a flag or a version looks like a change"; cat "$dir/compare.txt"; exit 1
fi
says "$dir/tuesday.txt" '^down \([0-9]+\):'
says "$dir/tuesday.txt" 'builtin/absent/main/draft-18/quic: the relay is down: udp: '
says "$dir/tuesday.txt" 'dying/main/.*: the relay died (in|after) '
run=$dir/results/tuesday/run.json
says "$run" '"relay_version":"[^"]*relay 1\.1'
says "$run" '"id":"builtin/token/main/draft-18/quic".*"status":"pass"'
says "$dir/results/tuesday/index.html" 'Since monday'
says "$dir/results/tuesday/index.html" '\.\./monday/index\.html'
[ "$(readlink "$dir/results/latest")" = tuesday ]
[ -n "$(ls "$dir/results/tuesday/badges")" ]
# Show me the packets: the diagram and the qlog of the case that broke are there.
ls "$dir"/results/tuesday/cells/builtin/reference/main/*.fetch.svg > /dev/null
says "$run" '"files":\["cells/builtin/reference/main/draft-18-quic\.fetch\.svg","cells/[^"]*qlog/[^"]*'
# Cells of three, with a page of @moq/net at either end.
if [ "$size" = whole ]; then
  for pair in builtin-to-net net-to-builtin net-to-net; do
    for relay in moq-rs/main/draft-14 moq-rs/main/draft-16 versioned/main/draft-18; do
      says "$run" "\"id\":\"$pair/$relay/webtransport\".*\"status\":\"pass\""
    done
  done
fi
# Nobody reads the token.
if grep -rq "$REHEARSAL_TOKEN" "$dir/results"; then
  echo "the token stands in:"; grep -rl "$REHEARSAL_TOKEN" "$dir/results"; exit 1
fi
# Run it again: the line that the page gives does the same.
line=$(grep -Eo '"name":"fetch","status":"fail".*' "$run" |
  grep -Eo '"command":"moq-interop-client -r [^"]*-t fetch"' | head -1 | cut -d'"' -f4)
code=0
mkdir -p "$dir/bin" && ln -sf "$program" "$dir/bin/moq-interop-client"
(cd "$dir" && PATH="$dir/bin:$PATH" bash -c "$line") > "$dir/again.tap" || code=$?
[ "$code" = 1 ] || { echo "again: $code: $line"; exit 1; }
grep -E '^tuesday: ' "$dir/tuesday.txt"
echo "the rehearsal is over: $dir/results/latest/index.html"
