# Builds the operator's image, with docker or buildah: `npm run image` does it, docs/image.md describes it. Both base images are build
# arguments, so that a digest or a mirror can take their place.
ARG BUILDER=docker.io/library/node:24-bookworm-slim
ARG BASE=gcr.io/distroless/nodejs24-debian12:latest

# The bundle is the same on every platform, so it is built on the one that is there.
FROM --platform=$BUILDPLATFORM $BUILDER AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
# A registry that needs a login or a CA of its own: both are mounted, and in no layer. No package's script runs; esbuild needs none.
RUN --mount=type=secret,id=npmrc --mount=type=secret,id=ca \
    NPM_CONFIG_USERCONFIG=/run/secrets/npmrc npm ci --ignore-scripts --no-update-notifier
COPY LICENSE tsconfig.json ./
COPY src src
COPY tools/build tools/build
ARG SOURCE_DATE_EPOCH
RUN npm run build -- --operator

FROM $BASE
ARG BASE
ARG VERSION=
ARG REVISION=
ARG CREATED=
LABEL org.opencontainers.image.title="tinycert-operator" \
      org.opencontainers.image.description="Kubernetes operator for certificates from TinyCert and CAcert" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/tinycert-operator/tinycert-operator" \
      org.opencontainers.image.documentation="https://github.com/tinycert-operator/tinycert-operator/tree/main/docs" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED" \
      org.opencontainers.image.base.name="$BASE"
COPY LICENSE /app/
COPY --from=build /src/dist/ /app/
# Each arena of glibc keeps what was freed in it, and Node has a thread for each of several.
ENV NODE_ENV=production MALLOC_ARENA_MAX=1
USER 65532:65532
EXPOSE 8080 8081
# Small heaps, and none that is larger than half of the container's memory: docs/adr/0020-image.md has the figures. What is in
# NODE_OPTIONS counts too, but these flags come before it.
ENTRYPOINT ["/nodejs/bin/node", "--max-old-space-size-percentage=50", "--max-semi-space-size=2", "--optimize-for-size", "/app/operator.js"]
