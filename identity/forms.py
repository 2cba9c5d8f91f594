"""What the review page and the admin send."""

from __future__ import annotations

from django import forms


class FaceForm(forms.Form):
    """Everything the buttons beside a face may come with; each uses what it needs."""

    employee = forms.CharField(max_length=200, required=False)
    label = forms.CharField(max_length=120, required=False)
    into = forms.IntegerField(required=False, min_value=1, error_messages={"invalid": "Write the number of a face."})
    punch = forms.BooleanField(required=False)
    enrol = forms.BooleanField(required=False)
