from rest_framework.routers import SimpleRouter

from factoryai.alerts.api import AlertViewSet

router = SimpleRouter(trailing_slash=False)
router.register("alerts", AlertViewSet)

urlpatterns = router.urls
