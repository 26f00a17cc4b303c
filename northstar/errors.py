"""What somebody is told whose request is not read at all: Django's own page would say that the address is
wrong, where it is the size."""

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse
from django.template import loader


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The page of 400, drawn without the request, which may have no session and no person yet."""
    said = {}
    if isinstance(exception, RequestDataTooBig):
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE / 1024**2
        said["words"] = f"What was typed or pasted is larger than {most:g} MB. Send it in parts or as a file."
    elif isinstance(exception, TooManyFieldsSent | TooManyFilesSent):
        said["words"] = "It has more fields than are read at once. Send it in parts or as a file."
    if said:
        said["heading"] = "This is too much at once"
    return HttpResponse(loader.get_template("400.html").render(said), status=400)
