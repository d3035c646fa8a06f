"""The links between the pages of one grouping, the same on each of them."""

from django import template

from groupings.models import Grouping
from groupings.views.navigation import grouping_tabs

register = template.Library()


@register.inclusion_tag("components/grouping_nav.html", takes_context=True)
def grouping_nav(context, grouping: Grouping) -> dict:
    """``{% grouping_nav grouping %}``, under the breadcrumb."""
    request = context["request"]
    match = request.resolver_match
    return {
        "grouping": grouping,
        "tabs": grouping_tabs(grouping, request.affiliation, match.url_name if match else ""),
    }
