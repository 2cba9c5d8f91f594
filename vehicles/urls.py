"""Pages of the gate."""

from django.urls import path

from vehicles import views

urlpatterns = [
    path("vehicles/", views.log, name="gate-log"),
    path("vehicles/log.csv", views.export, name="gate-log-export"),
    path("vehicles/visits/", views.visits, name="visits"),
    path("vehicles/visits/<int:pk>/", views.visit, name="visit"),
    path("vehicles/review", views.review, name="plates-review"),
    path("vehicles/review/<int:pk>/decide", views.decide, name="plate-decide"),
]
