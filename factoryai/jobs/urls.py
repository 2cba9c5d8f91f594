"""Pages."""

from django.urls import path

from factoryai.jobs import views

urlpatterns = [
    path("scheduler/", views.scheduler, name="scheduler"),
    path("scheduler/jobs", views.jobs, name="scheduler-jobs-fragment"),
    path("scheduler/run", views.run, name="scheduler-run"),
]
