"""The people of the demonstration scenes. They are drawn; none is a real person. Colours are BGR."""

from __future__ import annotations

from streaming.scenes.people import Person
from streaming.scenes.relief import Face

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

ASHA_FACE = Face(
    skin=(105, 148, 200), hair=(28, 24, 24), iris=(35, 45, 65), seed=837, width=0.769, crown=1.187,
    chin_length=1.02, jaw=1.5, eyes_apart=0.409, eyes_at=-0.146, eye_size=0.09, eye_opening=0.32, eye_slant=0.3,
    brow_thickness=0.056, brow_height=0.155, brow_arch=-0.06, brow_slant=-0.065, brow_length=0.195,
    nose_length=0.428, nose_width=0.235, nose_bridge=0.113, nose_height=0.239, mouth_at=0.58, mouth_width=0.19,
    upper_lip=0.075, lower_lip=0.1, chin=0.07, cheeks=0.012, sockets=0.058, hairline=-0.798, temples=0.191,
    has_long_hair=True,
)  # fmt: skip
OMAR_FACE = Face(
    skin=(70, 100, 150), hair=(28, 24, 24), iris=(30, 35, 50), seed=881, width=0.778, crown=1.194,
    chin_length=1.121, jaw=1.5, eyes_apart=0.44, eyes_at=0.006, eye_size=0.17, eye_opening=0.322, eye_slant=0.143,
    brow_thickness=0.032, brow_height=0.238, brow_arch=0.07, brow_slant=0.087, brow_length=0.159, nose_length=0.362,
    nose_width=0.13, nose_bridge=0.14, nose_height=0.196, mouth_at=0.669, mouth_width=0.346, upper_lip=0.075,
    lower_lip=0.099, chin=0.012, cheeks=0.113, sockets=0.07, hairline=-0.787, temples=0.051, beard=0.9,
    moustache=0.9,
)  # fmt: skip
RAVI_FACE = Face(
    skin=(88, 125, 180), hair=(28, 24, 24), iris=(35, 40, 55), seed=693, width=0.93, crown=1.183, chin_length=1.02,
    jaw=1.5, eyes_apart=0.27, eyes_at=-0.16, eye_size=0.17, eye_opening=0.379, eye_slant=-0.25,
    brow_thickness=0.072, brow_height=0.225, brow_arch=0.008, brow_slant=-0.048, brow_length=0.222,
    nose_length=0.345, nose_width=0.24, nose_bridge=0.133, nose_height=0.18, mouth_at=0.65, mouth_width=0.223,
    upper_lip=0.055, lower_lip=0.04, chin=0.14, cheeks=0.033, sockets=0.106, hairline=-0.95, temples=0.313,
    moustache=0.9,
)  # fmt: skip
LENA_FACE = Face(
    skin=(135, 172, 222), hair=(45, 75, 120), iris=(110, 100, 70), seed=973, width=0.88, crown=1.02,
    chin_length=1.126, jaw=2.34, eyes_apart=0.372, eyes_at=-0.195, eye_size=0.148, eye_opening=0.537,
    eye_slant=-0.005, brow_thickness=0.039, brow_height=0.259, brow_arch=0.017, brow_slant=-0.065, brow_length=0.27,
    nose_length=0.27, nose_width=0.09, nose_bridge=0.06, nose_height=0.295, mouth_at=0.64, mouth_width=0.303,
    upper_lip=0.073, lower_lip=0.1, chin=0.098, cheeks=0.115, sockets=0.069, hairline=-0.68, temples=0.423,
    has_long_hair=True,
)  # fmt: skip
CALLER_FACE = Face(
    skin=(120, 160, 212), hair=(160, 162, 165), iris=(120, 100, 60), seed=689, width=0.756, crown=1.177,
    chin_length=1.4, jaw=2.887, eyes_apart=0.374, eyes_at=-0.112, eye_size=0.094, eye_opening=0.756,
    eye_slant=-0.25, brow_thickness=0.054, brow_height=0.181, brow_arch=0.048, brow_slant=0.168, brow_length=0.243,
    nose_length=0.511, nose_width=0.24, nose_bridge=0.107, nose_height=0.37, mouth_at=0.672, mouth_width=0.4,
    upper_lip=0.03, lower_lip=0.046, chin=0.006, cheeks=0.056, sockets=0.138, hairline=-0.68, temples=0.079,
    has_glasses=True,
)  # fmt: skip

ASHA = Person(1.66, ASHA_FACE.skin, BLACK, (150, 70, 90), CHARCOAL, has_long_hair=True, face=ASHA_FACE)
OMAR = Person(1.75, OMAR_FACE.skin, BLACK, NAVY, DENIM, vest=ORANGE, face=OMAR_FACE)
RAVI = Person(1.72, RAVI_FACE.skin, BLACK, (140, 150, 120), CHARCOAL, face=RAVI_FACE)
LENA = Person(1.67, LENA_FACE.skin, LENA_FACE.hair, (96, 120, 60), NAVY, has_long_hair=True, face=LENA_FACE)
CALLER = Person(1.77, CALLER_FACE.skin, GREY, (165, 140, 120), SAND, face=CALLER_FACE)
AT_THE_DOOR = (ASHA, LENA, OMAR, CALLER, RAVI)
"""Who comes to the staff door. Their faces were drawn by lot until the face engine told them well apart: any two are
less than 0.3 alike (the limit for a review), the same one is more than 0.7 alike in both photos and in the scene."""
