"""What a camera's address may be: every way in that was found elsewhere is refused here, before a packet leaves."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.sources import Allowance, Source, SourceError, parse_source, resolve, with_credentials

ALLOWANCE = Allowance(scenes=frozenset({"street", "gate"}))
PRIVATE = ["10.0.0.0/8", "192.168.0.0/16", "fc00::/7"]


def code_of(text: str, allowance: Allowance = ALLOWANCE) -> str:
    with pytest.raises(SourceError) as caught:
        parse_source(text, allowance)
    return caught.value.code


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("rtsp://192.168.1.20/stream1", Source("rtsp", "rtsp://192.168.1.20/stream1")),
        ("RTSP://cam.local:8554/a?b=c", Source("rtsp", "rtsp://cam.local:8554/a?b=c")),
        ("rtsps://10.0.0.4/", Source("rtsp", "rtsps://10.0.0.4/")),
        ("rtsp://[fd00::7]:554/x", Source("rtsp", "rtsp://[fd00::7]:554/x")),
        ("rtsp://user:p%40ss%3A1@10.0.0.4/x", Source("rtsp", "rtsp://10.0.0.4/x", "user", "p@ss:1")),
        ("demo:street", Source("demo", "demo:street")),
    ],
)
def test_a_camera_address_is_taken_apart(text: str, source: Source) -> None:
    assert parse_source(text, ALLOWANCE) == source


@pytest.mark.parametrize(
    "text",
    [
        "http://10.0.0.4/x",
        "https://10.0.0.4/x",
        "file:///etc/passwd",
        "/etc/passwd",
        "concat:rtsp://10.0.0.4/x|/etc/passwd",
        "subfile,,start,0,end,9,,:/etc/passwd",
        "-i",
        "tcp://10.0.0.4:6379",
        "rtp://239.0.0.1",
        "pipe:0",
        "data:text/plain,x",
        "ftp://10.0.0.4/x",
        "//10.0.0.4/x",
        "rtsp:10.0.0.4/x",
        "srt://10.0.0.4",
        "0",
    ],
)
def test_another_scheme_is_refused(text: str) -> None:
    assert code_of(text) in {"bad_scheme", "files_not_allowed"}


@pytest.mark.parametrize(
    "text",
    [
        "rtsp://10.0.0.4/x\nrtsp://10.0.0.5/",
        "rtsp://10.0.0.4/x\r",
        "rtsp://10.0.0.4/a b",
        "rtsp://10.0.0.4/x -i /etc/passwd",
        "rtsp://10.0.0.4/\x00",
        "rtsp://10.0.0.4/x|rtsp_transport;udp",
        "rtsp://10.0.0.4/x#y",
        "rtsp://10.0.0.4/x\\y",
        "rtsp://10.0.0.4/`id`",
        "rtsp://käse.local/x",
        "rtsp://user:a%0Ab@10.0.0.4/x",
    ],
)
def test_characters_that_no_camera_uses_are_refused(text: str) -> None:
    assert code_of(text) == "bad_characters"


@pytest.mark.parametrize(
    "text",
    [
        "rtsp://",
        "rtsp:///x",
        "rtsp://:554/x",
        "rtsp://10.0.0.4:99999/",
        "rtsp://10.0.0.4:0/",
        "rtsp://10.0.0.4:x/",
        "rtsp://-i/x",
        "rtsp://[::1/x",
        "rtsp://a..b/x",
        "rtsp://a_b/x",
        "rtsp://[v1.x]/",
    ],
)
def test_a_host_or_port_that_makes_no_sense_is_refused(text: str) -> None:
    assert code_of(text) == "bad_address"


def test_nothing_and_too_much_are_refused() -> None:
    assert code_of("") == "bad_length"
    assert code_of("rtsp://10.0.0.4/" + "x" * 500) == "bad_length"


def test_a_scene_that_is_not_shipped_is_refused() -> None:
    assert code_of("demo:moon") == "unknown_scene"
    assert code_of("demo:street", Allowance()) == "unknown_scene"


@pytest.mark.parametrize("name", ["../secret.mp4", "a/../../secret.mp4", "missing.mp4", "link.mp4"])
def test_a_file_outside_the_folder_for_clips_is_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "clips"
    folder.mkdir()
    (tmp_path / "secret.mp4").write_bytes(b"x")
    (folder / "link.mp4").symlink_to(tmp_path / "secret.mp4")
    (folder / "ok.mp4").write_bytes(b"x")
    allowance = Allowance(folder=folder)
    assert parse_source("file:ok.mp4", allowance) == Source("file", "file:ok.mp4")
    assert code_of(f"file:{name}", allowance) in {"no_such_file", "bad_scheme"}


def resolve_to(*addresses: str, networks: list[str] = PRIVATE, host: str = "cam.local") -> str:
    return resolve(Source("rtsp", f"rtsp://{host}/x?y=1"), networks, lambda name, port: addresses)


def test_the_reader_gets_the_resolved_address() -> None:
    assert resolve_to("192.168.1.20") == "rtsp://192.168.1.20:554/x?y=1"
    assert resolve_to("fd00::7") == "rtsp://[fd00::7]:554/x?y=1"


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "::1", "169.254.169.254", "fe80::1%eth0", "8.8.8.8", "0.0.0.0", "224.0.0.1", "::ffff:127.0.0.1"],
)
def test_an_address_outside_the_listed_networks_is_refused(address: str) -> None:
    with pytest.raises(SourceError) as caught:
        resolve_to(address)
    assert caught.value.code == "network_not_allowed"


def test_a_name_with_one_address_outside_is_refused_whole() -> None:
    with pytest.raises(SourceError, match="networks for cameras"):
        resolve_to("192.168.1.20", "127.0.0.1")


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "::1"])
def test_the_whole_internet_does_not_mean_this_machine(address: str) -> None:
    with pytest.raises(SourceError):
        resolve_to(address, networks=["0.0.0.0/0", "::/0"])


TUNNELLED = [
    pytest.param("64:ff9b::{}", id="NAT64"),
    pytest.param("64:ff9b:1::{}", id="NAT64 of one's own"),
    pytest.param("::ffff:0:{}", id="stateless NAT64"),
    pytest.param("2002:{}::1", id="6to4"),
    pytest.param("::{}", id="IPv4-compatible"),
    pytest.param("2001:db8::5efe:{}", id="ISATAP"),
    pytest.param("2001:db8::200:5efe:{}", id="global ISATAP"),
]


@pytest.mark.parametrize("form", TUNNELLED)
@pytest.mark.parametrize("hidden", ["7f00:1", "a9fe:a9fe", "0:0", "e000:1"])
def test_a_forbidden_address_in_another_form_is_refused_whatever_is_listed(form: str, hidden: str) -> None:
    for networks in (["::/0"], ["::/0", "0.0.0.0/0"]):
        with pytest.raises(SourceError):
            resolve_to(form.format(hidden), networks=networks)


@pytest.mark.parametrize("address", ["2001:0:a9fe:a9fe::", "2001:0:808:808:0:0:80ff:fffe", "2001:0:808:808::5601:5601"])
def test_a_tunnel_to_a_forbidden_address_is_refused_at_both_its_ends(address: str) -> None:
    with pytest.raises(SourceError):
        resolve_to(address, networks=["::/0", "0.0.0.0/0"])


def test_a_camera_behind_nat64_is_reached_where_both_its_networks_are_listed() -> None:
    assert resolve_to("64:ff9b::a00:7", networks=["64:ff9b::/96", "10.0.0.0/8"]).startswith("rtsp://[64:ff9b::a00:7]")
    with pytest.raises(SourceError):
        resolve_to("64:ff9b::a00:7", networks=["::/0"])


def test_loopback_is_allowed_where_it_is_listed() -> None:
    assert resolve_to("127.0.0.1", networks=["127.0.0.0/8"]) == "rtsp://127.0.0.1:554/x?y=1"


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost"])
def test_loopback_in_disguise_is_refused_without_a_packet(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        with pytest.raises(SourceError):
            resolve(parse_source(f"rtsp://{host}:{listener.getsockname()[1]}/x", ALLOWANCE), PRIVATE)
        with pytest.raises(TimeoutError):
            listener.accept()


def test_a_name_nobody_knows_says_so() -> None:
    def unknown(name: str, port: int) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(SourceError) as caught:
        resolve(Source("rtsp", "rtsp://cam.local/x"), PRIVATE, unknown)
    assert caught.value.code == "unknown_host"


CREDENTIALS = st.text(st.characters(exclude_categories=["C", "Z"]), max_size=20)


@given(CREDENTIALS, CREDENTIALS)
def test_user_and_password_survive_the_way_to_the_reader(username: str, password: str) -> None:
    url = with_credentials("rtsp://10.0.0.4:554/x", username, password)
    parsed = parse_source(url, ALLOWANCE) if len(url) <= 500 else Source("rtsp", "", username, password)
    assert (parsed.username, parsed.password) == (username, password)


@given(
    st.one_of(st.text(), st.text().map(lambda tail: "rtsp://" + tail), st.text().map(lambda t: f"rtsp://10.0.0.4/{t}"))
)
def test_any_text_is_taken_apart_or_refused_with_a_code(text: str) -> None:
    with contextlib.suppress(SourceError):
        source = parse_source(text, ALLOWANCE)
        assert "@" not in source.address.partition("://")[2].partition("/")[0]
        assert source.address.startswith(("rtsp://", "rtsps://", "demo:"))


def test_a_refusal_never_repeats_the_password() -> None:
    for text in ("http://u:Canary-7@10.0.0.4/", "rtsp://u:Canary-7@/x", "rtsp://u:Canary-7@10.0.0.4/a b"):
        with pytest.raises(SourceError) as caught:
            parse_source(text, ALLOWANCE)
        assert "Canary" not in str(caught.value)
    assert "Canary" not in repr(parse_source("rtsp://u:Canary-7@10.0.0.4/x", ALLOWANCE))
