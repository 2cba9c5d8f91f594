"""Pages and fragments."""

from django.urls import path

from factoryai.dashboard import views

urlpatterns = [
    path("", views.home, name="home"),
    path("screen/", views.screen, name="screen"),
    path("overview/", views.overview, name="overview"),
    path("desk/", views.desk, name="desk"),
    path("blocks/<slug:name>", views.block, name="block"),
    path("start/", views.start, name="start"),
    path("start/dismiss", views.dismiss, name="start-dismiss"),
    path("start/<slug:key>", views.do_step, name="start-step"),
]
