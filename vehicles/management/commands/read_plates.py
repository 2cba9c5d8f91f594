"""Read the plates in pictures, to see what a gate would make of them."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from factoryai.rest import Refusal
from identity.pictures import decode_picture
from vehicles.readers import ReaderError, read_plate_picture
from vehicles.rules.gate import Profile, judge_plate


class Command(BaseCommand):
    help = "Print for each picture: file, plate, confidence, verdict and reasons, with tabs between."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="JPEG or PNG, a plate or a vehicle")
        parser.add_argument("--profile", choices=[profile.value for profile in Profile], default=Profile.INDIA.value)

    def handle(self, *args: Any, files: list[Path], profile: str, **options: Any) -> None:
        failed = [file for file in files if not self._read(file, Profile(profile))]
        if failed:
            raise CommandError(f"{len(failed)} of {len(files)} files could not be read.")

    def _read(self, file: Path, profile: Profile) -> bool:
        """Print one picture's line; False for a file that is no picture."""
        try:
            plate = read_plate_picture(decode_picture(file.read_bytes()))
        except OSError as error:
            self.stderr.write(f"{file}\t{error.strerror}")
            return False
        except Refusal as refusal:
            self.stderr.write(f"{file}\t{refusal}")
            return False
        except ReaderError as error:
            raise CommandError(str(error)) from error
        if plate is None:
            self.stdout.write(f"{file}\t-\t0.000\tinvalid\tno_plate")
            return True
        got = judge_plate(plate.text, plate.confidence, profile)
        verdict = got.verdict if got.accepted or got.verdict != "valid" else "not accepted"
        self.stdout.write(
            "\t".join(
                [str(file), got.normalised or plate.text, f"{plate.confidence:.3f}", verdict, ",".join(got.reasons)]
            )
        )
        return True
