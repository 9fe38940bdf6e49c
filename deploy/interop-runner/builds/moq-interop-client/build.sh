#!/usr/bin/env bash
# Builds the images of both roles from source: build.sh [--ref REF | --local DIR] [--repo URL] [--target relay|client]
# What was built from what is written to .last-build.json and to stdout; everything else goes to stderr.
set -euo pipefail
name=moq-interop-client
repo=https://github.com/moqinterop/moq-interop-client
ref='' local='' targets='relay client'
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

fail() {
  echo "build.sh: $*" >&2
  exit 2
}
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h)
      sed -n '2,3s/^# //p' "${BASH_SOURCE[0]}"
      exit 0
      ;;
    --ref | --repo | --local | --target) [ -n "${2:-}" ] || fail "$1: missing value" ;;
    *) fail "unknown option: $1" ;;
  esac
  case $1 in
    --ref) ref=$2 ;;
    --repo) repo=$2 ;;
    --local) local=$2 ;;
    --target) targets=$2 ;;
  esac
  shift 2
done
if [ -n "$local" ] && [ -n "$ref" ]; then fail "--ref and --local: give one of them"; fi
for target in $targets; do
  case $target in relay | client) ;; *) fail "--target: $target is neither relay nor client" ;; esac
done

if [ -n "$local" ]; then
  source=$(cd "$local" && pwd) || fail "--local: no such folder: $local"
else
  source=$here/.sources/$name
  rm -rf "$source"
  mkdir -p "$here/.sources"
  git clone --quiet "$repo" "$source" >&2
  git -C "$source" checkout --quiet "${ref:-HEAD}" >&2
fi
commit=$(git -C "$source" rev-parse HEAD)
dirty=false
if [ -n "$(git -C "$source" status --porcelain)" ]; then dirty=true; fi

images='[]'
for target in $targets; do
  # The runner asks with a shell whether the relay is up.
  stage=program
  if [ "$target" = relay ]; then stage=shell; fi
  image=$name-$target:latest
  docker build --target "$stage" -t "$image" -f "$source/Dockerfile" "$source" >&2
  images=$(jq -c --arg target "$target" --arg image "$image" '. + [{target: $target, image: $image}]' <<<"$images")
done

jq -n --arg name "$name" --arg time "$(date -u +%Y-%m-%dT%H:%M:%SZ)" --arg runner "$(git -C "$here" rev-parse HEAD 2>/dev/null || echo unknown)" \
  --arg type "$([ -n "$local" ] && echo local || echo git)" --arg repo "$repo" --arg ref "${ref:-${local:+local}}" --arg path "$local" \
  --arg commit "$commit" --argjson dirty "$dirty" --argjson images "$images" '{
    implementation: $name, timestamp: $time, runner_commit: $runner,
    source: {type: $type, repository: $repo, ref: (if $ref == "" then "HEAD" else $ref end),
      local_path: (if $path == "" then null else $path end), commit: $commit, dirty: $dirty},
    images: $images
  }' | tee "$here/.last-build.json"
