"""Every route and method with the right that it asks for. What is not listed here is refused.

`PUBLIC` is open to all, `SIGNED_IN` to whoever is signed in. A `Right` is a line of the table in
owners/rules.py. Without `about` it is a matter of the role, and the door (northstar/middleware.py, for the
API `RoutePermission`) asks for it; with `about` it is a matter of one object, which the view loads first.

A view that is added needs a line here, under its route's name; tests walk the resolver and fail without it.
HEAD goes with GET.
"""

from dataclasses import dataclass

from owners.models import Scope


@dataclass(frozen=True)
class Right:
    """A permission of owners/rules.py, and the kind of object it is asked of ("": none)."""

    permission: str
    about: str = ""


@dataclass(frozen=True)
class Open:
    """No right is asked for but, unless `strangers` may come, to be signed in."""

    strangers: bool


PUBLIC = Open(strangers=True)
SIGNED_IN = Open(strangers=False)
Access = Open | Right

ROUTES: dict[str, dict[str, Access]] = {
    # Coming in. The two one-time links carry their own secret.
    "account_login": {"GET": PUBLIC, "POST": PUBLIC},
    "account_sso": {"GET": PUBLIC},  # answers 404 unless the operator has set a server
    "account_sso_callback": {"GET": PUBLIC},
    "account_logout": {"GET": PUBLIC, "POST": PUBLIC},
    "account_inactive": {"GET": PUBLIC},
    "account_reset_password": {"GET": PUBLIC, "POST": PUBLIC},
    "account_reset_password_done": {"GET": PUBLIC},
    "account_reset_password_from_key": {"GET": PUBLIC, "POST": PUBLIC},
    "account_reset_password_from_key_done": {"GET": PUBLIC},
    "account_first": {"GET": PUBLIC, "POST": PUBLIC},
    "account_join": {"GET": PUBLIC, "POST": PUBLIC},
    "mfa_login_webauthn": {"GET": PUBLIC, "POST": PUBLIC},
    "mfa_authenticate": {"GET": PUBLIC, "POST": PUBLIC},  # between password and second factor
    "unsubscribe": {"GET": PUBLIC, "POST": PUBLIC},  # carries its own signature
    "check_in_link": {"GET": PUBLIC, "POST": PUBLIC},  # carries its own signature, for one check-in
    "health": {"GET": PUBLIC},
    # One's own account.
    "account": {"GET": SIGNED_IN},
    "account_reauthenticate": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "account_change_password": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "account_set_password": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "account_sessions": {"GET": SIGNED_IN},
    "account_session_end": {"POST": SIGNED_IN},  # only one's own are found
    "account_sessions_end": {"POST": SIGNED_IN},
    "mfa_index": {"GET": SIGNED_IN},
    "mfa_reauthenticate": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "mfa_activate_totp": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "mfa_deactivate_totp": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "mfa_list_webauthn": {"GET": SIGNED_IN},
    "mfa_add_webauthn": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "mfa_edit_webauthn": {"GET": SIGNED_IN, "POST": SIGNED_IN},  # only one's own are found
    "mfa_remove_webauthn": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "mfa_reauthenticate_webauthn": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "mfa_view_recovery_codes": {"GET": SIGNED_IN},
    "mfa_generate_recovery_codes": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "mfa_download_recovery_codes": {"GET": SIGNED_IN},
    "account_notices": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "account_hook": {"POST": SIGNED_IN},
    "account_hook_test": {"POST": SIGNED_IN},
    "account_hook_remove": {"POST": SIGNED_IN},
    # Figures. A metric that a person may not see is answered as if there were none.
    "board": {"GET": SIGNED_IN},
    "find": {"GET": SIGNED_IN},
    "leaders": {"GET": SIGNED_IN},
    "leader": {"GET": SIGNED_IN},
    "leader_summary": {
        "GET": Right("leader.write_summary", "leader"),
        "POST": Right("leader.write_summary", "leader"),
    },
    "leader_leave": {
        "GET": Right("leader.set_leave", "leader"),
        "POST": Right("leader.set_leave", "leader"),
    },
    "leader_leave_change": {
        "GET": Right("leader.set_leave", "leader"),
        "POST": Right("leader.set_leave", "leader"),
    },
    "leader_leave_cancel": {"POST": Right("leader.set_leave", "leader")},
    "metrics": {"GET": SIGNED_IN},
    "metric": {"GET": Right("metric.read", "metric")},
    "metric_values": {
        "GET": Right("metric.enter_values", "metric"),
        "POST": Right("metric.enter_values", "metric"),
    },
    "new_metric": {"GET": Right("metric.define_manual"), "POST": Right("metric.define_manual")},
    "new_ratio": {"GET": Right("metric.define"), "POST": Right("metric.define")},
    "new_formula": {"GET": Right("metric.define"), "POST": Right("metric.define")},
    "new_conversion": {"GET": Right("metric.define"), "POST": Right("metric.define")},
    "metric_edit": {
        "GET": Right("metric.define_manual", "metric"),
        "POST": Right("metric.define_manual", "metric"),
    },
    "metric_owner": {"GET": Right("metric.set_owner", "metric"), "POST": Right("metric.set_owner", "metric")},
    "metric_owner_undo": {"POST": Right("metric.set_owner", "metric")},
    "metric_counted": {"POST": Right("metric.set_owner", "metric")},
    "metric_signals": {"GET": Right("metric.annotate", "metric"), "POST": Right("metric.annotate", "metric")},
    "metric_call": {"GET": Right("metric.check_in", "metric"), "POST": Right("metric.check_in", "metric")},
    "metric_deviation": {
        "GET": Right("metric.accept_deviation", "metric"),
        "POST": Right("metric.accept_deviation", "metric"),
    },
    "metric_deviation_ask": {
        "GET": Right("metric.check_in", "metric"),
        "POST": Right("metric.check_in", "metric"),
    },
    "metric_dispute": {
        "GET": Right("metric.dispute", "metric"),
        "POST": Right("metric.dispute", "metric"),
    },
    "disputes": {"GET": SIGNED_IN},
    "dispute_answer": {"POST": Right("dispute.answer", "dispute")},
    "dispute_withdraw": {"POST": Right("dispute.withdraw", "dispute")},
    # What is due from oneself.
    "me": {"GET": SIGNED_IN, "POST": Right("action.add")},
    "me_action": {"POST": Right("action.edit", "action")},
    "calibration": {"GET": SIGNED_IN},
    "action_new": {"GET": Right("action.add"), "POST": Right("action.add")},
    "action": {"GET": Right("action.edit", "action"), "POST": Right("action.edit", "action")},
    "metric_cadence": {
        "GET": Right("metric.set_cadence", "metric"),
        "POST": Right("metric.set_cadence", "metric"),
    },
    "metric_check_in": {
        "GET": Right("metric.enter_values", "metric"),
        "POST": Right("metric.enter_values", "metric"),
    },
    "metric_definition": {"GET": Right("metric.define"), "POST": Right("metric.define")},
    "metric_automate": {"GET": Right("metric.define"), "POST": Right("metric.define")},
    # A spreadsheet is its own person’s; each figure in it asks for the right to enter those of its metric.
    "import": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "import_preview": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "metric_held": {"POST": Right("metric.annotate", "metric")},
    "targets": {"GET": SIGNED_IN},
    "target_grid": {"GET": SIGNED_IN, "POST": Right("metric.set_target")},
    "target_rollover": {"POST": Right("metric.set_target")},
    "target": {"GET": Right("metric.read", "metric"), "POST": Right("metric.set_target", "metric")},
    "target_answer": {"POST": Right("metric.agree_target", "metric")},
    "target_decide": {"POST": Right("metric.decide_target", "metric")},
    # The first hour. A spreadsheet is found by who pasted it alone.
    "start": {"GET": Right("start.use")},
    "start_company": {"GET": Right("start.use"), "POST": Right("start.use")},
    "start_north_star": {"GET": Right("start.use"), "POST": Right("start.use")},
    "start_figures": {"GET": Right("start.use"), "POST": Right("start.use")},
    "start_sheet": {"GET": Right("start.use"), "POST": Right("start.use")},
    "start_sheet_back": {"POST": Right("start.use")},
    "start_targets": {"GET": Right("start.use"), "POST": Right("start.use")},
    "start_leaders": {"GET": Right("start.use"), "POST": Right("start.use")},
    "start_invitations": {"GET": Right("start.use"), "POST": Right("start.use")},
    # The machinery.
    "settings": {"GET": SIGNED_IN},
    "settings_sources": {"GET": Right("machinery.read")},
    "source_new": {"GET": Right("source.define"), "POST": Right("source.define")},
    "source": {"GET": Right("source.define"), "POST": Right("source.define")},
    "source_archive": {"POST": Right("source.define")},
    "source_metric": {"GET": Right("metric.define"), "POST": Right("metric.define")},
    "warehouses": {"GET": Right("warehouse.manage")},
    "warehouse_new": {"GET": Right("warehouse.manage"), "POST": Right("warehouse.manage")},
    "warehouse": {"GET": Right("warehouse.manage"), "POST": Right("warehouse.manage")},
    "warehouse_test": {"POST": Right("warehouse.manage")},
    "warehouse_archive": {"POST": Right("warehouse.manage")},
    "settings_updates": {"GET": Right("machinery.read")},
    "settings_recompute": {"POST": Right("metric.recompute")},
    "settings_audit": {"GET": Right("audit.read")},
    "settings_audit_csv": {"GET": Right("audit.read")},
    "return_target": {"GET": Right("metric.set_target"), "POST": Right("metric.set_target")},
    "return_plan": {"GET": Right("metric.set_target"), "POST": Right("metric.set_target")},
    "return_metric": {"GET": Right("metric.define"), "POST": Right("metric.define")},
    "return_source": {"GET": Right("source.define"), "POST": Right("source.define")},
    # Programs that use the API in somebody's name: one's own, for admins all.
    "tokens": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "token_revoke": {"POST": Right("token.revoke", "token")},
    "channels": {"GET": Right("installation.manage"), "POST": Right("installation.manage")},
    "channel": {"GET": Right("installation.manage"), "POST": Right("installation.manage")},
    "channel_test": {"POST": Right("installation.manage")},
    "channel_remove": {"POST": Right("installation.manage")},
    # People.
    "people": {"GET": Right("people.read")},
    "people_invite": {"POST": Right("people.invite")},
    "teams": {"GET": Right("people.leaders")},
    "leader_new": {"GET": Right("people.leaders"), "POST": Right("people.leaders")},
    "leader_edit": {"GET": Right("people.leaders"), "POST": Right("people.leaders")},
    "leader_archive": {"GET": Right("people.leaders"), "POST": Right("people.leaders")},
    "leader_restore": {"POST": Right("people.leaders")},
    "team_new": {"GET": Right("people.leaders"), "POST": Right("people.leaders")},
    "team": {"GET": Right("people.leaders"), "POST": Right("people.leaders")},
    "team_archive": {"POST": Right("people.leaders")},
    "people_role": {"POST": Right("people.manage")},
    "people_active": {"POST": Right("people.manage")},
    "people_link": {"POST": Right("people.renew", "person")},
    "people_revoke": {"POST": Right("people.renew", "person")},
    "people_second_factor": {"GET": Right("people.manage"), "POST": Right("people.manage")},
    "people_sessions": {"POST": Right("people.manage")},
    # The API. Lists hold only what their reader may see, and of a batch of figures each asks for the right to
    # enter those of its metric.
    "api:metrics": {"GET": SIGNED_IN},
    "api:values": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "api:entries": {"GET": SIGNED_IN},
    "api:targets": {"GET": SIGNED_IN},
    "api:leaders": {"GET": SIGNED_IN},
    "api:schema": {"GET": SIGNED_IN},
    "api:docs": {"GET": SIGNED_IN},
}

API = "api:"
# The scope that a token needs for a route of the API; what is not listed here no token opens.
SCOPES: dict[str, dict[str, Scope]] = {
    "api:metrics": {"GET": Scope.READ},
    "api:values": {"GET": Scope.READ, "POST": Scope.WRITE},
    "api:entries": {"GET": Scope.READ},
    "api:targets": {"GET": Scope.READ},
    "api:leaders": {"GET": Scope.READ},
    "api:schema": {"GET": Scope.READ},
}


def access(route: str, method: str) -> Access | None:
    """What `route` asks for by `method`; None if it is not listed."""
    return ROUTES.get(route, {}).get("GET" if method == "HEAD" else method)


def methods(route: str) -> list[str]:
    """The methods of a listed route, HEAD with GET; [] of an unlisted one."""
    listed = list(ROUTES.get(route, {}))
    return [*listed, "HEAD"] if "GET" in listed else listed


def scope(route: str, method: str) -> Scope | None:
    """The scope that a token needs for `route` by `method`; None: no token opens it."""
    return SCOPES.get(route, {}).get("GET" if method == "HEAD" else method)
