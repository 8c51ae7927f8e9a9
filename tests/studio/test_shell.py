"""The frame around every page, and the pages for when something is wrong."""

import pytest
from django.template.loader import render_to_string
from django.test import Client

from studio.models import User, Workspace


@pytest.mark.parametrize("name", ["400.html", "500.html", "403_csrf.html"])
def test_pages_for_a_broken_studio_need_neither_context_nor_files(name: str) -> None:
    html = render_to_string(name)
    assert "<h1>" in html
    assert "/static/" not in html


def test_a_member_sees_the_ways_through_the_workspace(client: Client, alice: User) -> None:
    client.force_login(alice)
    response = client.get("/nothing-here")
    html = response.content.decode()
    assert response.status_code == 404
    for place in (
        "/w/default/",
        "/w/default/sweeps/",
        "/w/default/computes/",
        "/w/default/settings/",
    ):
        assert f'href="{place}"' in html
    assert 'href="/w/default/sweeps/new"' in html
    assert 'hx-headers=\'{"X-CSRFToken": "' in html


def test_the_frame_names_only_workspaces_of_the_person(client: Client, charlie: User) -> None:
    client.force_login(charlie)
    html = client.get("/nothing-here").content.decode()
    assert "/w/elsewhere/" in html
    assert "/w/default/" not in html


def test_a_stranger_learns_nothing_from_a_missing_page(client: Client, alice: User) -> None:
    html = client.get("/nothing-here").content.decode()
    assert "Nothing is here" in html
    assert "default" not in html
    assert "New sweep" not in html


def test_a_name_of_a_workspace_cannot_bring_markup(client: Client, alice: User) -> None:
    Workspace.objects.update(title="<img src=x>")
    client.force_login(alice)
    html = client.get("/nothing-here").content.decode()
    assert "<img src=x>" not in html
    assert "&lt;img src=x&gt;" in html


def test_sign_in_says_how_to_get_a_link_and_keeps_where_one_wanted_to_go(
    client: Client, db: None
) -> None:
    html = client.get("/accounts/login/?next=/w/default/").content.decode()
    assert "python manage.py signin" in html
    assert '<input type="hidden" name="next" value="/w/default/">' in html


def test_a_wrong_password_is_said_above_the_form(client: Client, alice: User) -> None:
    html = client.post("/accounts/login/", {"username": "alice", "password": "no"}).content.decode()
    assert 'class="note family-red" role="alert"' in html


def test_a_used_link_explains_how_to_get_another(client: Client, db: None) -> None:
    response = client.get("/accounts/link/unknown/")
    assert response.status_code == 410
    assert "python manage.py signin" in response.content.decode()
