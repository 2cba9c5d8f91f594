"""Real RTSP servers for tests: `rtsp_camera` starts one, `read_timecode` reads the age out of its picture."""

from tests.rtsp.camera import CameraSpec, TestCamera, rtsp_camera
from tests.rtsp.timecode import TimecodeError, draw_timecode, read_timecode

__all__ = ["CameraSpec", "TestCamera", "TimecodeError", "draw_timecode", "read_timecode", "rtsp_camera"]
