from rest_framework.routers import SimpleRouter

from factoryai.sites.api import SiteViewSet

router = SimpleRouter(trailing_slash=False)
router.register("sites", SiteViewSet)

urlpatterns = router.urls
