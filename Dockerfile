# What runs has an interpreter and certificates, no shell and no package manager.
# To pin both stages: --build-arg BUILD_DIGEST=@sha256:... --build-arg BASE_DIGEST=@sha256:...
ARG BUILD_DIGEST=""
ARG BASE_DIGEST=""

# Debian's own Python, as in the second stage: the environment that is made here finds
# the same interpreter there.
FROM debian:12-slim${BUILD_DIGEST} AS build
# hadolint ignore=DL3008 # a pinned version leaves the archive with the next security fix
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
# pip stays in an environment of its own: what runs has only what it needs.
# By its full name: the second stage promises no other.
RUN python3.11 -m venv /opt/pip \
    && python3.11 -m venv --without-pip /opt/nats-idle-exporter
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY tests/requirements.lock tests/
COPY nats_idle_exporter/ nats_idle_exporter/
RUN /opt/pip/bin/pip --python /opt/nats-idle-exporter/bin/python install \
    --no-cache-dir --constraint tests/requirements.lock '.[nats]' \
    && /opt/nats-idle-exporter/bin/python -m compileall -q /opt/nats-idle-exporter/lib \
    && mkdir /state

FROM gcr.io/distroless/python3-debian12:nonroot${BASE_DIGEST}
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="nats-idle-exporter" \
      org.opencontainers.image.description="Prometheus exporter that proves which NATS accounts nobody uses" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /opt/nats-idle-exporter /opt/nats-idle-exporter
COPY --from=build --chown=65532:65532 /state /var/lib/nats-idle-exporter
ENV PATH="/opt/nats-idle-exporter/bin:${PATH}" \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    STATE_DIRECTORY=/var/lib/nats-idle-exporter
# A volume, so that the rest may be read-only. It takes over the directory's owner.
VOLUME /var/lib/nats-idle-exporter
# A number, so that Kubernetes can see that it is not root.
USER 65532:65532
EXPOSE 7778
STOPSIGNAL SIGTERM
# Asks port 7778; with another --web.listen-address, give it here too.
HEALTHCHECK --interval=30s --timeout=10s --start-period=10s \
    CMD ["nats-idle-exporter", "--healthcheck"]
ENTRYPOINT ["nats-idle-exporter"]
