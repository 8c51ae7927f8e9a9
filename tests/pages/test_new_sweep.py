"""The new-sweep form without JavaScript: every button a round trip, nothing typed is lost."""

import pytest
from django.test import Client
from django.urls import reverse

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(bob, compute):
    client = Client()
    client.force_login(bob)
    return client


@pytest.fixture
def url(workspace):
    return reverse("sweep_new", args=[workspace.name])


def test_the_empty_form_asks_for_everything_and_complains_of_nothing(client, url):
    page = client.get(url)
    assert page.status_code == 200
    text = page.content.decode()
    assert 'name="row-0-name"' in text and "field-error" not in text
