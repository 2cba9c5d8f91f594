"""The WebSocket addresses of the pictures."""

from django.urls import path

from streaming.consumers import WallConsumer

websocket_urlpatterns = [path("ws/wall", WallConsumer.as_asgi())]
