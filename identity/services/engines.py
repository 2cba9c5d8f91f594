"""Which engine recognises faces at a site: the local one, or Rekognition with the local one standing by."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import Any

import numpy as np
from django.conf import settings
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import Exists, F, OuterRef
from django.utils import timezone

from factoryai.sites.models import Site
from identity.models import Face as EnrolledFace
from identity.models import PaidRequests, RemoteFace
from identity.recognisers.base import Face, Recogniser, RecogniserError
from identity.recognisers.local import LocalRecogniser
from identity.recognisers.rekognition import RekognitionRecogniser, SpendingStopError, make_client
from identity.recognisers.retries import Retrier, UsedUpError
from identity.rules import Candidate, Decision, Thresholds, decide_identity
from identity.services.gallery import LiveGallery, gallery_for
from identity.services.outages import ServiceWatch

log = logging.getLogger(__name__)


class SiteRecogniser:
    """The local engine with the faces of one site."""

    def __init__(self, finder: LocalRecogniser, gallery: LiveGallery) -> None:
        self.finder, self.gallery = finder, gallery

    @property
    def thresholds(self) -> Thresholds:
        return self.finder.thresholds

    def find_faces(self, image: np.ndarray) -> Sequence[Face]:
        return self.finder.find_faces(image)

    def embed(self, image: np.ndarray, face: Face) -> np.ndarray:
        return self.finder.embed(image, face)

    def search(self, image: np.ndarray, face: Face) -> Sequence[Candidate]:
        return self.gallery.current().nearest(self.embed(image, face))

    def identify(self, image: np.ndarray, face: Face) -> Decision:
        return decide_identity(self.search(image, face), self.thresholds)


class StandInRecogniser(SiteRecogniser):
    """Rekognition, and while it does not answer the local engine: attendance is not lost.

    The circuit breaker keeps a service that is down from costing more than its first failures; a day's budget that
    is used up costs nothing. Each decision names the engine that made it, and ``watch`` tells of an outage.
    """

    def __init__(
        self, remote: RekognitionRecogniser, finder: LocalRecogniser, gallery: LiveGallery, watch: ServiceWatch
    ) -> None:
        super().__init__(finder, gallery)
        self.remote, self._watch = remote, watch

    @property
    def thresholds(self) -> Thresholds:
        return self.remote.thresholds

    def search(self, image: np.ndarray, face: Face) -> Sequence[Candidate]:
        return self.remote.search(image, face)

    def identify(self, image: np.ndarray, face: Face) -> Decision:
        try:
            decision = self.remote.identify(image, face)
        except UsedUpError:
            log.info("A face has cost all it may; the local engine decides.")
        except RecogniserError as error:
            self._watch.failed(error)
        except DatabaseError:
            log.warning("Nobody can say whose the service's faces are while the database is away.")
        else:
            self._watch.answered()
            return decision
        candidates = self.gallery.current().nearest(self.embed(image, face))
        return decide_identity(candidates, self.finder.thresholds)


class SharedSpend:
    """Counts paid requests by UTC day for all processes; stops at ``limit``, 0 for no limit.

    A database that does not answer stops spending: nobody could say how much it was.
    """

    def __init__(self, limit: int, now: Callable[[], dt.datetime] = timezone.now) -> None:
        self._limit, self._now = limit, now

    def spend(self) -> None:
        """Count one request; raises `SpendingStopError` instead of counting the one too many."""
        day = self._now().astimezone(dt.UTC).date()
        try:
            if self._count(day):
                return
            self._begin(day)
            if not self._count(day):
                raise SpendingStopError
        except DatabaseError as error:
            raise SpendingStopError from error

    def _count(self, day: dt.date) -> bool:
        rows = PaidRequests.objects.filter(day=day)
        if self._limit:
            rows = rows.filter(count__lt=self._limit)
        return bool(rows.update(count=F("count") + 1))

    @staticmethod
    def _begin(day: dt.date) -> None:
        """Make the day's row unless it is there."""
        with suppress(IntegrityError), transaction.atomic():
            PaidRequests.objects.create(day=day)


def collection_of(site: Site) -> str:
    """Return the name of a site's collection; sites never share one."""
    return f"{settings.FACE_COLLECTION}-{site.slug}"


def owners_in(collection: str) -> Callable[[Sequence[str]], Mapping[str, str]]:
    """Return the question whose the face ids of a collection are, as far as this database knows.

    The answer is empty for somebody who is not to be recognised now, as the local gallery does not hold them either.
    """

    def owners(remote_ids: Sequence[str]) -> Mapping[str, str]:
        rows = RemoteFace.objects.present().filter(collection=collection, remote_id__in=remote_ids, face__isnull=False)
        is_searched = Exists(EnrolledFace.objects.searchable().filter(pk=OuterRef("face")))
        found = rows.annotate(is_searched=is_searched).values_list("remote_id", "person", "is_searched")
        return {remote_id: person if searched else "" for remote_id, person, searched in found}

    return owners


@cache
def finder() -> LocalRecogniser:
    """Return the process's own nets; each thread loads its set at first use."""
    return LocalRecogniser()


def let_go_of_nets() -> None:
    """Give back the memory of the nets, some 100 MB, in a process that has no more faces to look at."""
    finder.cache_clear()


@cache
def _client(region: str, endpoint: str, key: str, secret: str) -> Any:
    options = {"endpoint_url": endpoint, "aws_access_key_id": key, "aws_secret_access_key": secret}
    return make_client(region_name=region, **{name: value for name, value in options.items() if value})


@cache
def _retrier(endpoint: str) -> Retrier:
    """One breaker and one retry budget for everything this process asks of the service."""
    return Retrier()


def remote_for(site: Site) -> RekognitionRecogniser:
    """Return the Rekognition engine for a site, whatever engine the setting names."""
    endpoint, collection = settings.AWS_ENDPOINT_URL_REKOGNITION, collection_of(site)
    client = _client(settings.AWS_REGION, endpoint, settings.AWS_ACCESS_KEY_ID, settings.AWS_SECRET_ACCESS_KEY)
    return RekognitionRecogniser(
        client,
        collection,
        spend=SharedSpend(settings.FACE_DAILY_REQUESTS),
        retrier=_retrier(endpoint),
        finder=finder(),
        owners_of=owners_in(collection),
    )


@cache
def _watch(site_id: int) -> ServiceWatch:
    return ServiceWatch(site_id)


def forget_watches() -> None:
    """Begin as a process that has seen nothing of the service yet."""
    _watch.cache_clear()


def is_remote() -> bool:
    """Whether faces are searched elsewhere."""
    return settings.FACE_ENGINE == "rekognition"


def recogniser_for(site: Site) -> Recogniser:
    """Return the engine of a site, by `FACTORYAI_FACE_ENGINE`."""
    if is_remote():
        return StandInRecogniser(remote_for(site), finder(), gallery_for(site.pk), _watch(site.pk))
    return SiteRecogniser(finder(), gallery_for(site.pk))
