"""Pages."""

from django.urls import path

from occupancy import views

urlpatterns = [
    path("occupancy/", views.overview, name="occupancy"),
    path("occupancy/now", views.now, name="occupancy-now-fragment"),
    path("occupancy/<int:pk>/", views.zone, name="occupancy-zone"),
    path("occupancy/<int:pk>/trends", views.trends, name="occupancy-trends"),
    path("occupancy/<int:pk>/correct", views.correct, name="occupancy-correct"),
    path("occupancy/<int:pk>/<str:period>.csv", views.export, name="occupancy-export"),
]
