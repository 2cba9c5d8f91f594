"""The people of the demonstration scenes. They are drawn; none is a real person. Colours are BGR."""

from __future__ import annotations

from streaming.scenes.people import Person

BROWN, FAIR, DARK = (105, 145, 195), (125, 165, 210), (75, 110, 155)
BLACK, GREY = (28, 26, 26), (120, 118, 115)
NAVY, DENIM, CHARCOAL, SAND = (70, 50, 35), (115, 85, 60), (62, 60, 60), (120, 150, 170)
ORANGE, YELLOW, WHITE = (20, 125, 250), (40, 205, 245), (225, 228, 230)

FITTER = Person(1.74, BROWN, BLACK, GREY, DENIM, vest=ORANGE, helmet=YELLOW)
WELDER = Person(1.70, DARK, BLACK, NAVY, NAVY, vest=ORANGE, helmet=WHITE)
CLERK = Person(1.76, FAIR, BLACK, (205, 195, 185), CHARCOAL)
ACCOUNTANT = Person(1.62, BROWN, BLACK, (70, 55, 165), CHARCOAL, has_long_hair=True)
ENGINEER = Person(1.72, DARK, BLACK, (160, 105, 55), (60, 55, 50))
INSPECTOR = Person(1.64, FAIR, BLACK, (120, 150, 60), NAVY, has_long_hair=True)
DRIVER = Person(1.71, BROWN, GREY, (95, 125, 150), SAND)
GUARD = Person(1.78, BROWN, BLACK, (150, 120, 80), NAVY, helmet=(90, 60, 40))
