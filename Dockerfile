# syntax=docker/dockerfile:1
# JupyterLab and the workers of docker-compose.yml. Linted, but not built by the project's CI: it has no Docker engine.
FROM python:3.13-slim

ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1

WORKDIR /workbook
COPY requirements.lock ./
RUN pip install --require-hashes -r requirements.lock
COPY . .
RUN pip install --no-deps --no-build-isolation -e .

# The password goes from the secret's file into the environment of this one process: never into an argument list,
# which every user of the host can read, and never into the image.
COPY --chmod=0755 <<'SCRIPT' /usr/local/bin/with-redis
#!/bin/sh
set -eu
password=$(cat /run/secrets/redis_password)
export WORKBOOK_REDIS_URL="redis://:${password}@redis:6379/0"
exec "$@"
SCRIPT

RUN useradd --uid 1000 --create-home reader && chown reader notebooks
USER reader
ENTRYPOINT ["with-redis"]
CMD ["workbook", "worker"]
