"""What reviewers type."""

from __future__ import annotations

from django import forms

from reclaim.platform.inbox.models import Decision


class DecisionForm(forms.Form):
    """What a reviewer decided, and why if they like to say."""

    decision = forms.ChoiceField(choices=Decision.Verdict.choices)
    reason = forms.ChoiceField(choices=Decision.Reason.choices, required=False)
    note = forms.CharField(max_length=500, required=False)
