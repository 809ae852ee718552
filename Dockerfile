# The image as `npm run image` makes it, for those who build with Docker or BuildKit:
#   docker build --build-arg KEYWARD_COMMIT="$(git rev-parse HEAD)" -t keyward:0.1.0 .
# Only the first stage needs the network: npm's packages and Debian's. See docs/image.md.

FROM node:24-bookworm AS build
# The history stays outside; these say what `keyward version` tells.
ARG KEYWARD_COMMIT=""
# pinned or newest; see --libraries of npm run image.
ARG LIBRARIES="pinned"
WORKDIR /src
COPY . .
RUN KEYWARD_COMMIT="$KEYWARD_COMMIT" npm run image -- --libraries "$LIBRARIES" --tree /image

FROM scratch
# BuildKit leaves owners and modes as they are, which one folder for data depends on.
COPY --from=build /image/ /
# Docker cannot take these from a file: a test compares them with tools/image/run.ts.
ENV PATH=/usr/bin HOME=/var/lib/keyward MALLOC_ARENA_MAX=1 MALLOC_TRIM_THRESHOLD_=131072 MALLOC_MMAP_THRESHOLD_=32768
USER 65532:65532
ENTRYPOINT ["/usr/bin/node", "--expose-gc", "--max-semi-space-size=8", "--single-threaded-gc", "--heap-growing-percent=100", "/usr/lib/keyward/keyward.js"]
