"""What members type."""

from __future__ import annotations

from django import forms

LONGEST_PASSWORD = 200
PASSWORDS_DIFFER = "The two passwords are not the same, or one is missing. Please type both again."


class SignInForm(forms.Form):
    """Name and password."""

    name = forms.CharField(max_length=80)
    password = forms.CharField(max_length=LONGEST_PASSWORD, strip=False)


class PasswordForm(forms.Form):
    """A new password, twice."""

    password = forms.CharField(max_length=LONGEST_PASSWORD, strip=False)
    again = forms.CharField(max_length=LONGEST_PASSWORD, strip=False)

    def clean(self) -> None:
        """Both must be the same."""
        super().clean()
        if self.cleaned_data.get("password") != self.cleaned_data.get("again"):
            raise forms.ValidationError("The two passwords are not the same.")
