"""An independent RTSP camera: Debian's gst-rtsp-server with H.264, so that our own server is not the only judge.

Run by the system's Python, which has GStreamer but neither numpy nor OpenCV, as ``python3 -m tests.rtsp.gst_server``;
it prints ``ready PORT`` and leaves when its stdin closes.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402 - versions are required before the import

from tests.rtsp.lifeline import exit_with_parent  # noqa: E402
from tests.rtsp.timecode import DARK, LIGHT, cell_boxes, timecode_cells  # noqa: E402

GREY = 110
BLOCK = 120
ROLE = "viewer"
ENCODER = "x264enc tune=zerolatency speed-preset=superfast bitrate=3000 threads=1 key-int-max={gop}"


def main() -> None:
    exit_with_parent()
    options = parse()
    Gst.init(None)
    server = GstRtspServer.RTSPServer(address=options.host, service=str(options.port))
    factory = CameraFactory(options)
    if options.user:
        guard(server, factory, options)
    server.get_mount_points().add_factory("/cam", factory)
    server.attach(None)
    print(f"ready {server.get_bound_port()}", flush=True)
    GLib.MainLoop().run()


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--picture", choices=("blocks", "still", "timecode", "clip"), default="blocks")
    parser.add_argument("--clip", type=Path)
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--fps", type=float, default=25)
    parser.add_argument("--user", default="")
    parser.add_argument("--password", default="")
    parser.add_argument("--auth", choices=("digest", "basic"), default="digest")
    return parser.parse_args()


def guard(server: GstRtspServer.RTSPServer, factory: CameraFactory, options: argparse.Namespace) -> None:
    """Let in one user with one password, by the scheme asked for."""
    auth, token = GstRtspServer.RTSPAuth(), GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", ROLE)
    if options.auth == "basic":
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(options.user, options.password), token)
    else:
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        auth.add_digest(options.user, options.password, token)
    permissions = GstRtspServer.RTSPPermissions()
    for right in ("media.factory.access", "media.factory.construct"):
        permissions.add_permission_for_role(ROLE, right, True)
    factory.set_permissions(permissions)
    server.set_auth(auth)


class CameraFactory(GstRtspServer.RTSPMediaFactory):
    """Makes one stream for all viewers, and a fresh one when viewers come back after all have left."""

    def __init__(self, options: argparse.Namespace) -> None:
        super().__init__()
        self.set_shared(True)
        self.set_latency(0)
        self.fps, self.generation = options.fps, 0
        self.clip = Clip(options.clip) if options.picture == "clip" else None
        width, height = self.clip.size if self.clip else (int(side) for side in options.size.split("x"))
        self.size = width, height
        self.pictures = self.clip.pictures() if self.clip else drawn_pictures(options.picture, width, height)

    def do_create_element(self, _url: GstRtsp.RTSPUrl) -> Gst.Element:
        width, height = self.size
        rate = Gst.util_double_to_fraction(self.fps)
        caps = f"video/x-raw,format=I420,width={width},height={height},framerate={rate[0]}/{rate[1]}"
        encoder = ENCODER.format(gop=max(1, round(self.fps)))
        return Gst.parse_launch(
            f"( appsrc name=pictures is-live=true do-timestamp=true format=time caps={caps} "
            f"! queue max-size-buffers=2 leaky=downstream ! {encoder} ! rtph264pay name=pay0 pt=96 config-interval=1 )"
        )

    def do_configure(self, media: GstRtspServer.RTSPMedia) -> None:
        self.generation += 1
        feed(media.get_element().get_by_name_recurse_up("pictures"), self, self.generation)


def feed(source: Gst.Element, factory: CameraFactory, generation: int) -> None:
    """Push pictures at the factory's rate until the viewers have left or a fresh stream has taken over."""
    due = time.monotonic()

    def push() -> bool:
        nonlocal due
        buffer = Gst.Buffer.new_wrapped(bytes(next(factory.pictures)))
        if generation == factory.generation and source.emit("push-buffer", buffer) == Gst.FlowReturn.OK:
            # Timed anew for each picture: a repeating timeout would add the drawing time to every interval.
            due = max(due + 1 / factory.fps, time.monotonic())
            GLib.timeout_add(round((due - time.monotonic()) * 1000), push)
        return GLib.SOURCE_REMOVE

    push()


class Clip:
    """A clip decoded on demand to I420, over and over. Sides are cut to even numbers."""

    def __init__(self, path: Path) -> None:
        self.player = Gst.parse_launch(
            f'filesrc location="{path}" ! decodebin ! videoconvert ! video/x-raw,format=I420 '
            "! appsink name=pictures sync=false max-buffers=2"
        )
        self.sink = self.player.get_by_name("pictures")
        self.player.set_state(Gst.State.PLAYING)
        sample = self.sink.emit("pull-preroll")
        if sample is None:
            raise SystemExit(f"no picture in {path}")
        shape = sample.get_caps().get_structure(0)
        self.size = shape.get_int("width").value, shape.get_int("height").value

    def pictures(self) -> Iterator[bytes]:
        """Yield packed I420 pictures for ever."""
        while True:
            while sample := self.sink.emit("pull-sample"):
                buffer = sample.get_buffer()
                yield buffer.extract_dup(0, buffer.get_size())
            self.player.seek_simple(Gst.Format.TIME, Gst.SeekFlags.FLUSH | Gst.SeekFlags.KEY_UNIT, 0)


def drawn_pictures(kind: str, width: int, height: int) -> Iterator[bytearray]:
    """Yield I420 pictures for ever: grey with a travelling block, the time code as well, or neither."""
    still = bytearray([GREY]) * (width * height) + bytearray([128]) * (width * height // 2)
    for line in range(0, height, 40):
        still[line * width : (line + 1) * width] = bytes([190]) * width
    step = 0
    while True:
        picture = bytearray(still)
        if kind != "still":
            left = step * 8 % max(1, width - BLOCK)
            fill(picture, width, (left, height * 2 // 5, left + BLOCK, height * 3 // 5), LIGHT)
        if kind == "timecode":
            for box, is_light in zip(cell_boxes(width, height), timecode_cells(time.time()), strict=True):
                fill(picture, width, box, LIGHT if is_light else DARK)
        yield picture
        step += 1


def fill(picture: bytearray, width: int, box: tuple[int, int, int, int], value: int) -> None:
    """Fill a box of the luma plane."""
    x1, y1, x2, y2 = box
    row = bytes([value]) * (x2 - x1)
    for y in range(y1, y2):
        picture[y * width + x1 : y * width + x2] = row


if __name__ == "__main__":
    main()
