"""The selection that an address asks for."""

from django.http import Http404, HttpRequest

from sweeps.domain.problems import InvalidInput
from sweeps.domain.selection import Selection, read_selection


def selection_of(request: HttpRequest) -> Selection:
    """The selection in the address; Http404 for one that makes no sense."""
    pairs = ((word, value) for word, values in request.GET.lists() for value in values)
    try:
        return read_selection(pairs)
    except InvalidInput as error:
        raise Http404(str(error)) from error
