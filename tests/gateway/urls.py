"""The gateway alone, where the studio has it."""

from django.urls import include, path

urlpatterns = [path("tracking/<str:ws>/", include("sweeps.gateway.urls"))]
