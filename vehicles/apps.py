from django.apps import AppConfig


class VehiclesConfig(AppConfig):
    name = "vehicles"
    verbose_name = "Vehicles at the gate"

    def ready(self) -> None:
        from vehicles.services.pictures import keep_needed_pictures

        keep_needed_pictures()
