"""Scripts in pages."""

from __future__ import annotations

from django import template
from django.templatetags.static import static
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from reclaim.sitekit.modules import modules_of

register = template.Library()


@register.simple_tag
def preload_modules(*paths: str) -> SafeString:
    """A ``<link rel="modulepreload">`` for each of these scripts and for every module that they need to start."""
    modules = dict.fromkeys(module for path in paths for module in modules_of(path))
    return format_html_join("\n", '<link rel="modulepreload" href="{}">', ((static(module),) for module in modules))
