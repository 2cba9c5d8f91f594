"""What a person does with an unknown face: name it, with a photo to know it by, and with the punch that was missing."""

from __future__ import annotations

import datetime as dt
from typing import Any

from factoryai.rest import Refusal
from identity.models import Employee, Face, Sighting, UnknownFace
from identity.pictures import decode_picture
from identity.services.enrolment import enrol_photo, examine_photo, remove_photo, require_enrolable
from identity.services.sightings import forget_pictures, refuse_own, tell_identified
from identity.services.snapshots import read_snapshot
from identity.services.unknowns import assign_unknown


def name_unknown(
    *,
    unknown: UnknownFace,
    employee: Employee,
    by: Any,
    at: dt.datetime,
    creates_punches: bool = True,
    enrols: bool = False,
) -> list[Sighting]:
    """Assign an unknown face, and on request enrol its picture and tell attendance of every sighting.

    A picture that does not serve (422 with the reason) leaves the face unassigned, so that it can be assigned without.
    Nobody names themselves (403 ``own_record``), and of who withdrew no picture is kept.
    """
    if unknown.state != UnknownFace.State.OPEN:
        raise Refusal("already_decided", "Somebody has decided this already.", 409)
    if employee.site_id != unknown.site_id:
        raise Refusal("other_site", "This person works at another site.", 422)
    refuse_own(employee, by)
    face = _enrol_picture_of(unknown, employee, by, at) if enrols else None
    try:
        sightings = assign_unknown(unknown=unknown, employee=employee, by=by, at=at)
    except Refusal:
        if face:  # somebody else has said meanwhile who it is, and it may be another
            remove_photo(snapshot=face.snapshot, at=at)
        raise
    if creates_punches:
        for sighting in sightings:
            tell_identified(sighting)
    forget_pictures(sightings, employee, at)
    return sightings


def _enrol_picture_of(unknown: UnknownFace, employee: Employee, by: Any, at: dt.datetime) -> Face:
    if unknown.snapshot is None:
        raise Refusal("no_picture", "No picture of this face was kept.", 422)
    require_enrolable(employee)
    photo = examine_photo(decode_picture(read_snapshot(unknown.snapshot)))
    return enrol_photo(employee=employee, photo=photo, source=Face.Source.UNKNOWN, by=by, at=at)
