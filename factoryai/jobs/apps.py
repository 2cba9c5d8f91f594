from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "factoryai.jobs"
    label = "jobs"
    verbose_name = "Jobs"
