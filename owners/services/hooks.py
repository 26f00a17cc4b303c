"""Messages to Slack, Teams and web hooks: apprise says how each wants them, our client carries them.

Only the plugins named here are used, and they are given parts of an address that were taken apart here:
apprise's own addresses can name files and servers to read templates from.
"""

import re
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from owners import outgoing
from owners.models import Channel
from owners.outgoing import Refused

SLACK = re.compile(
    r"https://hooks\.slack(-gov)?\.com/services/([A-Za-z0-9]+)/([A-Za-z0-9]+)/([A-Za-z0-9]+)/?"
)
TEAMS = re.compile(
    r"(?P<power>/powerautomate/automations/direct(?:/cu/(?P<routing>[0-9]+))?)?"
    r"/workflows/(?P<workflow>[A-Za-z0-9_-]+)/triggers/manual/paths/invoke/?"
)
MEANT_FOR = {
    Channel.Kind.SLACK: "https://hooks.slack.com/services/...",
    Channel.Kind.TEAMS: "https://....logic.azure.com/workflows/.../triggers/manual/paths/invoke?...&sig=...",
}


class NotTaken(Exception):
    """The other side did not take the message; the words hold no secret."""


@dataclass(frozen=True)
class Message:
    """What is sent. key: makes a repeat recognisable. url: of the page on our site, "" for none."""

    key: str
    kind: str
    subject: str
    body: str
    url: str = ""


@dataclass
class _Exchange:
    """One sending: the headers to add, and what came of it."""

    headers: Mapping[str, str]
    status: int | None = None
    refused: Refused | None = None
    failed: requests.RequestException | None = None


_exchange: ContextVar[_Exchange] = ContextVar("exchange")


class _Requests:
    """Stands where apprise's plugins look for the module `requests`: whatever they ask for goes through the
    outgoing client, and nothing else does."""

    codes = requests.codes
    RequestException = requests.RequestException

    def request(self, method: str, url: str, **kwargs: Any) -> requests.Response:
        exchange = _exchange.get()
        kwargs["headers"] = {**(kwargs.get("headers") or {}), **exchange.headers}
        try:
            with outgoing.Session() as session:
                response = session.request(method, url, **kwargs)
        except Refused as refused:
            exchange.refused = refused
            raise requests.RequestException("refused") from None
        except requests.RequestException as failed:
            exchange.failed = failed
            raise
        exchange.status = response.status_code
        return response

    def post(self, url: str, **kwargs: Any) -> requests.Response:
        return self.request("POST", url, **kwargs)


@cache
def _apprise() -> Any:
    """The library, loaded when it is first needed; its plugins may only send by our client. NotTaken if it
    is not installed."""
    try:
        import apprise
        from apprise.plugins import custom_json, slack, workflows
    except ImportError:
        raise NotTaken("Chat messages need the package apprise: install northstar[notify].") from None
    for plugin in (custom_json, slack, workflows):
        vars(plugin)["requests"] = _Requests()
    return apprise


def check(kind: str, url: str) -> None:
    """Whether this is the address of such a channel, and may be asked. Raises Refused, NotTaken."""
    _plugin(kind, url, Message("key", "test", "", ""))
    outgoing.check(url)


def host_of(url: str) -> str:
    """The part of an address that may be shown."""
    return (urlsplit(url).hostname or "")[:255]


def send(kind: str, url: str, message: Message) -> None:
    """Bring a message to a channel. Raises Refused, NotTaken."""
    outgoing.check(url)
    plugin = _plugin(kind, url, message)
    plugin.request_rate_per_sec = 0  # it would sleep; a channel that is asked too often says so
    ending = f"\n\n{message.url}" if message.url else ""
    text = f"{message.body}{ending}\n\n({message.key})"
    exchange = _Exchange({"Idempotency-Key": _ascii(message.key), "User-Agent": "North Star"})
    token = _exchange.set(exchange)
    try:
        taken = plugin.notify(body=_harmless(kind, text), title=_harmless(kind, message.subject))
    finally:
        _exchange.reset(token)
    if exchange.refused is not None:
        raise exchange.refused
    if exchange.failed is not None:
        raise NotTaken(_why(exchange.failed, host_of(url)))
    if not taken:
        raise NotTaken(_answered(exchange.status, host_of(url)))


