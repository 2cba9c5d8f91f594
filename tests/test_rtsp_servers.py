"""The test cameras are real: a reader that knows nothing of them gets pictures, and every fault is what it says."""

from __future__ import annotations

import contextlib
import itertools
import socket
import subprocess
import time

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.rtsp.rtp_jpeg import UnsuitableJpegError, rtp_payloads, scan_jpeg
from tests.needs import needs_ffprobe, needs_gstreamer, needs_program
from tests.rtsp import TimecodeError, draw_timecode, read_timecode, rtsp_camera

TIMEOUTS = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, 5000, cv2.CAP_PROP_READ_TIMEOUT_MSEC, 1000]
SERVERS = ["jpeg", "gst"]
SMALL = (640, 360)

pytestmark = pytest.mark.system


@pytest.fixture(params=SERVERS)
def server(request):
    if request.param == "gst":
        needs_gstreamer()
    return request.param


@pytest.fixture(autouse=True)
def _over_tcp(monkeypatch):
    monkeypatch.setenv("OPENCV_FFMPEG_CAPTURE_OPTIONS", "rtsp_transport;tcp|fflags;nobuffer|flags;low_delay")


@contextlib.contextmanager
def opened(url):
    capture = cv2.VideoCapture(url, cv2.CAP_FFMPEG, TIMEOUTS)
    try:
        yield capture
    finally:
        capture.release()


def pictures(url, count):
    """Read up to ``count`` pictures; fewer when the camera ends first."""
    with opened(url) as capture:
        read = (capture.read() for _ in range(count))
        return [image for _, image in itertools.takewhile(lambda answer: answer[0], read)]


