"""URLs below `/tracking/<workspace>/`."""

from django.urls import path

from sweeps.gateway.views import gateway

urlpatterns = [
    path("", gateway, {"rest": ""}),
    path("<path:rest>", gateway, name="tracking"),
]
