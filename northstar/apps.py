from django.apps import AppConfig


class NorthstarConfig(AppConfig):
    name = "northstar"
