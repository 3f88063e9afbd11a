"""What members of the review fill in."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django import forms

from reclaim.platform.inbox.models import Decision, Rules, Upload
from reclaim.platform.review.models import Preferences
from reclaim.platform.review.queries import Filters

if TYPE_CHECKING:
    _PreferencesForm = forms.ModelForm[Preferences]
    _RulesForm = forms.ModelForm[Rules]
else:
    _PreferencesForm = _RulesForm = forms.ModelForm

_NUMBER = forms.TextInput(attrs={"inputmode": "numeric"})
_NUMBERS = (
    "undo_minutes",
    "answer_after_minutes",
    "appeal_days",
    "break_after_minutes",
    "break_minutes",
    "hourly_minutes",
)


class DecisionForm(forms.Form):
    """What a reviewer decided, and why if they like to say."""

    decision = forms.ChoiceField(choices=Decision.Verdict.choices)
    reason = forms.ChoiceField(choices=Decision.Reason.choices, required=False)
    note = forms.CharField(max_length=500, required=False)


class AppealForm(DecisionForm):
    """What was decided when an uploader asked again."""

    answer = forms.CharField(max_length=1000)


class UndoForm(forms.Form):
    """Why something is undone."""

    why = forms.CharField(max_length=500, required=False)


class FilterForm(forms.Form):
    """Which matches to list."""

    kind = forms.ChoiceField(
        label="What was uploaded",
        choices=[("", "Pictures and videos"), (Upload.Kind.PICTURE, "Pictures"), (Upload.Kind.VIDEO, "Videos")],
        required=False,
    )
    near = forms.ChoiceField(
        label="How near",
        choices=[("", "Near and far"), ("near", "Near: most likely what was reported"), ("far", "Far: look with care")],
        required=False,
    )
    found = forms.ChoiceField(
        label="How it was found",
        choices=[
            ("", "In any way"),
            ("same", "As it lies"),
            ("turned", "Turned or mirrored"),
            ("cut", "In a part of the upload, without bars or a caption, or tilted"),
            ("parts", "Only by parts"),
            ("altered", "Partly altered"),
            ("source", "From a clothed original"),
            ("unchecked", "By parts, and not checked by the bank yet"),
        ],
        required=False,
    )
    waits = forms.ChoiceField(
        label="Which",
        choices=[
            ("", "All that I can decide"),
            ("second", "Those that wait for a second person"),
            ("own", "Those that I have decided and that wait for somebody else"),
        ],
        required=False,
    )
    order = forms.ChoiceField(
        label="In which order",
        choices=[("", "Longest waiting first"), ("newest", "Newest first")],
        required=False,
    )
    ai = forms.BooleanField(label="Only what was said to be made with AI", required=False)

    def filters(self) -> Filters:
        """What was chosen; call it on a valid form."""
        said = self.cleaned_data
        return Filters(said["kind"], said["near"], said["found"], said["ai"], said["waits"], said["order"] == "newest")


class PreferencesForm(_PreferencesForm):
    """How a member likes to work."""

    class Meta:
        model = Preferences
        fields = ("blur", "size", "hide_after", "shortcuts", "goes_on")
        labels: ClassVar = {
            "blur": "How strongly pictures are blurred",
            "size": "How large a picture is shown clearly",
            "hide_after": "Blur a picture again after so many seconds",
            "shortcuts": "Single keys do things on the page of a match",
            "goes_on": "After a decision, open the next match at once",
        }
        help_texts: ClassVar = {
            "blur": "The server blurs. A strong blur tells almost nothing.",
            "hide_after": "Without a key or a touch, 0 to 600. With 0 it stays until you blur it.",
        }
        widgets: ClassVar = {"hide_after": _NUMBER}


class RulesForm(_RulesForm):
    """The rules of the review."""

    class Meta:
        model = Rules
        fields = (
            "two_to_block",
            "two_to_let_through",
            "two_for_appeals",
            "undo_minutes",
            "answer_after_minutes",
            "appeal_days",
            "break_after_minutes",
            "break_minutes",
            "hourly_minutes",
            "hourly_cap_is_hard",
        )
        labels: ClassVar = {
            "two_to_block": "Two people to block",
            "two_to_let_through": "Two people not to block",
            "two_for_appeals": "Two people to answer an uploader who asks again",
            "undo_minutes": "Minutes in which somebody can take back their own decision",
            "answer_after_minutes": "Minutes before our own systems are told",
            "appeal_days": "Days in which an uploader can ask again",
            "break_after_minutes": "Minutes of work before a break is suggested",
            "break_minutes": "Minutes of a break",
            "hourly_minutes": "Minutes an hour with pictures shown clearly",
            "hourly_cap_is_hard": "Beyond that, show nothing clearly until the hour has passed",
        }
        help_texts: ClassVar = {
            "two_to_let_through": "Close: the very file, at most 10 bits apart, or half of a video.",
            "undo_minutes": "0 to 120. The copy of an upload that is not blocked is kept as long.",
            "answer_after_minutes": "0 to 120. Until then they read «held», so that a slip does no harm.",
            "appeal_days": "0 to 90. The copy of a blocked upload is kept as long; a lead can undo for as long.",
            "break_after_minutes": "20 to 120.",
            "break_minutes": "5 to 60. A pause of that length counts as a break.",
            "hourly_minutes": "0 to 60; 0 is no limit.",
            "hourly_cap_is_hard": "Otherwise it is only said. Deciding with a blurred picture is always possible.",
        }
        widgets: ClassVar = dict.fromkeys(_NUMBERS, _NUMBER)


class MatchingForm(_RulesForm):
    """What is looked for, beside copies that look alike."""

    class Meta:
        model = Rules
        fields = ("views", "review_distance", "partly_altered", "sources")
        labels: ClassVar = {
            "views": "Look at uploads turned, without bars and captions, and in parts",
            "review_distance": "People look up to so many bits",
            "partly_altered": "Where a part was replaced and the rest kept",
            "sources": "This platform hosts adult content: look for fakes made from clothed originals",
        }
        help_texts: ClassVar = {
            "views": "Finds turned and mirrored copies, screenshots, collages and pictures within pictures.",
            "review_distance": "31 to 60 of 256. Further finds stronger edits, and more that is innocent.",
            "partly_altered": "As in a nudified or face-swapped copy of a reported picture, found by its parts.",
            "sources": "Only for uploads of which your own systems say that they are adult. A person always decides.",
        }
        widgets: ClassVar = {"review_distance": _NUMBER}
