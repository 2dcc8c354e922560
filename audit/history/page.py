"""A page with a history on it: its filters, its rows, and the same rows as a file."""

from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, StreamingHttpResponse

from audit.history import exporting
from audit.history.filters import AuditFilter
from audit.history.timeline import Timeline
from audit.models import AuditLog

ROWS = 30


class HistoryPage:
    """`rows` are what this person may read here; `about` is the thing whose history it is, None for a mixed one."""

    def __init__(
        self, request: HttpRequest, rows: "QuerySet[AuditLog]", *, about: Any = None, is_personal: bool = False
    ) -> None:
        self.request = request
        self.filters = AuditFilter(request.GET, queryset=rows, request=request)
        self.is_valid = self.filters.is_valid()
        self.rows = self.filters.qs if self.is_valid else AuditLog.objects.none()
        self.is_personal = is_personal
        user: Any = request.user
        self.page = Timeline(
            self.rows,
            request.GET.get("cursor"),
            user.rows_per_page or ROWS,
            user=user,
            about=about,
            grouped=not self.filters.is_by_request,
            path=request.path,
        )

    @property
    def actors(self) -> list[str]:
        """The people on this page, to choose from."""
        return sorted({event.row.actor_name for event in self.page.events if event.row.actor_name})

    @property
    def export_query(self) -> str:
        """What the filters say, for the address of the file."""
        return urlencode([(name, value) for name, value in self._asked.items()])

    @property
    def _asked(self) -> dict[str, str]:
        data = self.request.GET
        return {name: data[name] for name in self.filters.filters if data.get(name)}


def export(request: HttpRequest, rows: "QuerySet[AuditLog]", *, about: Any) -> StreamingHttpResponse:
    """The filtered rows as a file (`?format=csv` or `jsonl`); 404 for another format or a filter without sense."""
    filters = AuditFilter(request.GET, queryset=rows, request=request)
    format_ = request.GET.get("format", "")
    if format_ not in exporting.FORMATS or not filters.is_valid():
        raise Http404
    asked = {name: request.GET[name][:200] for name in filters.filters if request.GET.get(name)}
    return exporting.export(filters.qs, user=request.user, format_=format_, about=about, filters=asked)
