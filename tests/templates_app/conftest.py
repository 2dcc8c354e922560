"""Who the pages of the library are looked at by."""

import pytest
from django.test import Client

from accounts.models import User
from tests.factories import UserFactory


@pytest.fixture
def ines(client: Client) -> User:
    """Somebody who is signed in."""
    user = UserFactory(display_name="Ines Okafor")
    client.force_login(user)
    return user
