from rest_framework.routers import SimpleRouter

from identity.api import EmployeeViewSet

router = SimpleRouter(trailing_slash=False)
router.register("employees", EmployeeViewSet)

urlpatterns = router.urls
