"""What practitioners fill in. Everything that may be left out may be: nobody has to tell a story."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from functools import lru_cache
from string import ascii_uppercase
from typing import Any, cast

from babel import Locale, UnknownLocaleError
from django import forms
from django.forms.renderers import BaseRenderer
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from reclaim.bank.casework.facts import Facts, FactsError, places_of
from reclaim.bank.casework.models import AtRisk, CaseFile, Channel, Happened, Outcome, Police, Said, Stage, Status
from reclaim.bank.casework.safety import Answer, Question, questions
from reclaim.bank.casework.services import LONGEST_TASK, LONGEST_WORDS
from reclaim.bank.directory.queries import countries_and_languages
from reclaim.bank.organisations.models import Organisation, Practitioner, Team
from reclaim.bank.organisations.queries import active_practitioners
from reclaim.sitekit.languages import LANGUAGES
from reclaim.sitekit.places import country_name, is_country, language_name

LONGEST_REACH = 500
_STARTS = (Channel.PHONE, Channel.CHAT, Channel.FORM)


@lru_cache
def country_choices() -> list[tuple[str, str]]:
    """Every country by its English name."""
    codes = (one + two for one in ascii_uppercase for two in ascii_uppercase)
    return sorted(((code, country_name(code)) for code in codes if is_country(code)), key=lambda each: each[1])


def spoken(code: str) -> str:
    """A language by its English name."""
    try:
        return str(Locale.parse(code, sep="-").get_display_name("en") or code)
    except (UnknownLocaleError, ValueError):
        return language_name(code)


def language_choices() -> list[tuple[str, str]]:
    """The languages of the person's pages and of the directory, by their English names."""
    codes = {*LANGUAGES, *countries_and_languages()[1]}
    return sorted(((code, spoken(code)) for code in codes), key=lambda each: each[1])


def options_of(choices: Iterable[tuple[str, str]], chosen: object) -> SafeString:
    """The options of a long list, as HTML: Django's own would render a template for each of 250 countries."""
    marked = ((value, " selected" if value == chosen else "", label) for value, label in choices)
    return format_html_join("", '<option value="{}"{}>{}</option>', marked)


class _LongSelect(forms.Select):
    """A select with many options."""

    def render(
        self, name: str, value: object, attrs: dict[str, Any] | None = None, renderer: BaseRenderer | None = None
    ) -> SafeString:
        """The whole element."""
        given = flatatt(self.build_attrs({**self.attrs, "name": name}, attrs))
        return format_html(
            "<select{}>{}</select>", given, options_of(cast(Iterable[tuple[str, str]], self.choices), value)
        )


def _several(choices: Any, label: str) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(choices=choices, label=label, required=False, widget=forms.CheckboxSelectMultiple)


def _one(choices: Any, label: str) -> forms.ChoiceField:
    return forms.ChoiceField(choices=choices, label=label, required=False, widget=forms.RadioSelect)


def _words(label: str, longest: int, rows: int, *, help_text: str = "", required: bool = False) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": rows, "maxlength": longest, "autocomplete": "off"})
    return forms.CharField(
        label=label,
        max_length=longest,
        widget=widget,
        help_text=help_text,
        required=required,
        error_messages={"required": "Write something first."},
    )


