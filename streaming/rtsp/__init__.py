"""The shipped scenes as network cameras, RTP/JPEG (RFC 2435) over RTSP: a demonstration without a camera."""
