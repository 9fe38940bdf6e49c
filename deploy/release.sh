#!/usr/bin/env bash
# Builds what a release has: deploy/release.sh DIR. Static programs for three systems on two processors each, and SHA256SUMS.
# Each has the page of `web` inside.
# The names have no version, so that releases/latest/download/NAME stays the same address.
set -euo pipefail
dir=$(mkdir -p "${1:?usage: deploy/release.sh DIR}" && cd "$1" && pwd)
cd "$(dirname "$0")/.."
# The page's program and the script that starts it, which are never committed, go into each program.
go run ./cmd/moq-interop-client web --out internal/web/built
names=()
for os in linux darwin windows; do
  for arch in amd64 arm64; do
    name=moq-interop-client_${os}_$arch
    if [ "$os" = windows ]; then name=$name.exe; fi
    CGO_ENABLED=0 GOOS=$os GOARCH=$arch go build -trimpath -buildvcs=true -tags page -ldflags="-s -w" -o "$dir/$name" ./cmd/moq-interop-client
    names+=("$name")
  done
done
cd "$dir"
sha256sum "${names[@]}" > SHA256SUMS
cat SHA256SUMS
