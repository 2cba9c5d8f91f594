from django.urls import path
from rest_framework.routers import SimpleRouter

from attendance.api.corrections import CorrectionViewSet
from attendance.api.days import DayViewSet, LedgerView
from attendance.api.periods import PayrollExportView, PeriodViewSet
from attendance.api.punches import CheckInView, CheckOutView, PunchViewSet
from attendance.api.shifts import AssignmentViewSet, HolidayViewSet, ShiftViewSet

router = SimpleRouter(trailing_slash=False)
router.register("attendance/shifts", ShiftViewSet)
router.register("attendance/assignments", AssignmentViewSet)
router.register("attendance/holidays", HolidayViewSet)
router.register("attendance/punches", PunchViewSet)
router.register("attendance/days", DayViewSet)
router.register("attendance/corrections", CorrectionViewSet)
router.register("attendance/periods", PeriodViewSet)

urlpatterns = [
    *router.urls,
    path("attendance/check-in", CheckInView.as_view(), name="attendance-check-in"),
    path("attendance/check-out", CheckOutView.as_view(), name="attendance-check-out"),
    path("attendance/grace-ledger", LedgerView.as_view(), name="attendance-grace-ledger"),
    path("attendance/payroll-export", PayrollExportView.as_view(), name="attendance-payroll-export"),
]
