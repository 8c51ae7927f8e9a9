"""Rows for data that forms once took in without any: what sweeps read was their proof."""

from pathlib import Path

from django.conf import settings
from django.db import migrations


def parts_of(value, root):
    """Digest and what follows of an input that is uploaded data; () for any other."""
    if not isinstance(value, dict) or not str(value.get("path", "")).startswith(f"{root}/"):
        return ()
    parts = value["path"].removeprefix(f"{root}/").rstrip("/").split("/")
    is_digest = len(parts[0]) == 64 and parts[0].isalnum()
    return parts if is_digest and not {"", ".", ".."} & set(parts) else ()


def remember(apps, schema_editor):
    """Of data that nobody has handed in on record, the first to read it did."""
    uploads = apps.get_model("sweeps", "DataUpload").objects
    known, root = set(uploads.values_list("digest", flat=True)), Path(settings.STUDIO_HOME) / "data"
    rows = apps.get_model("sweeps", "Sweep").objects.exclude(inputs={}).order_by("pk")
    for workspace, inputs, at in rows.values_list("workspace", "inputs", "created_at").iterator():
        for value in inputs.values():
            parts = parts_of(value, root)
            if not parts or parts[0] in known:
                continue
            known.add(parts[0])
            name = parts[1] if len(parts) == 2 and len(parts[1]) <= 255 else ""
            place = root.joinpath(*parts)
            is_file = bool(name) and place.is_file()
            uploads.create(
                workspace_id=workspace,
                digest=parts[0],
                name=name if is_file else "",
                path="/".join(parts) if is_file else parts[0],
                size=place.stat().st_size if is_file else 0,
                created_at=at,
            )


class Migration(migrations.Migration):
    dependencies = [("sweeps", "0022_build_requests")]
    operations = [migrations.RunPython(remember, migrations.RunPython.noop)]
