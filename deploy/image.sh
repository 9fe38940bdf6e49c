#!/bin/sh
# Builds the program of the image: deploy/image.sh -o FILE. It goes without what needs a screen or other tools: pictures
# of benches, bars on a terminal, decode --session, the page of web, and metrics with profiles, whose library is a tenth of
# the program. TAGS= builds it with all of them. What waits for peers anyway is not inlined, which makes it smaller by a
# megabyte; what carries objects is.
set -eu
us=github.com/moqinterop/moq-interop-client
tags=${TAGS-small}
case $tags in
  *small*) ;;
  *)
    GOOS='' GOARCH='' go run ./cmd/moq-interop-client web --out internal/web/built
    tags="$tags page" ;;
esac
set -- -trimpath -tags "$tags" -ldflags="-s -w" "$@"
for slow in "$us/cases" "$us/moqt/rules" "$us/runner/..." "$us/cmd/..." "$us/internal/probe" "$us/internal/tools" \
  "$us/internal/badpath" "$us/internal/bench/turns" "$us/relays" github.com/alecthomas/kong/... \
  github.com/goccy/go-yaml/... github.com/quic-go/quic-go/http3/... github.com/quic-go/quic-go/qlog/... net/http/... \
  text/... html/... regexp/... encoding/xml encoding/asn1 crypto/x509/... log/slog/... mime/... math/big go/... \
  compress/... net/url os/... crypto/tls encoding/json golang.org/x/text/... vendor/...; do
  set -- -gcflags="$slow=-l" "$@"
done
exec go build "$@" ./cmd/moq-interop-client
