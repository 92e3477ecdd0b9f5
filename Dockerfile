# The bot in a container; docs/deploying.md says how to build and run it.
# BASE is the Python that the tests run with. Give its digest (python:3.11-slim-bookworm@sha256:…) where every build
# has to be the same.
ARG BASE=docker.io/library/python:3.11-slim-bookworm

FROM ${BASE} AS build
RUN python3 -m venv /opt/venv
COPY requirements.txt /build/
# The lock file alone, with hashes, and nothing that runs code of its own to be installed.
RUN /opt/venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check \
        --require-hashes --only-binary :all: --requirement /build/requirements.txt
COPY bot /opt/app/bot
COPY handlers /opt/app/handlers
COPY knowledge /opt/app/knowledge
COPY storage /opt/app/storage
# Compiled here: nothing can be written where it runs.
RUN /opt/venv/bin/python -m compileall -q /opt/app && rm -rf /opt/venv/lib/python3*/site-packages/pip*

FROM ${BASE}
COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/app /opt/app
# The one place that is written to; /data must be a volume, or what people declared goes with the container.
RUN install -d -o 10001 -g 10001 -m 0700 /data
VOLUME /data
USER 10001:10001
WORKDIR /opt/app
ENV PATH=/opt/venv/bin:$PATH \
    HOME=/data \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DATABASE_URL=sqlite+aiosqlite:////data/bot.sqlite3 \
    HOST=0.0.0.0 \
    PORT=3000
EXPOSE 3000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/healthz', timeout=3)"]
ENTRYPOINT ["python", "-m", "bot"]
CMD ["serve"]
