"""Pages of figures. Each is listed with its right in owners/routes.py."""

from django.urls import path

from metrics.views import (
    audit,
    board,
    entries,
    find,
    held,
    leaders,
    me,
    metrics,
    owner,
    settings,
    signals,
    targets,
    tokens,
)

urlpatterns = [
    path("", board.board, name="board"),
    path("find/", find.find, name="find"),
    path("leaders/", leaders.leaders, name="leaders"),
    path("leaders/<slug:key>/", leaders.leader, name="leader"),
    path("leaders/<slug:key>/summary/", leaders.summary, name="leader_summary"),
    path("me/", me.me, name="me"),
    path("me/actions/<int:pk>/", me.action, name="me_action"),
    path("me/<slug:key>/", me.metric, name="metric_check_in"),
    path("metrics/", metrics.metrics, name="metrics"),
    path("metrics/<slug:key>/", metrics.metric, name="metric"),
    path("metrics/<slug:key>/values/", entries.values, name="metric_values"),
    path("metrics/<slug:key>/owner/", owner.owner, name="metric_owner"),
    path("metrics/<slug:key>/signals/", signals.signals, name="metric_signals"),
    path("metrics/<slug:key>/held/", held.accept, name="metric_held"),
    path("targets/", targets.current, name="targets"),
    path("targets/<str:quarter>/", targets.grid, name="target_grid"),
    path("settings/", settings.settings, name="settings"),
    path("settings/sources/", settings.sources, name="settings_sources"),
    path("settings/updates/", settings.updates, name="settings_updates"),
    path("settings/updates/now/", settings.recompute, name="settings_recompute"),
    path("settings/tokens/", tokens.tokens, name="tokens"),
    path("settings/tokens/<int:pk>/revoke/", tokens.revoke, name="token_revoke"),
    path("settings/audit/", audit.page, name="settings_audit"),
    path("settings/audit/changes.csv", audit.export, name="settings_audit_csv"),
]