def ask(camera, request=b"OPTIONS rtsp://camera/cam RTSP/1.0\r\nCSeq: 1\r\n\r\n", seconds=2):
    """Send raw bytes; return what comes back within ``seconds``, None when nothing does."""
    with socket.create_connection(("127.0.0.1", camera.port), timeout=seconds) as connection:
        connection.sendall(request)
        try:
            return connection.recv(4096)
        except TimeoutError:
            return None


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Thirty pictures, each of one grey: number n is 5 + 8n bright."""
    path = tmp_path_factory.mktemp("clip") / "greys.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 25, SMALL)
    for number in range(30):
        writer.write(np.full((*reversed(SMALL), 3), 5 + 8 * number, np.uint8))
    writer.release()
    return path


@given(at=st.integers(1, 2**42 - 1).map(lambda clock: clock / 1000), width=st.sampled_from([320, 640, 1280, 1920]))
def test_a_time_code_survives_jpeg_at_every_size(at, width):
    image = np.full((width * 9 // 16, width, 3), 120, np.uint8)
    draw_timecode(image, at)
    _, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 60])
    assert read_timecode(cv2.imdecode(jpeg, cv2.IMREAD_COLOR)) == pytest.approx(at, abs=0.0011)


def test_a_time_code_survives_scaling_down_to_a_tile():
    image = np.full((720, 1280, 3), 120, np.uint8)
    draw_timecode(image, 1_700_000_000.123)
    assert read_timecode(cv2.resize(image, (320, 180))) == pytest.approx(1_700_000_000.123)


@pytest.mark.parametrize("brightness", [0, 120, 255])
def test_a_picture_without_a_time_code_is_refused(brightness):
    with pytest.raises(TimecodeError):
        read_timecode(np.full((360, 640, 3), brightness, np.uint8))


@given(quality=st.integers(20, 95), seed=st.integers(0, 1000))
def test_a_jpeg_cut_into_payloads_loses_nothing(quality, seed):
    image = np.random.default_rng(seed).integers(0, 255, (64, 96, 3), np.uint8)
    jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
    scanned = scan_jpeg(jpeg)
    first, *rest = rtp_payloads(scanned)
    assert (scanned.width, scanned.height) == (96, 64)
    assert first[12:140] == scanned.tables
    assert first[140:] + b"".join(payload[8:] for payload in rest) == scanned.scan
    assert max(map(len, [first, *rest])) <= 1400


@pytest.mark.parametrize(
    ("size", "options"),
    [
        pytest.param((66, 64), [], id="width not a multiple of 8"),
        pytest.param((2048, 64), [], id="too wide"),
        pytest.param((64, 64), [cv2.IMWRITE_JPEG_PROGRESSIVE, 1], id="progressive"),
    ],
)
def test_a_jpeg_that_rtp_cannot_carry_is_refused(size, options):
    _, jpeg = cv2.imencode(".jpg", np.zeros((size[1], size[0], 3), np.uint8), options)
    with pytest.raises(UnsuitableJpegError):
        scan_jpeg(jpeg.tobytes())


def test_opencv_reads_fresh_pictures_of_the_right_size(server):
    with rtsp_camera(server=server, picture="timecode", size=(1280, 720)) as camera:
        read = pictures(camera.url, 40)
    codes = [read_timecode(image) for image in read]
    assert {image.shape for image in read} == {(720, 1280, 3)}
    assert codes == sorted(set(codes))
    assert abs(time.time() - codes[-1]) < 5, "the clock in the picture is this machine's"


def test_pictures_come_at_the_rate_asked_for(server):
    with rtsp_camera(server=server, picture="timecode", size=SMALL, fps=20) as camera:
        codes = [read_timecode(image) for image in pictures(camera.url, 60)]
    assert np.median(np.diff(codes)) == pytest.approx(0.05, abs=0.01)


def test_a_clip_is_published_in_order_and_starts_again(server, clip):
    with rtsp_camera(server=server, clip=clip) as camera:
        brightness = [image.mean() for image in pictures(camera.url, 70)]
    steps = np.diff(brightness)
    assert (steps > 5).mean() > 0.8
    assert (steps < -150).sum() >= 1, "the clip came round"


@pytest.mark.parametrize("auth", ["digest", "basic"])
def test_the_right_password_shows_pictures_and_the_wrong_one_none(server, auth):
    login = {"user": "viewer", "password": "gr@in/of:salt", "auth": auth}
    with rtsp_camera(server=server, size=SMALL, **login) as camera:
        right = camera.url
        assert len(pictures(right, 5)) == 5
        assert pictures(camera.address, 1) == []
        assert pictures(right.replace("salt", "sand"), 1) == []
        assert pictures(right.replace("viewer", "stranger"), 1) == []


def test_a_killed_camera_ends_the_stream_and_comes_back_on_the_same_port(server):
    with rtsp_camera(server=server, size=SMALL) as camera:
        address = camera.address
        with opened(camera.url) as capture:
            assert capture.read()[0]
            camera.kill()
            assert not all(capture.read()[0] for _ in range(200))
        camera.restart()
        assert camera.address == address
        assert len(pictures(camera.url, 5)) == 5


def test_a_frozen_camera_keeps_its_connection_and_says_nothing_until_it_thaws(server):
    with rtsp_camera(server=server, size=SMALL) as camera:
        assert ask(camera).startswith(b"RTSP/1.0 200")
        camera.freeze()
        assert ask(camera) is None
        camera.thaw()
        assert ask(camera).startswith(b"RTSP/1.0 200")


def test_a_camera_that_comes_back_changed_keeps_its_port():
    with rtsp_camera(size=SMALL, user="viewer", password="one") as camera:
        old = camera.url
        camera.restart(password="two")
        assert pictures(old, 1) == []
        assert len(pictures(camera.url, 3)) == 3


def test_a_camera_ends_with_the_process_that_started_it():
    with rtsp_camera(size=SMALL) as camera:
        camera.process.stdin.close()
        assert camera.process.wait(timeout=10) == 0


def test_a_camera_that_refuses_is_closed_before_a_word():
    with rtsp_camera(fault="refuse") as camera, pytest.raises(ConnectionRefusedError):
        ask(camera)


def test_a_silent_camera_takes_the_connection_and_never_answers():
    with rtsp_camera(fault="silent") as camera:
        assert ask(camera) is None
        assert pictures(camera.url, 1) == []


def test_a_locked_camera_refuses_the_right_password():
    with rtsp_camera(fault="locked", user="viewer", password="right") as camera:
        assert pictures(camera.url, 1) == []
        camera.restart(fault="", size=SMALL)
        assert len(pictures(camera.url, 1)) == 1


def test_a_web_server_in_place_of_a_camera_answers_http():
    with rtsp_camera(fault="http") as camera:
        assert ask(camera).startswith(b"HTTP/1.1 200")
        assert pictures(camera.url, 1) == []


def test_garbage_follows_the_good_pictures():
    with rtsp_camera(fault="garbage", after_frames=60, picture="timecode", size=SMALL) as camera:
        read = pictures(camera.url, 100)
    assert 20 <= len(read) <= 60


def test_a_camera_that_hangs_up_closes_after_its_pictures():
    with rtsp_camera(fault="hang-up", after_frames=60, size=SMALL) as camera:
        assert 20 <= len(pictures(camera.url, 100)) <= 60


def test_a_slow_network_lets_few_pictures_through_and_fresh_ones():
    with rtsp_camera(fault="slow", bytes_per_s=100_000, picture="timecode", size=SMALL) as camera:
        codes = [read_timecode(image) for image in pictures(camera.url, 8)]
    assert np.median(np.diff(codes)) > 0.08, "25 a second would be 0.04"
    assert codes == sorted(set(codes))


def test_a_redirecting_camera_names_another_address():
    elsewhere = "rtsp://169.254.169.254/latest"
    with rtsp_camera(fault="redirect", redirect_to=elsewhere) as camera:
        answer = ask(camera, b"DESCRIBE rtsp://camera/cam RTSP/1.0\r\nCSeq: 1\r\n\r\n")
    assert b" 302 " in answer
    assert elsewhere.encode() in answer


def test_ffprobe_agrees_on_codec_and_size(server):
    with rtsp_camera(server=server, size=SMALL) as camera:
        fields = ["-show_entries", "stream=codec_name,width,height", "-of", "csv=p=0"]
        command = [needs_ffprobe(), "-v", "error", "-rtsp_transport", "tcp", *fields, camera.url]
        said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.strip()
    assert said.splitlines()[0] == {"jpeg": "mjpeg,640,360", "gst": "h264,640,360"}[server]


def test_what_is_missing_skips_a_test_and_names_the_package(monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="apt-get install nothing"):
        needs_program("no-such-program", "nothing")


def test_what_is_missing_fails_a_test_on_ci(monkeypatch):
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="nothing is skipped"):
        needs_program("no-such-program", "nothing")
