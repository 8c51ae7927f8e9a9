"""URLs of the work."""

from django.urls import include, path

from sweeps.views import health

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("tracking/<str:ws>/", include("sweeps.gateway.urls")),
]
