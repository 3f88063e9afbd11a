"""Sentences that a script fills in: they stand in the page, so that scripts hold no language."""

from __future__ import annotations

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from reclaim.sitekit.languages import Counted

register = template.Library()

COUNTS = 200
"""Every plural rule of our languages repeats itself every hundred from 100 on, so 0 to 199 tell it whole."""


@register.simple_tag
def plural_word(name: str, sentence: Counted) -> SafeString:
    """A ``<template data-word>`` with each form of a sentence, and for every count below 200 the number of its form."""
    forms: dict[str, int] = {}
    numbers = [forms.setdefault(sentence.form(count), len(forms)) for count in range(COUNTS)]
    return format_html(
        '<template data-word="{}" data-plural="{}">{}</template>',
        name,
        "".join(map(str, numbers)),
        format_html_join("", "<span>{}</span>", ((form,) for form in forms)),
    )
