"""Accounts and people. Of django-allauth only the pages in use are listed, under the names it looks up."""

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from django.urls import path, re_path

from owners.views import account as own
from owners.views import (
    channels,
    leaders,
    leave,
    links,
    notices,
    passkeys,
    people,
    sessions,
    sso,
)

urlpatterns = [
    path("account/", own.account, name="account"),
    path("account/sessions/", sessions.sessions, name="account_sessions"),
    path("account/sessions/<int:pk>/end/", sessions.end, name="account_session_end"),
    path("account/sessions/end/", sessions.end_others, name="account_sessions_end"),
    path("account/sso/", sso.begin, name="account_sso"),
    path("account/sso/callback/", sso.callback, name="account_sso_callback"),
    path("account/login/", own.SignIn.as_view(), name="account_login"),
    path("account/logout/", account.logout, name="account_logout"),
    path("account/inactive/", account.account_inactive, name="account_inactive"),
    path("account/reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("account/password/change/", account.password_change, name="account_change_password"),
    path("account/password/set/", account.password_set, name="account_set_password"),
    path("account/password/reset/", account.password_reset, name="account_reset_password"),
    path("account/password/reset/done/", account.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^account/password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path(
        "account/password/reset/key/done/",
        account.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    path("account/2fa/", mfa.index, name="mfa_index"),
    path("account/2fa/authenticate/", passkeys.SecondFactor.as_view(), name="mfa_authenticate"),
    path("account/2fa/reauthenticate/", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("account/2fa/totp/activate/", totp.activate_totp, name="mfa_activate_totp"),
    path("account/2fa/totp/deactivate/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("account/passkeys/", webauthn.list_webauthn, name="mfa_list_webauthn"),
    path("account/passkeys/add/", passkeys.AddPasskey.as_view(), name="mfa_add_webauthn"),
    path("account/passkeys/sign-in/", webauthn.login_webauthn, name="mfa_login_webauthn"),
    path("account/passkeys/confirm/", webauthn.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
    path("account/passkeys/<int:pk>/name/", webauthn.edit_webauthn, name="mfa_edit_webauthn"),
    path("account/passkeys/<int:pk>/remove/", webauthn.remove_webauthn, name="mfa_remove_webauthn"),
    path("account/2fa/codes/", recovery.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("account/2fa/codes/generate/", recovery.generate_recovery_codes, name="mfa_generate_recovery_codes"),
    path("account/2fa/codes/download/", recovery.download_recovery_codes, name="mfa_download_recovery_codes"),
    path("account/first/<str:secret>/", links.first, name="account_first"),
    path("account/join/<str:secret>/", links.join, name="account_join"),
    path("account/notices/", notices.notices, name="account_notices"),
    path("account/notices/hook/", notices.hook, name="account_hook"),
    path("account/notices/hook/test/", notices.hook_test, name="account_hook_test"),
    path("account/notices/hook/remove/", notices.hook_remove, name="account_hook_remove"),
    path("n/<str:token>/", notices.unsubscribe, name="unsubscribe"),
    path("settings/channels/", channels.channels, name="channels"),
    path("settings/channels/<int:pk>/", channels.channel, name="channel"),
    path("settings/channels/<int:pk>/test/", channels.test, name="channel_test"),
    path("settings/channels/<int:pk>/remove/", channels.remove, name="channel_remove"),
    path("settings/people/", people.people, name="people"),
    path("settings/people/invite/", people.invite, name="people_invite"),
    path("settings/people/leaders/", leaders.teams, name="teams"),
    path("settings/people/leaders/new/", leaders.new, name="leader_new"),
    path("settings/people/leaders/<slug:key>/", leaders.edit, name="leader_edit"),
    path("settings/people/leaders/<slug:key>/restore/", leaders.restore, name="leader_restore"),
    path("settings/people/teams/new/", leaders.new_team, name="team_new"),
    path("settings/people/teams/<slug:key>/", leaders.team, name="team"),
    path("settings/people/teams/<slug:key>/archive/", leaders.archive_team, name="team_archive"),
    path("leaders/<slug:key>/leave/", leave.leave, name="leader_leave"),
    path("leaders/<slug:key>/leave/<int:pk>/", leave.change, name="leader_leave_change"),
    path("leaders/<slug:key>/leave/<int:pk>/cancel/", leave.cancel, name="leader_leave_cancel"),
    path("settings/people/<int:pk>/role/", people.role, name="people_role"),
    path("settings/people/<int:pk>/active/", people.active, name="people_active"),
    path("settings/people/<int:pk>/sessions/", people.sessions, name="people_sessions"),
    path("settings/people/<int:pk>/link/", people.link, name="people_link"),
]
