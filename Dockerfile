# The packages are installed in a stage of their own, so that the image holds neither pip's cache nor a compiler.
FROM python:3.11-slim AS packages
COPY requirements.lock /requirements.lock
RUN python -m venv /opt/torana \
 && /opt/torana/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --no-deps -r /requirements.lock

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /srv/torana torana \
 && mkdir -p /srv/torana /var/lib/torana \
 && chown torana:torana /var/lib/torana
COPY --from=packages /opt/torana /opt/torana
WORKDIR /srv/torana
COPY . .
RUN python -m compileall -q .
ENV PATH=/opt/torana/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    GATEWAY_HOST=0.0.0.0 \
    GATEWAY_PORT=8000 \
    VAR_DIR=/var/lib/torana
USER torana
VOLUME /var/lib/torana
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"GATEWAY_PORT\"]}/health/live', timeout=2)"]
CMD ["python", "manage.py", "gateway", "serve"]
