"""What a service refuses, put beside the field that it is about."""

from typing import TypeVar

from django import forms
from django.core.exceptions import ValidationError
from django.forms.utils import ErrorList

F = TypeVar("F", bound=forms.Form)


def add_errors(form: forms.Form, error: ValidationError) -> None:
    """Adds a service's ValidationError to a form that was valid; of unknown fields to the form as a whole."""
    if not hasattr(error, "error_dict"):
        form.add_error(None, error)
        return
    for field, errors in error.error_dict.items():
        form.add_error(field if field in form.fields else None, errors)


def refilled(refused: ValidationError, fresh: F) -> F:
    """What is stored now, with the words of the refusal: the writer had seen something else."""
    fresh.full_clean()
    fresh.errors["__all__"] = ErrorList(refused.messages)
    return fresh
