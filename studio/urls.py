"""URLs of the place: people, workspaces, computes. The work's are included from `sweeps`."""

from django.contrib.auth import views as auth
from django.urls import include, path

from studio.views import accounts

urlpatterns = [
    path(
        "accounts/login/",
        auth.LoginView.as_view(
            template_name="accounts/login.html", redirect_authenticated_user=True
        ),
        name="login",
    ),
    path("accounts/logout/", auth.LogoutView.as_view(), name="logout"),
    path("accounts/link/<str:secret>/", accounts.sign_in_link, name="sign_in_link"),
    path("", include("sweeps.urls")),
]
