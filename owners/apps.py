from django.apps import AppConfig


class OwnersConfig(AppConfig):
    name = "owners"

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_in

        from owners.services import sessions

        user_logged_in.connect(sessions.begin, dispatch_uid="owners.sessions")
