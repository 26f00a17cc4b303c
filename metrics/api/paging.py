"""Pages of lists, by `limit` and `offset`. What makes no sense is refused, not guessed at."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.request import Request

LARGEST_OFFSET = 2**31 - 1


class Paging(LimitOffsetPagination):
    """`{count, next, previous, results}`; 100 a page, at most 1000."""

    default_limit = 100
    max_limit = 1000

    def paginate_queryset(
        self, queryset: QuerySet[Any] | Sequence[Any], request: Request, view: Any = None
    ) -> list[Any] | None:
        self.check(request, "limit", 1, self.max_limit)
        self.check(request, "offset", 0, LARGEST_OFFSET)
        return super().paginate_queryset(queryset, request, view)

    @staticmethod
    def check(request: Request, name: str, low: int, high: int) -> None:
        given = request.query_params.get(name)
        if given is None:
            return
        if not (given.isascii() and given.isdigit() and len(given) <= 10 and low <= int(given) <= high):
            raise ValidationError({name: [f"A whole number from {low} to {high}."]})

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        bounds = {"limit": (1, self.max_limit, self.default_limit), "offset": (0, LARGEST_OFFSET, 0)}
        words = {"limit": "How many lines a page has.", "offset": "How many lines to skip."}
        return [
            {
                "name": name,
                "in": "query",
                "required": False,
                "description": words[name],
                "schema": {"type": "integer", "minimum": low, "maximum": high, "default": default},
            }
            for name, (low, high, default) in bounds.items()
        ]
