"""`manage.py rotate_key`: a new key for what the studio keeps sealed."""

from typing import Any

from django.apps import apps
from django.core.management.base import CommandError
from django.db import models, transaction

from studio import vault
from studio.commands import PersonsCommand
from studio.models.secret import SealedCharField
from studio.secret_services import seal_secrets_anew


class Command(PersonsCommand):
    """Seals secrets and addresses of channels with a new key, and forgets the former ones."""

    help = "Make a new key, seal all secrets with it, and forget the former keys."

    def handle(self, *args: Any, **options: Any) -> None:
        """The studio may run meanwhile: all keys open until everything is sealed anew."""
        vault.add_key()
        try:
            with transaction.atomic():
                count = seal_secrets_anew() + sum(map(_seal_anew, _with_sealed_columns()))
        except vault.SealBroken as error:
            raise CommandError(
                "Something was sealed with a key that is not in secrets.key: put the former file "
                "back from a backup, or set that secret anew. All keys are kept."
            ) from error
        vault.drop_former_keys()
        self.stdout.write(f"{count} secrets are sealed with a new key in {vault.key_file()}.")


def _with_sealed_columns() -> list[type[models.Model]]:
    return [
        model
        for model in apps.get_models()
        if any(isinstance(field, SealedCharField) for field in model._meta.get_fields())
    ]


def _seal_anew(model: type[models.Model]) -> int:
    """Reading opens, and writing seals with the first key."""
    columns = [f.name for f in model._meta.get_fields() if isinstance(f, SealedCharField)]
    rows = list(model._default_manager.select_for_update())
    for row in rows:
        row.save(update_fields=columns)
    return len(rows)
