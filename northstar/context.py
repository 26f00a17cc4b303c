"""What every template knows."""

from django.http import HttpRequest


def nonce(request: HttpRequest) -> dict[str, str]:
    """`csp_nonce`, for inline scripts: `<script nonce="{{ csp_nonce }}">`."""
    return {"csp_nonce": getattr(request, "csp_nonce", "")}
