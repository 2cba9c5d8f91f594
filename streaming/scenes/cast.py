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
STOREKEEPER = Person(1.69, FAIR, GREY, (96, 116, 84), DENIM, vest=ORANGE)
GUARD = Person(1.78, BROWN, BLACK, (150, 120, 80), NAVY, helmet=(90, 60, 40))

ASHA_FACE = Face(
    skin=(105, 148, 200), hair=(28, 24, 24), iris=(35, 45, 65), seed=837, width=0.807, crown=1.174,
    chin_length=1.02, jaw=1.5, eyes_apart=0.409, eyes_at=-0.146, eye_size=0.09, eye_opening=0.4, eye_slant=0.22,
    brow_thickness=0.04, brow_height=0.178, brow_arch=-0.03, brow_slant=-0.08, brow_length=0.255, nose_length=0.417,
    nose_width=0.24, nose_bridge=0.113, nose_height=0.18, mouth_at=0.58, mouth_width=0.19, upper_lip=0.074,
    lower_lip=0.08, chin=0.12, cheeks=0.012, sockets=0.077, hairline=-0.684, temples=0.115, has_long_hair=True,
)  # fmt: skip
OMAR_FACE = Face(
    skin=(70, 100, 150), hair=(28, 24, 24), iris=(30, 35, 50), seed=881, width=0.7, crown=1.194, chin_length=1.028,
    jaw=1.5, eyes_apart=0.42, eyes_at=-0.021, eye_size=0.166, eye_opening=0.4, eye_slant=0.143,
    brow_thickness=0.032, brow_height=0.238, brow_arch=0.073, brow_slant=0.087, brow_length=0.159, nose_length=0.27,
    nose_width=0.13, nose_bridge=0.14, nose_height=0.18, mouth_at=0.669, mouth_width=0.356, upper_lip=0.069,
    lower_lip=0.1, chin=0.033, cheeks=0.113, sockets=0.09, hairline=-0.904, temples=0.05, beard=0.9, moustache=0.9,
)  # fmt: skip
RAVI_FACE = Face(
    skin=(88, 125, 180), hair=(28, 24, 24), iris=(35, 40, 55), seed=693, width=0.93, crown=1.2, chin_length=1.081,
    jaw=1.5, eyes_apart=0.29, eyes_at=-0.001, eye_size=0.17, eye_opening=0.4, eye_slant=-0.12, brow_thickness=0.07,
    brow_height=0.16, brow_arch=0.007, brow_slant=-0.008, brow_length=0.222, nose_length=0.356, nose_width=0.24,
    nose_bridge=0.107, nose_height=0.284, mouth_at=0.65, mouth_width=0.225, upper_lip=0.059, lower_lip=0.052,
    chin=0.11, cheeks=0.0, sockets=0.135, hairline=-0.923, temples=0.162, moustache=0.9,
)  # fmt: skip
LENA_FACE = Face(
    skin=(135, 172, 222), hair=(45, 75, 120), iris=(110, 100, 70), seed=973, width=0.752, crown=1.113,
    chin_length=1.059, jaw=3.535, eyes_apart=0.344, eyes_at=-0.2, eye_size=0.17, eye_opening=0.688, eye_slant=-0.12,
    brow_thickness=0.036, brow_height=0.259, brow_arch=0.017, brow_slant=0.077, brow_length=0.227, nose_length=0.27,
    nose_width=0.09, nose_bridge=0.06, nose_height=0.191, mouth_at=0.58, mouth_width=0.349, upper_lip=0.062,
    lower_lip=0.079, chin=0.0, cheeks=0.12, sockets=0.05, hairline=-0.68, temples=0.49, has_long_hair=True,
)  # fmt: skip
CALLER_FACE = Face(
    skin=(120, 160, 212), hair=(160, 162, 165), iris=(120, 100, 60), seed=689, width=0.749, crown=1.2,
    chin_length=1.228, jaw=2.742, eyes_apart=0.378, eyes_at=-0.054, eye_size=0.139, eye_opening=0.689,
    eye_slant=-0.12, brow_thickness=0.033, brow_height=0.16, brow_arch=0.034, brow_slant=0.2, brow_length=0.167,
    nose_length=0.52, nose_width=0.24, nose_bridge=0.083, nose_height=0.387, mouth_at=0.647, mouth_width=0.4,
    upper_lip=0.034, lower_lip=0.057, chin=0.0, cheeks=0.037, sockets=0.05, hairline=-0.68, temples=0.174,
    has_glasses=True,
)  # fmt: skip

ASHA = Person(1.66, ASHA_FACE.skin, BLACK, (150, 70, 90), CHARCOAL, has_long_hair=True, face=ASHA_FACE)
OMAR = Person(1.75, OMAR_FACE.skin, BLACK, NAVY, DENIM, vest=ORANGE, face=OMAR_FACE)
RAVI = Person(1.72, RAVI_FACE.skin, BLACK, (140, 150, 120), CHARCOAL, face=RAVI_FACE)
LENA = Person(1.67, LENA_FACE.skin, LENA_FACE.hair, (96, 120, 60), NAVY, has_long_hair=True, face=LENA_FACE)
CALLER = Person(1.77, CALLER_FACE.skin, GREY, (165, 140, 120), SAND, face=CALLER_FACE)
AT_THE_DOOR = (ASHA, LENA, OMAR, CALLER, RAVI)
"""Who comes to the staff door. Their faces were drawn by lot until the face engine told them well apart: any two are
less than 0.33 alike, who is not enrolled less than 0.21 to who is (0.363 is for review), the same one more than 0.8."""
