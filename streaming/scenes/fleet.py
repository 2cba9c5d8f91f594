"""The vehicles that come to the demonstration gate. Registrations are made up, in real series of real states."""

from __future__ import annotations

from streaming.scenes.plates import Plate, Use
from streaming.scenes.vehicles import CAR, TRUCK, Vehicle

HATCHBACK, ESTATE, SUV, PICKUP = (1.0, 0.98), (1.05, 0.98), (1.08, 1.08), (0.74, 0.68)

FLEET = (
    Vehicle(CAR, (52, 42, 168), Plate("MH 12 DE 1433", Use.PRIVATE), ESTATE),
    Vehicle(TRUCK, (40, 150, 235), Plate("HR 55 AK 6671", Use.COMMERCIAL), PICKUP),
    Vehicle(CAR, (215, 214, 212), Plate("KA 05 MJ 7026", Use.PRIVATE), HATCHBACK),
    Vehicle(CAR, (150, 110, 55), Plate("GJ 01 KD 2259", Use.ELECTRIC), SUV),
    Vehicle(TRUCK, (165, 95, 40), Plate("TN 38 CB 9518", Use.COMMERCIAL), PICKUP),
    Vehicle(CAR, (200, 200, 205), Plate("RJ 14 TC 8264", Use.COMMERCIAL), ESTATE),
)
