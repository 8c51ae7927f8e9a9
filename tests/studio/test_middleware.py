"""What every request and answer goes through."""

import pytest

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "address", ["/w/a%00b/", "/w/default/sweeps/?q=%00", "/api/v1/workspaces/d%00/sweeps"]
)
def test_a_nul_in_the_address_is_not_found(client, alice, address):
    client.force_login(alice)
    assert client.get(address).status_code == 404


def test_pages_allow_scripts_from_our_own_files_only(client, alice):
    client.force_login(alice)
    policy = client.get("/")["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "default-src 'none'" in policy
