FROM python:3.13-slim AS base
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
RUN useradd --system --create-home --home-dir /data northstar
COPY requirements.txt .
RUN pip install --no-cache-dir --require-hashes --requirement requirements.txt
COPY . .
# The static files belong to the image. The keys that this step generates for itself are thrown away.
ENV STATIC_ROOT=/app/staticfiles NORTHSTAR_DATA=/data BIND=0.0.0.0
RUN NORTHSTAR_DATA=/tmp/build python manage.py collectstatic --no-input --verbosity 0 && rm -rf /tmp/build
USER northstar
EXPOSE 8000
CMD ["python", "manage.py", "web"]
