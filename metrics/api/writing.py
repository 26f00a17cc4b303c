"""The answer to a batch of figures: entered once, by its sender's right, or refused row by row."""

from typing import Any, cast

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from metrics.api import batch
from metrics.services import idempotency
from metrics.services.batches import BatchRefused, Fault, enter_batch
from metrics.services.entries import EntryOutcome
from owners.models import ApiToken, User

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
COUNTS = ("added", "changed", "removed", "unchanged")
RETRY_SECONDS = 5
OUTCOME = {
    "type": "object",
    "required": list(COUNTS),
    "properties": {name: {"type": "integer", "minimum": 0} for name in COUNTS},
    "description": "How many figures were new, changed, taken away, or there already.",
}


def described(refusal: Any) -> Any:
    """The description of `POST values/`, every answer of it."""
    wrong = batch.PROBLEM
    return extend_schema(
        summary="Enter figures",
        description=(
            "Enters figures of manual metrics in one go: all of them, or none. Each metric asks for the "
            "right to enter its figures, which its owner and whoever counts it have; a token needs the scope "
            "`values:write`. What is there already is left alone, so a repeat changes nothing. With an "
            f"`{HEADER}` a repeat within 7 days gets the first answer again, whatever happened since."
        ),
        parameters=[
            OpenApiParameter(
                HEADER,
                {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
                OpenApiParameter.HEADER,
                description="A name of your own for this batch, such as a UUID; recommended.",
            ),
        ],
        request={"application/json": batch.BATCH},
        examples=[
            OpenApiExample(
                "Two metrics",
                value=[
                    {"metric": "nps", "period_start": "2026-03-01", "value": 41, "note": "survey of 300"},
                    {"metric": "plans", "period_start": "2026-03-01", "numerator": 18, "denominator": 25},
                ],
                request_only=True,
            )
        ],
        responses={
            200: OpenApiResponse(OUTCOME, description=f"Entered; `{REPLAYED}: true` marks a repeat."),
            400: OpenApiResponse(wrong, description="This is not a batch of figures."),
            401: OpenApiResponse(refusal, description="Neither a token in force nor a session."),
            403: OpenApiResponse(refusal, description="The token lacks the scope, or the form its token."),
            409: OpenApiResponse(
                wrong,
                description=f"A figure is not as `expected`, or this {HEADER} is still being worked on.",
            ),
            413: OpenApiResponse(wrong, description="Too many bytes for one request."),
            415: OpenApiResponse(refusal, description="The body must be application/json."),
            422: OpenApiResponse(
                wrong,
                description=f"Figures are refused, row by row, or the {HEADER} was used for another batch.",
            ),
            429: OpenApiResponse(refusal, description="Too many requests; Retry-After says when to go on."),
        },
    )


def answer(request: Request) -> Response:
    """Enters the batch of a request, once for each of its names."""
    key = request.headers.get(HEADER)
    if key is not None and not batch.KEY.fullmatch(key):
        return _refused(400, f"An {HEADER} has 1 to 200 visible ASCII characters.")
    body = request.data
    person = cast(User, request.user)  # the door lets in no stranger
    token = request.auth if isinstance(request.auth, ApiToken) else None
    now = timezone.now()

    def act() -> dict[str, int]:
        among = token.metric_keys or None if token else None
        outcomes = enter_batch(lines, author=person, origin="api", among=among, now=now)
        total = sum(outcomes.values(), EntryOutcome())
        return {name: getattr(total, name) for name in COUNTS}

    try:
        lines = batch.read(body)
        if key is None:
            return Response(act())
        said, repeated = idempotency.once(person, token, key, idempotency.hash_of(lines), act, now=now)
        return Response(said, headers={REPLAYED: "true"} if repeated else None)
    except batch.Malformed as wrong:
        return _refused(400, wrong.detail, wrong.faults)
    except BatchRefused as refused:
        status = 409 if all(fault.conflict for fault in refused.faults) else 422
        count = len({fault.index for fault in refused.faults})
        words = (
            f"Nothing was entered: {count} of {len(lines)} figures {'is' if count == 1 else 'are'} refused."
        )
        return _refused(status, words, refused.faults)
    except idempotency.KeyReused:
        return _refused(422, f"This {HEADER} was used for another batch.")
    except idempotency.UnderWay:
        words = f"The batch of this {HEADER} is still being worked on."
        return _refused(409, words, headers={"Retry-After": str(RETRY_SECONDS)})


def _refused(
    status: int, detail: str, faults: tuple[Fault, ...] = (), headers: dict[str, str] | None = None
) -> Response:
    errors = [{"index": f.index, "field": f.field, "message": f.message} for f in faults]
    return Response({"detail": detail, "errors": errors}, status=status, headers=headers)
