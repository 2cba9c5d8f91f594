from django.apps import AppConfig


class FactoryAIConfig(AppConfig):
    """The project as an app: its commands, checks, template tags and the arrangement of the admin."""

    name = "factoryai"
    verbose_name = "Factory AI"

    def ready(self) -> None:
        from django.contrib import admin

        from factoryai import checks  # noqa: F401 - registers itself

        admin.site.site_header = admin.site.site_title = "Factory AI"
        admin.site.index_title = "Administration"
        admin.site.enable_nav_sidebar = False
        admin.site.login_template = "registration/login.html"
