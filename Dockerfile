# One image for web, worker, ticker, beat and Flower; docker-compose.yml says which of them a container is.
FROM python:3.12.12-slim-bookworm AS build
WORKDIR /build
COPY requirements.txt .
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt

FROM python:3.12.12-slim-bookworm
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin smartlock
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 STATIC_ROOT=/app/static
COPY --from=build /venv /venv
WORKDIR /app
COPY . .
# The settings refuse to load without secrets; these are made up for this one command and are nowhere in the image.
RUN python -m deploy.production python manage.py collectstatic --noinput --verbosity 0 \
    && python -m compileall -q -j 0 /app
USER 10001:10001
EXPOSE 8000
CMD ["granian", "--interface", "wsgi", "--http", "1", "--no-ws", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", \
     "--blocking-threads", "16", "smartlock.wsgi:application"]
