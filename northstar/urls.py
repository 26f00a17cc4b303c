"""All routes. Each must have a line in the table of routes and roles, or a test fails."""

from django.urls import include, path

from northstar.health import health

handler400 = "northstar.errors.bad_request"

urlpatterns = [
    path("health/", health, name="health"),
    path("api/v1/", include("metrics.api.urls")),
    path("", include("owners.urls")),
    path("", include("metrics.urls")),
]
