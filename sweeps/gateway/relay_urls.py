"""URLs below `/relay/`: for carriers of trials on other machines."""

from django.urls import path

from sweeps.gateway.relay import relay

urlpatterns = [path("<str:key>/<str:verb>", relay, name="relay")]
