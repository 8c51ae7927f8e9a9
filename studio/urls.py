"""URLs of the place: people, workspaces, computes. The work's are included from `sweeps`."""

from django.urls import include, path

from studio.views import (
    account,
    accounts,
    audit,
    computes,
    invitations,
    oidc,
    people,
    settings,
    workspaces,
)

handler500 = "studio.views.errors.server_error"

urlpatterns = [
    # First, for it is asked most: each route before it would be tried at every logged value.
    path("tracking/<str:ws>/", include("sweeps.gateway.urls")),
    path("relay/", include("sweeps.gateway.relay_urls")),
    path("accounts/login/", accounts.SignIn.as_view(), name="login"),
    path("accounts/logout/", accounts.SignOut.as_view(), name="logout"),
    path("accounts/link/<str:secret>/", accounts.sign_in_link, name="sign_in_link"),
    path("accounts/", account.account, name="account"),
    path("accounts/password/", account.password_change, name="password_change"),
    path("accounts/sessions/end", account.sessions_end, name="sessions_end"),
    path("accounts/sessions/<str:digest>/end", account.session_end, name="session_end"),
    path("accounts/tokens/<int:pk>/revoke", account.own_token_revoke, name="own_token_revoke"),
    path("accounts/oidc/", oidc.oidc_start, name="oidc_start"),
    path("accounts/oidc/callback/", oidc.oidc_callback, name="oidc_callback"),
    path("accounts/disconnect", oidc.oidc_disconnect, name="oidc_disconnect"),
    path("accounts/invitation/<str:secret>/", invitations.invitation, name="invitation"),
    # --- administrators ---
    path("people/", people.people, name="people"),
    path("people/<int:pk>/deactivate", people.person_deactivate, name="person_deactivate"),
    path("people/<int:pk>/reactivate", people.person_reactivate, name="person_reactivate"),
    path("people/<int:pk>/promote", people.person_promote, name="person_promote"),
    path("people/<int:pk>/demote", people.person_demote, name="person_demote"),
    path("people/<int:pk>/link", people.person_link, name="person_link"),
    # --- workspaces, settings, computes ---
    path("workspaces/new", workspaces.workspace_new, name="workspace_new"),
    path("w/", workspaces.workspaces, name="workspaces"),
    path("w/<str:ws>/archive", workspaces.workspace_archive, name="workspace_archive"),
    path("w/<str:ws>/restore", workspaces.workspace_restore, name="workspace_restore"),
    path("w/<str:ws>/settings/", settings.workspace_settings, name="workspace_settings"),
    path("w/<str:ws>/settings/members", settings.member_add, name="member_add"),
    path("w/<str:ws>/settings/members/<int:pk>/role", settings.member_role, name="member_role"),
    path(
        "w/<str:ws>/settings/members/<int:pk>/remove", settings.member_remove, name="member_remove"
    ),
    path("w/<str:ws>/leave", invitations.workspace_leave, name="workspace_leave"),
    path(
        "w/<str:ws>/settings/invitations", invitations.invitation_create, name="invitation_create"
    ),
    path(
        "w/<str:ws>/settings/invitations/<int:pk>/revoke",
        invitations.invitation_revoke,
        name="invitation_revoke",
    ),
    path("w/<str:ws>/settings/tokens", settings.token_create, name="token_create"),
    path("w/<str:ws>/settings/tokens/<int:pk>/revoke", settings.token_revoke, name="token_revoke"),
    path("w/<str:ws>/settings/audit/", audit.workspace_audit, name="workspace_audit"),
    path("w/<str:ws>/settings/audit.csv", audit.workspace_audit_csv, name="workspace_audit_csv"),
    path("audit/", audit.site_audit, name="site_audit"),
    path("audit.csv", audit.site_audit_csv, name="site_audit_csv"),
    path("w/<str:ws>/computes/-/variable", computes.compute_variable_row, name="compute_variable"),
    path(
        "w/<str:ws>/computes/<str:name>/default", computes.compute_default, name="compute_default"
    ),
    path("w/<str:ws>/computes/<str:name>/delete", computes.compute_delete, name="compute_delete"),
    # --- the work ---
    path("", include("sweeps.urls")),
]
