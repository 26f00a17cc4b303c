"""All routes. Each must have a line in the table of routes and roles, or a test fails."""

from django.urls import include, path

urlpatterns = [
    path("account/", include("allauth.urls")),
]