class FactsForm(forms.Form):
    """The facts of a case file, its safety questions, and the words that are sealed."""

    use_required_attribute = False

    happened = _several(Happened.choices, "Which of these?")
    stage = _one(Stage.choices, "Threatened or shared?")
    places = forms.CharField(
        label="Where?",
        required=False,
        max_length=400,
        help_text="Names of sites or apps, separated by commas. Addresses of pages are added as links afterwards.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "Instagram, example.com"}),
    )
    since = forms.DateField(
        label="Since when, roughly?",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": "Write the day as 2026-11-26, or leave it empty."},
    )
    made_with_ai = _one(Said.choices, "Made or changed with AI?")
    at_risk = _several(AtRisk.choices, "Who is at risk now?")
    police = _one(Police.choices, "Do the police know?")
    country = forms.ChoiceField(label="Country of the person", required=False, widget=_LongSelect)
    language = forms.ChoiceField(label="Language of the person", widget=_LongSelect)
    reach = _words(
        "How and when is it safe to reach them?",
        LONGEST_REACH,
        2,
        help_text="Sealed. For example: by signal, on weekday mornings, never a voice message; «blue» means not now.",
    )
    words = _words("A few words, if they help", LONGEST_WORDS, 3, help_text="Sealed. Nobody has to tell the story.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for question in questions():
            choices = [(answer.key, answer.text) for answer in question.answers]
            self.fields[f"safety-{question.key}"] = _one(choices, question.text)
        for name, choices in (
            ("country", [("", "Not said"), *country_choices()]),
            ("language", language_choices()),
        ):
            cast(forms.ChoiceField, self.fields[name]).choices = choices

    @classmethod
    def initial_of(cls, case_file: CaseFile) -> dict[str, Any]:
        """What the form shows of a case file; its sealed words are the caller's."""
        facts = Facts.of(case_file).columns()
        facts["places"] = ", ".join(case_file.places)
        return {**facts, **{f"safety-{key}": answer for key, answer in case_file.safety.items()}}

    def safety_rows(self) -> list[tuple[Question, forms.BoundField, list[tuple[Any, Answer]]]]:
        """Each question with its field, and each choice with what to do for it."""
        rows = []
        for question in questions():
            field = self[f"safety-{question.key}"]
            rows.append((question, field, list(zip(field, question.answers, strict=True))))
        return rows

    def clean(self) -> dict[str, Any]:
        """Everything together makes facts; what does not is said beside its field."""
        cleaned = super().clean() or {}
        if any(name in FactsForm.base_fields or name.startswith("safety-") for name in self.errors):
            return cleaned
        safety = {name.removeprefix("safety-"): cleaned[name] for name in cleaned if name.startswith("safety-")}
        try:
            cleaned["facts"] = Facts(
                country=cleaned["country"],
                language=cleaned["language"],
                happened=cleaned["happened"],
                stage=cleaned["stage"] or Stage.UNKNOWN,
                since=cleaned["since"],
                places=places_of(cleaned["places"]),
                made_with_ai=cleaned["made_with_ai"] or Said.UNKNOWN,
                at_risk=cleaned["at_risk"],
                police=cleaned["police"] or Police.UNKNOWN,
                safety={key: answer for key, answer in safety.items() if answer},
            )
        except FactsError as error:
            self.add_error(error.fact if error.fact in self.fields else None, str(error))
        return cleaned


class IntakeForm(FactsForm):
    """The first talk with a person."""

    adults = forms.ChoiceField(
        label="Is everybody in the pictures 18 or over, then and now?",
        choices=[("yes", "Yes"), ("no", "No, or not sure")],
        widget=forms.RadioSelect,
        error_messages={"required": "Ask this first."},
    )
    channel = forms.ChoiceField(
        label="How did they come to you?",
        choices=[(each.value, each.label) for each in _STARTS],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose how they came to you."},
    )
    agreed = forms.BooleanField(
        label="They know what is kept here and for how long, and agree",
        error_messages={"required": "Without their agreement nothing is kept. Help them, and close this page."},
    )


class TaskForm(forms.Form):
    """Something to be done by a day."""

    use_required_attribute = False
    text = forms.CharField(
        label="What is to be done",
        max_length=LONGEST_TASK,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Write what is to be done."},
    )
    due_on = forms.DateField(
        label="Until",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": "Choose a day.", "invalid": "Write the day as 2026-11-26."},
    )

    def clean_due_on(self) -> datetime.date:
        """A day that a calendar of ours has room for."""
        day: datetime.date = self.cleaned_data["due_on"]
        if not 2020 <= day.year <= 2100:
            raise forms.ValidationError("Choose a day of the next years.")
        return day


class NoteForm(forms.Form):
    """A note."""

    use_required_attribute = False
    text = _words("New note", LONGEST_WORDS, 4, required=True)


class OfferForm(forms.Form):
    """A case file is offered to a colleague or a team."""

    use_required_attribute = False
    to = forms.ChoiceField(label="To", error_messages={"required": "Choose somebody."})
    text = _words("What they should know", LONGEST_WORDS, 5, help_text="Sealed.", required=True)

    def __init__(self, practitioner: Practitioner, organisation: Organisation, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._people = {f"practitioner-{each.pk}": each for each in active_practitioners(organisation)}
        self._people.pop(f"practitioner-{practitioner.pk}", None)
        self._teams = {f"team-{each.pk}": each for each in organisation.teams.order_by("name")}
        cast(forms.ChoiceField, self.fields["to"]).choices = [
            ("", "Choose"),
            *((key, f"{each.name} ({each.member.role})") for key, each in self._people.items()),
            *((key, f"Team: {each.name}") for key, each in self._teams.items()),
        ]

    def whom(self) -> Practitioner | Team:
        """Who was chosen; of a valid form."""
        key = self.cleaned_data["to"]
        return self._people[key] if key in self._people else self._teams[key]


class CloseForm(forms.Form):
    """How the work ended."""

    use_required_attribute = False
    outcome = forms.ChoiceField(
        label="How did it end?",
        choices=Outcome.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose how it ended."},
    )
    reason = _words("Why, in a few words", LONGEST_REACH, 2, help_text="Sealed.")


class StatusForm(forms.Form):
    """At work, or waiting for somebody outside."""

    status = forms.ChoiceField(choices=[(each.value, each.label) for each in (Status.OPEN, Status.WAITING)])