def _plugin(kind: str, url: str, message: Message) -> Any:
    """apprise's plugin for an address, without what else such an address could say."""
    library = _apprise()
    asset = library.AppriseAsset(
        app_id="North Star", app_desc="North Star", app_url="", async_mode=False, secure_logging=True
    )
    makers: dict[str, Callable[[], Any]] = {
        Channel.Kind.SLACK: lambda: _slack(library, url, asset),
        Channel.Kind.TEAMS: lambda: _teams(library, url, asset),
        Channel.Kind.WEBHOOK: lambda: _webhook(library, url, message, asset),
    }
    return makers[kind]()


def _slack(library: Any, url: str, asset: Any) -> Any:
    found = SLACK.fullmatch(url)
    if found is None:
        raise Refused(f"A Slack address looks like this: {MEANT_FOR[Channel.Kind.SLACK]}")
    gov, *tokens = found.groups()
    from apprise.plugins.slack import NotifySlack

    return NotifySlack(
        token_a=tokens[0],
        token_b=tokens[1],
        token_c=tokens[2],
        mode="gov" if gov else "hook",
        include_image=False,
        include_footer=False,
        asset=asset,
    )


def _teams(library: Any, url: str, asset: Any) -> Any:
    parts = urlsplit(url)
    found, query = TEAMS.fullmatch(parts.path), parse_qs(parts.query)
    if found is None or not query.get("sig"):
        raise Refused(f"An address of Teams' workflows looks like this: {MEANT_FOR[Channel.Kind.TEAMS]}")
    from apprise.plugins.workflows import NotifyWorkflows

    return NotifyWorkflows(
        workflow=found["workflow"],
        signature=query["sig"][0],
        power_automate=bool(found["power"]),
        routing_id=found["routing"],
        version=query.get("api-version", [None])[0],
        include_image=False,
        host=parts.hostname,
        port=parts.port,
        secure=True,
        asset=asset,
    )


def _webhook(library: Any, url: str, message: Message, asset: Any) -> Any:
    parts = urlsplit(url)
    from apprise.plugins.custom_json import NotifyJSON

    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return NotifyJSON(
        host=f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname,
        port=parts.port,
        secure=parts.scheme == "https",
        fullpath=path,
        payload={"key": message.key, "kind": message.kind, "url": message.url, "attachments": ""},
        asset=asset,
    )


def _harmless(kind: str, text: str) -> str:
    """People's words call nobody and hide no link: what Slack and Teams read as commands becomes text."""
    if kind == Channel.Kind.SLACK:
        # Slack reads <!channel>, <@U1> and <https://evil|words> as commands, whatever surrounds them.
        return text.replace("<", "‹").replace(">", "›")
    if kind == Channel.Kind.TEAMS:
        text = text.replace("<", "‹").replace(">", "›")
        return re.sub(r"([\[\]`*_])", r"\\\1", text)
    return text


def _ascii(text: str) -> str:
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in text)


def _why(failed: requests.RequestException, host: str) -> str:
    """In words of our own: the exception's would hold the address."""
    if isinstance(failed, requests.exceptions.SSLError):
        return f"The certificate of {host} is not valid."
    if isinstance(failed, requests.exceptions.Timeout):
        return f"{host} did not answer in time."
    return f"{host} could not be reached."


def _answered(status: int | None, host: str) -> str:
    if status is None:
        return f"The message could not be put into {host}'s form."
    if 300 <= status < 400:
        return f"{host} answered {status}: it wants to send us elsewhere, which is not followed."
    if status in (401, 403, 404, 410):
        return f"{host} answered {status}: it does not know this address. Perhaps it was revoked."
    return f"{host} did not take the message: it answered {status}."
