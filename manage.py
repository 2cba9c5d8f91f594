#!/usr/bin/env python
"""Run Factory AI's commands; ``python manage.py up`` starts everything on one machine."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "factoryai.settings")
    from django.core.management import execute_from_command_line

    from factoryai.env import SettingError

    try:
        execute_from_command_line(sys.argv)
    except SettingError as refusal:
        sys.exit(str(refusal))


if __name__ == "__main__":
    main()
