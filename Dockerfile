# The API and the worker of a production installation: one image, two commands.
FROM python:3.13-slim AS build
COPY requirements.lock /tmp/
RUN python -m venv /opt/filieres \
 && /opt/filieres/bin/pip install --no-cache-dir --require-hashes -r /tmp/requirements.lock

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /srv/filieres --create-home filieres \
 && install -d -o filieres /var/lib/filieres
COPY --from=build /opt/filieres /opt/filieres
WORKDIR /srv/filieres
COPY directory directory
COPY search search
COPY migrations migrations
ENV PATH=/opt/filieres/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    HOST=0.0.0.0 PORT=8000 VAR_DIR=/var/lib/filieres
USER filieres
EXPOSE 8000
VOLUME /var/lib/filieres
ENTRYPOINT ["python", "-m", "directory"]
CMD ["serve"]
