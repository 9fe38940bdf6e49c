# One image that is client or relay, as MOQT_ROLE says (client, when it says nothing).
#
#   docker build -t moq-interop-client .                                  nothing but the program
#   docker build -t moq-interop-client:shell --target shell .             a shell beside it, for those who check health with one
#   docker build -t moq-interop-client:full --build-arg TAGS= .           the program with all that a released one has
#
# It builds with BuildKit and without. BUILDER and SHELL_BASE name the images that it stands on, where others are at hand.
# The revision goes into the program (`versions` tells it), so the context needs .git; when it is a URL:
# --build-arg BUILDKIT_CONTEXT_KEEP_GIT_DIR=1.

ARG BUILDER=golang:1.26
ARG SHELL_BASE=busybox:1.37-musl

# BuildKit knows the platform that it runs on, and builds for others there. The older builder does not: "linux" alone is
# the machine's own.
FROM --platform=${BUILDPLATFORM:-linux} ${BUILDER} AS build
ARG TARGETOS
ARG TARGETARCH
# What the program goes without, to be small; deploy/image.sh says it.
ARG TAGS=small
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    deploy/image.sh -buildvcs=true -o /out/moq-interop-client && \
    { go version -m /out/moq-interop-client | grep vcs.revision || { echo "no revision: the context has no .git, or that of a worktree" >&2; exit 1; }; }
# CA certificates; and folders that whoever the container runs as can write to: a volume for mlog files of a relay, which
# writes none while nothing is mounted there; results of a matrix; and what is temporary.
RUN mkdir -p /out/etc/ssl/certs && cp /etc/ssl/certs/ca-certificates.crt /out/etc/ssl/certs/ && \
    mkdir -p /out/mlog /out/results /out/tmp && chmod 1777 /out/mlog /out/results /out/tmp
# The public runner asks `ss` which ports are bound. busybox has netstat, which says the same.
RUN mkdir -p /shell/bin && printf '#!/bin/sh\nexec netstat "$@"\n' > /shell/bin/ss && chmod 755 /shell/bin/ss

FROM scratch AS program
COPY --from=build /out /
ENV PATH=/:/bin
USER 65532:65532
EXPOSE 4443/udp
HEALTHCHECK --interval=5s --timeout=3s CMD ["/moq-interop-client", "healthcheck"]
ENTRYPOINT ["/moq-interop-client"]

FROM ${SHELL_BASE} AS busybox

FROM program AS shell
COPY --from=busybox /bin /bin
COPY --from=build /shell /

FROM program
