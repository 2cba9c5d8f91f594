from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class FactoryAIConfig(AppConfig):
    """The project as an app: its commands, checks, template tags and the arrangement of the admin."""

    name = "factoryai"
    verbose_name = "Factory AI"

    def ready(self) -> None:
        from factoryai import checks  # noqa: F401 - registers itself


class FactoryAdminConfig(AdminConfig):
    """Django's administration with the product's own site."""

    default_site = "factoryai.administration.FactoryAdminSite"
