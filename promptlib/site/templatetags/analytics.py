"""What the tables of the analytics draw."""

from django import template

from promptlib.core import charts

register = template.Library()

register.simple_tag(charts.ranking_bar)
