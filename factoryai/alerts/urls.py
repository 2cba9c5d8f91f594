"""Pages."""

from django.urls import path

from factoryai.alerts import views

urlpatterns = [
    path("alerts/", views.history, name="alerts"),
    path("alerts.csv", views.export, name="alerts-export"),
    path("alerts/<int:pk>/", views.alert, name="alert"),
    path("alerts/<int:pk>/life", views.life, name="alert-life"),
    path("alerts/<int:pk>/acknowledge", views.acknowledge, name="alert-acknowledge"),
    path("alerts/<int:pk>/close", views.close, name="alert-close"),
]
