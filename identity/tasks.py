"""Jobs of identity; each may run twice or be killed half-way."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from factoryai.jobs.services import job
from factoryai.sites.models import Site
from identity.services import engines, erasure, purge, reconcile, snapshots, unknowns


@job("identity.purge_snapshots")
def purge_snapshots() -> dict[str, Any]:
    """Delete snapshots whose retention is over and that nobody holds."""
    return purge.purge_snapshots(at=timezone.now()).as_dict()


@job("identity.check_snapshots")
def check_snapshots() -> dict[str, int]:
    """Compare snapshots on the disk with their records."""
    check = snapshots.check_snapshots(at=timezone.now())
    found = {name: len(getattr(check, name)) for name in ("missing", "orphans", "stuck", "foreign")}
    return {"rows": check.rows, "files": check.files, **found}


@job("identity.erase_leavers")
def erase_leavers() -> dict[str, int]:
    """Erase faces of people who left."""
    erased = erasure.erase_leavers(at=timezone.now())
    return {"people": len(erased), "unproven": sum(not person.is_proven for person in erased)}


@job("identity.forget_unknown_faces")
def forget_unknown_faces() -> dict[str, int]:
    """Forget faces that nobody recognised in time."""
    return {"forgotten": unknowns.forget_unknowns(at=timezone.now())}


@job("identity.reconcile_faces")
def reconcile_faces() -> Any:
    """Compare the faces kept here with those kept at AWS."""
    if not engines.is_remote():
        return "Faces are recognised here: nothing to reconcile."
    found = reconcile.reconcile_faces(sites=Site.objects.all(), at=timezone.now())
    return {drift.site: drift.error or f"{drift.enrolled} enrolled, {drift.deleted} deleted" for drift in found}
