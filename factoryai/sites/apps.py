from django.apps import AppConfig


class SitesConfig(AppConfig):
    name = "factoryai.sites"
    label = "sites"
    verbose_name = "Sites and people"
