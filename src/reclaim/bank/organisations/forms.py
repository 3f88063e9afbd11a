"""What operators and supervisors fill in about organisations and their people."""

from __future__ import annotations

from typing import Any

from django import forms

from reclaim.bank.organisations.models import Organisation, Practitioner
from reclaim.bank.organisations.services import About
from reclaim.sitekit.roles import HELPLINE_ROLES, Role

SCOPES = {
    Practitioner.Scope.OWN: "Only their own",
    Practitioner.Scope.TEAM: "Their team's too",
    Practitioner.Scope.ORGANISATION: "All of the organisation",
}


def _line(label: str, longest: int, help_text: str = "", *, required: bool = True) -> forms.CharField:
    widget = forms.TextInput(attrs={"autocomplete": "off"})
    return forms.CharField(label=label, max_length=longest, help_text=help_text, required=required, widget=widget)


class LanguagesField(forms.CharField):
    """Codes of languages, with spaces between them."""

    def __init__(self) -> None:
        hint = "Codes with spaces between them, such as en cy."
        widget = forms.TextInput(attrs={"autocomplete": "off"})
        super().__init__(label="Languages", max_length=200, help_text=hint, widget=widget)

    def clean(self, value: Any) -> Any:
        """A list of codes."""
        return str(super().clean(value)).replace(",", " ").split()

    def prepare_value(self, value: Any) -> Any:
        """As it is typed."""
        return " ".join(value) if isinstance(value, list) else value


class AboutForm(forms.Form):
    """What people see of an organisation."""

    country = _line("Country", 2, "Two letters, such as GB.")
    languages = LanguagesField()
    contact = _line("How a person reaches it", 300, "People see these words, and the next two.", required=False)
    hours = _line("Hours", 200, required=False)
    remit = _line("Whom it helps, with what", 300, required=False)
    reason = _line("Why it is let in", 300, "What was looked at: its register entry, who vouches, a call.")

    @classmethod
    def of(cls, organisation: Organisation) -> AboutForm:
        """Filled in."""
        return cls(initial={name: getattr(organisation, name) for name in cls.base_fields})

    def about(self) -> About:
        """What was filled in."""
        return About(**{name: self.cleaned_data[name] for name in AboutForm.base_fields})


class OwnWordsForm(forms.Form):
    """What a supervisor changes of the organisation."""

    contact = _line("How a person reaches you", 300, required=False)
    hours = _line("Hours", 200, required=False)
    remit = _line("Whom you help, with what", 300, required=False)
    languages = LanguagesField()

    @classmethod
    def of(cls, organisation: Organisation) -> OwnWordsForm:
        """Filled in."""
        return cls(initial={name: getattr(organisation, name) for name in cls.base_fields})

    def about(self, organisation: Organisation) -> About:
        """What was filled in; the rest stays."""
        return About(country=organisation.country, reason=organisation.reason, **self.cleaned_data)


class NewOrganisationForm(AboutForm):
    """An organisation with its first supervisor."""

    name = _line("Name", 80)
    supervisor = _line("First supervisor", 80, "The name with which they sign in. They let their colleagues in.")
    field_order = ("name", *AboutForm.base_fields, "supervisor")


class PersonForm(forms.Form):
    """What a practitioner sees."""

    scope = forms.ChoiceField(
        label="Which case files they see", choices=list(SCOPES.items()), widget=forms.RadioSelect, initial="own"
    )
    team = _line("Team", 80, "Leave it empty for none. A new name makes a new team.", required=False)
    languages = LanguagesField()

    @classmethod
    def of(cls, practitioner: Practitioner) -> PersonForm:
        """Filled in."""
        team = practitioner.team.name if practitioner.team else ""
        return cls(initial={"scope": practitioner.scope, "team": team, "languages": practitioner.languages})

    def clean(self) -> None:
        """A team's scope needs a team."""
        super().clean()
        if self.cleaned_data.get("scope") == Practitioner.Scope.TEAM and not self.cleaned_data.get("team", "").strip():
            self.add_error("team", "Name the team whose case files they see.")


class NewPersonForm(PersonForm):
    """A new practitioner or supervisor."""

    name = _line("Name", 80, "The name with which they sign in, and by which colleagues know them.")
    role = forms.ChoiceField(
        label="Role",
        choices=[(role.value, role.value.capitalize()) for role in HELPLINE_ROLES],
        widget=forms.RadioSelect,
        initial=Role.PRACTITIONER.value,
    )
    field_order = ("name", "role", *PersonForm.base_fields)
