"""What reviewers type."""

from __future__ import annotations

from django import forms

from reclaim.platform.inbox.models import Decision


class SignInForm(forms.Form):
    """Name and password."""

    name = forms.CharField(max_length=80)
    password = forms.CharField(max_length=200, strip=False)


class PasswordForm(forms.Form):
    """A new password, twice."""

    password = forms.CharField(max_length=200, strip=False)
    again = forms.CharField(max_length=200, strip=False)

    def clean(self) -> None:
        """Both must be the same."""
        super().clean()
        if self.cleaned_data.get("password") != self.cleaned_data.get("again"):
            raise forms.ValidationError("The two passwords are not the same.")


class DecisionForm(forms.Form):
    """What a reviewer decided, and why if they like to say."""

    decision = forms.ChoiceField(choices=Decision.Verdict.choices)
    reason = forms.ChoiceField(choices=Decision.Reason.choices, required=False)
    note = forms.CharField(max_length=500, required=False)
