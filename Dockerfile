# mockchat as a container: docker build -t mockchat . && docker run --rm -p 127.0.0.1:4010:4010 mockchat
# Options of `mockchat serve` stand behind the image's name.
FROM python:3.13-slim AS build
WORKDIR /src
COPY . .
RUN python -m venv /opt/mockchat && /opt/mockchat/bin/pip install --no-cache-dir ".[serve,redis]"

FROM python:3.13-slim
RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin mockchat
COPY --from=build /opt/mockchat /opt/mockchat
ENV PATH=/opt/mockchat/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
EXPOSE 4010
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["python", "-c", "import http.client as h; c = h.HTTPConnection('127.0.0.1', 4010, timeout=2); c.request('OPTIONS', '*'); raise SystemExit(c.getresponse().status != 204)"]
ENTRYPOINT ["mockchat", "serve", "--host", "0.0.0.0"]
