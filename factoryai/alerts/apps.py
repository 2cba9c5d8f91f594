from django.apps import AppConfig


class AlertsConfig(AppConfig):
    name = "factoryai.alerts"
    label = "alerts"
    verbose_name = "Alerts"
