"""The ASGI application: Django for HTTP, Channels for WebSockets, both behind the proxies that are believed."""

import os
from importlib.util import find_spec

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "factoryai.settings")

web = get_asgi_application()

from channels.auth import AuthMiddlewareStack  # noqa: E402 - models can be imported only now
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.conf import settings  # noqa: E402
from django.utils.module_loading import import_string  # noqa: E402

from factoryai.origins import OriginCheck  # noqa: E402
from factoryai.proxies import TrustedProxies  # noqa: E402
from factoryai.tokens import TokenMark, TokenUser  # noqa: E402
from streaming.delivery import ViewerGuard, WithFeed  # noqa: E402

ROUTINGS = ["factoryai.alerts.routing", "streaming.routing"]
routes = [route for name in ROUTINGS if find_spec(name) for route in import_string(f"{name}.websocket_urlpatterns")]
sockets = TokenMark(OriginCheck(AuthMiddlewareStack(TokenUser(URLRouter(routes)))))

protocols = ProtocolTypeRouter({"http": WithFeed(web), "websocket": sockets})
application = ViewerGuard(TrustedProxies(protocols, trusted=settings.TRUSTED_PROXIES))
