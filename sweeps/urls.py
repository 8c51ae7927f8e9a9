"""URLs of the work."""

from django.urls import include, path

from sweeps.api.urls import urls as api
from sweeps.views import health

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("api/v1/", api),
    path("tracking/<str:ws>/", include("sweeps.gateway.urls")),
]
