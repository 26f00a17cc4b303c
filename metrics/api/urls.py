"""Routes of the API, listed in owners/routes.py under `api:`."""

from django.urls import path

from metrics.api import schema as schema  # registers itself
from metrics.api import views

app_name = "api"
urlpatterns = [
    path("metrics/", views.Metrics.as_view(), name="metrics"),
    path("values/", views.Values.as_view(), name="values"),
    path("entries/", views.Entries.as_view(), name="entries"),
    path("targets/", views.Targets.as_view(), name="targets"),
    path("leaders/", views.Leaders.as_view(), name="leaders"),
    path("schema/", views.Schema.as_view(), name="schema"),
    path("docs/", views.Docs.as_view(url_name="api:schema"), name="docs"),
]
