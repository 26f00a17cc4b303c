"""A connection as typed on its page. There is no field for free driver options, and none shows a password."""

import re
from typing import Any

from django import forms

from metrics.definitions.fields import parse_key
from metrics.definitions.sections import SSL_MODES

TAKEN = ("new",)  # addresses that pages have for themselves
REFERENCE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
MOST_FILES = 50
_SSL_WORDS = {
    "": "encrypted if the server can",
    "disable": "never encrypted",
    "allow": "only if the server insists",
    "prefer": "encrypted if the server can (prefer)",
    "require": "always encrypted",
    "verify-ca": "encrypted, certificate checked",
    "verify-full": "encrypted, certificate and name checked",
}


class KeyField(forms.CharField):
    """The key of something new: a lower-case word that no page's address needs."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=60, **kwargs)

    def clean(self, value: Any) -> str:
        text: str = super().clean(value)
        if not text and not self.required:
            return ""
        try:
            parse_key(text)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None
        if text in TAKEN:
            raise forms.ValidationError(f"“{text}” is the address of another page. Choose another key.")
        return text


class _Connection(forms.Form):
    """What all engines share; `options` is what the definitions file would say."""

    engine = ""
    OPTIONS: tuple[str, ...] = ()
    key = KeyField(label="Key", help_text="A short lower-case word that sources name it by, such as shop.")
    timeout = forms.FloatField(
        label="Longest statement, in seconds", required=False, min_value=1, max_value=86_400
    )
    row_cap = forms.IntegerField(
        label="Most rows of an answer", required=False, min_value=1, max_value=1_000_000_000
    )
    token = forms.CharField(required=False, max_length=80, widget=forms.HiddenInput)

    def __init__(self, *args: Any, key: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if key:
            del self.fields["key"]

    @property
    def options(self) -> dict[str, Any]:
        """The options in normal form, without the password."""
        given = {name: self.cleaned_data.get(name) for name in self.OPTIONS}
        said = {name: value for name, value in given.items() if value not in (None, "", {})}
        return {"engine": self.engine, **said}


class PostgresForm(_Connection):
    engine = "postgres"
    OPTIONS = ("host", "port", "database", "user", "sslmode", "schema", "timeout", "row_cap")

    host = forms.CharField(label="Host", max_length=200, help_text="A name or an address.")
    port = forms.IntegerField(label="Port", required=False, min_value=1, max_value=65_535)
    database = forms.CharField(label="Database", max_length=200)
    user = forms.CharField(
        label="User", max_length=200, help_text="A role that may only read, made for this purpose."
    )
    password = forms.CharField(
        label="Password",
        required=False,
        max_length=1_000,
        strip=False,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"}),
        help_text="Stored encrypted and never shown again. ${NAME} reads it from this system’s environment.",
    )
    sslmode = forms.ChoiceField(
        label="Encryption",
        required=False,
        choices=[(mode, _SSL_WORDS[mode]) for mode in ("", *SSL_MODES) if mode != "prefer"],
    )
    schema = forms.CharField(
        label="Schema",
        required=False,
        max_length=63,
        help_text="Where tables are looked up. Empty: the role’s own.",
    )

    def clean_host(self) -> str:
        return self._plain("host")

    def clean_database(self) -> str:
        return self._plain("database")

    def clean_user(self) -> str:
        return self._plain("user")

    def _plain(self, name: str) -> str:
        text: str = self.cleaned_data[name]
        if "${" in text:
            # Whoever chooses the host would read there what the variable holds.
            raise forms.ValidationError("Only a password is read from the environment.")
        return text

    def clean_password(self) -> str:
        text: str = self.cleaned_data["password"]
        if "${" in text and not REFERENCE.fullmatch(text):
            raise forms.ValidationError(
                "Write either the password or one reference such as ${SHOP_PASSWORD}."
            )
        if text != text.strip() or any(ord(letter) < 32 for letter in text):
            raise forms.ValidationError(
                "A password may not begin or end with a blank or hold control characters."
            )
        return text

    @property
    def typed_password(self) -> str:
        return str(self.cleaned_data.get("password") or "")


class DuckDBForm(_Connection):
    engine = "duckdb"
    OPTIONS = ("path", "files", "timeout", "row_cap")

    path = forms.CharField(
        label="DuckDB file", required=False, max_length=1_000, help_text="Opened for reading only."
    )
    files = forms.CharField(  # type: ignore[assignment]  # the uploads of a form are called so too
        label="Or Parquet and CSV files",
        required=False,
        max_length=60_000,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        help_text="One a line, as a table: orders = data/orders.parquet",
    )

    def clean_path(self) -> str:
        return self._plain(self.cleaned_data["path"])

    def clean_files(self) -> dict[str, str]:
        found: dict[str, str] = {}
        lines = [line.strip() for line in self.cleaned_data["files"].splitlines() if line.strip()]
        if len(lines) > MOST_FILES:
            raise forms.ValidationError(f"At most {MOST_FILES} files fit.")
        for line in lines:
            name, equals, path = (part.strip() for part in line.partition("="))
            if not (name and equals and path):
                raise forms.ValidationError(f"“{line[:80]}” is not written as table = path.")
            if name in found:
                raise forms.ValidationError(f"The table “{name[:80]}” stands here twice.")
            found[name] = self._plain(path)
        return found

    def _plain(self, text: str) -> str:
        if "${" in text:
            raise forms.ValidationError("Only a password is read from the environment.")
        if "\x00" in text or any(sign in text for sign in "*?["):
            raise forms.ValidationError("Write the path of one file, without a pattern.")
        return text

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if not self.errors and bool(given.get("path")) == bool(given.get("files")):
            raise forms.ValidationError("Name either a DuckDB file or Parquet and CSV files.")
        return given

    @property
    def typed_password(self) -> str:
        return ""


def spoken(form: forms.Form) -> list[str]:
    """What is wrong with a form, each with its field's name, for a place apart from the fields."""
    return [
        f"{form[name].label}: {error}" if name in form.fields else str(error)
        for name, errors in form.errors.items()
        for error in errors
    ]


ConnectionForm = PostgresForm | DuckDBForm
FORMS: dict[str, type[PostgresForm] | type[DuckDBForm]] = {"postgres": PostgresForm, "duckdb": DuckDBForm}


def initial(fields: dict[str, Any]) -> dict[str, Any]:
    """What stands in the form of a stored connection; no password."""
    shown = {name: value for name, value in fields.items() if name not in ("engine", "password")}
    if isinstance(shown.get("files"), dict):
        shown["files"] = "\n".join(f"{table} = {path}" for table, path in shown["files"].items())
    if shown.get("row_cap"):
        shown["row_cap"] = int(shown["row_cap"])
    return shown
