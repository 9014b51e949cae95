# The base by its tag; a digest pins it to the byte: --build-arg BASE_DIGEST=@sha256:…
ARG BASE_TAG=3.11-slim-bookworm
ARG BASE_DIGEST=

# The packages are installed in a stage of their own, so that the image holds neither pip's cache nor a compiler.
FROM python:${BASE_TAG}${BASE_DIGEST} AS packages
COPY requirements.lock /build/requirements.lock
RUN python -m venv --without-pip /opt/torana \
 && pip --python /opt/torana/bin/python install --no-cache-dir --disable-pip-version-check --require-hashes --no-deps -r /build/requirements.lock

# What the image is made of, as CycloneDX. The tool stays behind in this stage.
FROM python:${BASE_TAG}${BASE_DIGEST} AS bill
COPY requirements.lock requirements-sbom.lock /build/
RUN python -m venv --without-pip /opt/bill \
 && pip --python /opt/bill/bin/python install --no-cache-dir --disable-pip-version-check --require-hashes --no-deps -r /build/requirements-sbom.lock \
 && /opt/bill/bin/cyclonedx-py requirements --output-reproducible --output-format JSON --output-file /build/torana.cdx.json /build/requirements.lock

# Styles and scripts are collected and compressed once, here.
FROM packages AS application
WORKDIR /srv/torana
COPY . .
RUN mkdir static \
 && VAR_DIR=/build/var REDIS_URL=none /opt/torana/bin/python manage.py collectstatic --noinput --verbosity 0 \
 && /opt/torana/bin/python -m whitenoise.compress --quiet static \
 && /opt/torana/bin/python -m compileall -q . \
 && rm -rf requirements.lock requirements-sbom.lock \
 && chmod -R a+rX,go-w .

FROM python:${BASE_TAG}${BASE_DIGEST}
LABEL org.opencontainers.image.title="Torana" \
      org.opencontainers.image.description="An API gateway that is administered in Django admin"
RUN groupadd --system --gid 10001 torana \
 && useradd --system --uid 10001 --gid torana --home-dir /var/lib/torana --no-create-home --shell /usr/sbin/nologin torana \
 && install --directory --owner=torana --group=torana --mode=0700 /var/lib/torana
COPY --from=packages /opt/torana /opt/torana
COPY --from=application /srv/torana /srv/torana
COPY --from=bill /build/torana.cdx.json /usr/share/torana/torana.cdx.json
WORKDIR /srv/torana
# Nothing is written but below VAR_DIR, temporary files included: the root filesystem may be read-only.
ENV PATH=/opt/torana/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    GATEWAY_HOST=0.0.0.0 \
    GATEWAY_PORT=8000 \
    VAR_DIR=/var/lib/torana \
    TMPDIR=/var/lib/torana
USER 10001:10001
VOLUME /var/lib/torana
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"GATEWAY_PORT\"]}/health/live', timeout=2)"]
CMD ["python", "manage.py", "gateway", "serve"]
